"""The recorded process: starts the outbox on what former cuts left, one state after the other.

python -m tests.uploader.outbox.powercut.recover FOLDER SAMPLES PRAGMAS-AS-JSON
"""

import json
import pickle
import sys
from pathlib import Path

from tests.uploader.outbox.powercut.oracle import Expected
from tests.uploader.outbox.powercut.recorder import Marker
from tests.uploader.outbox.powercut.replay import AFRESH, LAYING, Sample, be_silent, lay, opened


def main() -> None:
    """Run as a recorded process."""
    be_silent()
    folder, samples, pragmas = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    marker = Marker()
    sample: Sample
    for sample in pickle.loads(samples.read_bytes()):
        marker.mark(LAYING)
        lay(folder, sample.files)
        marker.mark(AFRESH + _told(sample.expected))
        opened(folder, pragmas).close()


def _told(expected: Expected) -> bytes:
    return json.dumps([expected.acknowledged, expected.under_way, expected.mended]).encode()


if __name__ == "__main__":
    main()
