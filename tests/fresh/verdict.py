"""What a run of the tests on a bare root must come to: nothing failed, nothing skipped but what is listed."""

from collections import Counter
from dataclasses import dataclass
from xml.etree import ElementTree

#: What such a root cannot do, by how the skip's reason begins; the one list of it. A skip for any other
#: reason is a failure: the root has everything that `make` installs.
CANNOT = {
    "no device trees of Debian's kernel package here": "they come with the image's root (make image)",
}


@dataclass(frozen=True)
class Verdict:
    """Tests that passed, those that were left out by reason, and those that should not be as they are."""

    passed: int
    left_out: Counter[str]
    wrong: list[str]

    def lines(self) -> list[str]:
        """For people: what was left out and why, then the faults, then the numbers."""
        found = [
            f"left out, {count} tests: {reason}; {CANNOT[reason]}" for reason, count in self.left_out.items()
        ]
        count = f"{self.passed} passed, {len(self.wrong)} failed, {self.left_out.total()} left out"
        return [*found, *self.wrong, count]


def judge(report: str) -> Verdict:
    """Read pytest's report in JUnit's form."""
    passed, left_out, wrong = 0, Counter[str](), list[str]()
    for case in ElementTree.fromstring(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            wrong.append(f"failed: {name}")
        elif skipped is None:
            passed += 1
        else:
            reason = skipped.get("message", "")
            known = next((start for start in CANNOT if reason.startswith(start)), None)
            if known is None:
                wrong.append(f"skipped, and not in the list of what a bare root cannot do: {name}: {reason}")
            else:
                left_out[known] += 1
    return Verdict(passed, left_out, wrong)
