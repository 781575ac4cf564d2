"""A child process for the kill tests: commits for ever, and says each receipt only when it is committed."""

import sys
from pathlib import Path

from kiosk.uploader.outbox.records import KeptRecord
from tests.uploader.outbox.records import NOW, entry, open_outbox


def main() -> None:
    outbox = open_outbox(Path(sys.argv[1]), max_records=100_000)
    while True:
        record = entry(size=2600)
        result = outbox.commit(record, NOW, send_now=False)
        assert isinstance(result, KeptRecord)
        sys.stdout.write(f"{record.id} {record.digest.hex()}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
