"""`make faults`: what peers do wrong, in great numbers, against running uploaders; a table, exit code 1 if
any of it did harm. A control runs an uploader with a mended fault put back, and must show the harm.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.faults.answers import AnswersFound, answers_campaign

CONTROL_ANSWERS = 1000


def run_part(answers: int, seed: int, control: bool) -> AnswersFound:
    """One uploader's part, in this process."""
    with tempfile.TemporaryDirectory(prefix="kiosk-faults-") as folder:
        return answers_campaign(Path(folder), answers, seed, control=control)


def run_parts(answers: int, jobs: int, seed: int, control: bool = False) -> AnswersFound:
    """Several uploaders side by side, each in a process of its own: each waits most of the time."""
    share = -(-answers // jobs)
    command = [sys.executable, "-m", "tests.faults", "--part", "--answers", str(share)]
    command += ["--control"] if control else []
    parts = [
        subprocess.Popen([*command, "--seed", str(seed * 1000 + job)], stdout=subprocess.PIPE)
        for job in range(jobs)
    ]
    total = AnswersFound()
    for part in parts:
        said, _ = part.communicate()
        if part.returncode != 0:
            raise RuntimeError(f"a part of the campaign ended with {part.returncode}")
        total.add(msgspec.json.decode(said, type=AnswersFound))
    return total


def table(name: str, found: AnswersFound) -> str:
    rows = [f"{name}: {found.answers} spoiled answers, {found.records} records"]
    rows += [f"  {harm:<44}{count:>8}" for harm, count in found.harms().items()]
    return "\n".join(rows)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", action="store_true", help="one uploader; prints JSON")
    parser.add_argument("--control", action="store_true", help="with a mended fault put back")
    chosen = parser.parse_args(arguments)
    if chosen.part:
        found = run_part(chosen.answers, chosen.seed, chosen.control)
        sys.stdout.buffer.write(msgspec.json.encode(found))
        return 0
    found = run_parts(chosen.answers, chosen.jobs, chosen.seed, chosen.control)
    print(table("answers", found))
    for name, count in sorted(found.by_mutation.items()):
        print(f"    {name:<42}{count:>8}")
    control = run_parts(CONTROL_ANSWERS, chosen.jobs, chosen.seed, control=True)
    print(table("control, an uploader that takes every refusal for this record's", control))
    return 0 if found.harmless and not control.harmless else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
