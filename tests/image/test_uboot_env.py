"""U-Boot's variables, and its script's choice: the same as the script itself makes in a shell."""

import itertools
import subprocess
from pathlib import Path

import pytest

from tests.image import uboot_env
from tests.image.uboot import Attempt

SCRIPT = Path(__file__).resolve().parents[2] / "image-build/boot.cmd"
#: U-Boot's commands as the script uses them; `reset` starts it again, with the variables that it set.
COMMANDS = """
setenv() { name=$1; shift; eval "$name=\\$*"; }
setexpr() { eval "$1=$(($2 $3 $4))"; }
saveenv() { saved="$BOOT_A_LEFT $BOOT_B_LEFT"; }
load() { true; }
booti() { echo "started $slot $saved"; exit 0; }
reset() { eval "$SCRIPT"; exit; }
"""


def boot_cmd(found: dict[str, str]) -> Attempt:
    """What the script starts with these variables."""
    text = SCRIPT.read_text(encoding="utf-8")
    given = "".join(f'{name}="{value}"\n' for name, value in found.items())
    done = subprocess.run(
        ["sh", "-c", f'{COMMANDS}{given}eval "$SCRIPT"'],
        capture_output=True,
        text=True,
        check=True,
        env={"SCRIPT": text},
    )
    [line] = [line for line in done.stdout.splitlines() if line.startswith("started")]
    _, slot, left_a, left_b = line.split()
    return Attempt(slot, int(left_a), int(left_b))


@pytest.mark.parametrize("order", [None, "A B", "B A", "A", "B"])
def test_the_choice_is_that_of_the_script(order: str | None) -> None:
    for left_a, left_b in itertools.product((None, 0, 1, 3), repeat=2):
        given = {"BOOT_ORDER": order, "BOOT_A_LEFT": left_a, "BOOT_B_LEFT": left_b}
        found = {name: str(value) for name, value in given.items() if value is not None}
        assert uboot_env.choice(found) == boot_cmd(found), found


def test_without_variables_both_slots_are_tried_afresh() -> None:
    assert uboot_env.choice(None) == Attempt("A", 2, 3)


def test_variables_are_read_back() -> None:
    found = {"BOOT_ORDER": "B A", "BOOT_A_LEFT": "3", "arch": "arm"}
    assert uboot_env.variables(uboot_env.written(found)) == found


def test_a_damaged_file_counts_as_none() -> None:
    whole = uboot_env.written({"BOOT_ORDER": "B A"})
    torn = whole[:512] + bytes(8) + whole[520:]
    assert uboot_env.variables(torn) is not None  # zeros over zeros
    torn = whole[:6] + b"#" + whole[7:]
    assert [uboot_env.variables(raw) for raw in (torn, whole[:-1], b"", None)] == [None] * 4
