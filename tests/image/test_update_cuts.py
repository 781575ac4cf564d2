"""An update that is cut off: whole or not, what U-Boot would take, and which states are started."""

import struct
from pathlib import Path

import pytest

from tests.image import uboot_env
from tests.image.crash import Owed, Stage, State
from tests.image.recording import Recording
from tests.image.replay import FLUSH, Cut
from tests.image.test_replay import log_of, sector
from tests.image.uboot import Attempt
from tests.image.update_cuts import Judged, Slots, judge, some

SECTOR = 512
A, B = 2, 10  #: first sectors of the slots


@pytest.fixture
def slots(tmp_path: Path) -> Slots:
    """Slot A holds a system of two sectors; the log writes the same to slot B, the second half last."""
    disk = bytearray(32 * SECTOR)
    for number, start in ((2, A), (3, B)):
        at = 446 + 16 * (number - 1)
        disk[at + 8 : at + 16] = struct.pack("<II", start, 4)
    root = sector(b"1") + sector(b"2")
    disk[A * SECTOR : (A + 2) * SECTOR] = root
    (tmp_path / "before.img").write_bytes(disk)
    (tmp_path / "root.ext4").write_bytes(root)
    log = log_of(
        tmp_path / "log", (B, sector(b"1"), 0), (0, b"", FLUSH), (B + 1, sector(b"2"), 0), (0, b"", FLUSH)
    )
    return Slots(Recording(tmp_path / "before.img", log), tmp_path / "root.ext4", tmp_path)


def state(sure: int, also: tuple[int, ...] = (), records: tuple[str, ...] = ("one",)) -> State:
    return State(Cut(sure, also, sure + len(also)), (), Stage.DONE, 1, Owed(records), "update")


def test_a_slot_is_whole_only_with_its_last_write(slots: Slots) -> None:
    cuts = (Cut(0, (), 0), Cut(2, (), 2), Cut(2, (2,), 3), Cut(4, (), 4))
    assert [slots.whole("B", cut) for cut in cuts] == [False, False, True, True]
    assert slots.whole("A", cuts[-1])


NEW = uboot_env.written({"BOOT_ORDER": "B A", "BOOT_A_LEFT": "3", "BOOT_B_LEFT": "3"})
OLD = uboot_env.written({"BOOT_ORDER": "A", "BOOT_A_LEFT": "3", "BOOT_B_LEFT": "0"})


def test_half_a_slot_may_lie_there_as_long_as_u_boot_takes_the_other(slots: Slots) -> None:
    judged = judge(state(2), OLD, slots)
    assert (judged.chosen, judged.faults) == (Attempt("A", 2, 0), ())
    torn = judge(state(2), OLD[:-1], slots)
    assert (torn.chosen, torn.damaged, torn.faults) == (Attempt("A", 2, 3), True, ())
    assert judge(state(2), NEW, slots).faults == ("U-Boot would start slot B, which is not whole",)
    assert judge(state(4), NEW, slots).faults == ()


def test_an_update_that_owes_no_record_was_recorded_wrongly(slots: Slots) -> None:
    assert judge(state(4, records=()), NEW, slots).faults


def test_a_few_are_taken_from_both_slots() -> None:
    def judged(number: int, slot: str) -> Judged:
        return Judged(state(number), Attempt(slot, 2, 2), False, ())

    found = [
        *(judged(number, "A") for number in range(30)),
        *(judged(number, "B") for number in range(30, 34)),
    ]
    for count, slots in ((1, {"B"}), (2, {"A", "B"}), (3, {"A", "B"}), (6, {"A", "B"})):
        chosen = some(found, count)
        assert len(chosen) == count
        assert {each.chosen.slot for each in chosen} == slots
        assert [each.state.cut.sure for each in chosen] == sorted(each.state.cut.sure for each in chosen)
    assert len(some(found[:1], 3)) == 1
    assert some([], 3) == []
