"""A small slice of `make powercut`, and the model of the disk itself."""

import random
from pathlib import Path

import pytest

from tests.uploader.outbox.powercut.campaign import Campaign, Size
from tests.uploader.outbox.powercut.disk import (
    Created,
    Disk,
    Files,
    FolderSynced,
    Operation,
    Renamed,
    Residue,
    Synced,
    Truncated,
    Unlinked,
    Written,
)
from tests.uploader.outbox.powercut.oracle import Verdict
from tests.uploader.outbox.powercut.recorder import compiler

SLICE = Size(steps=14, samples=2, control_steps=14, processes=1)


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    if compiler() is None:
        pytest.skip("no C compiler for the recording shim")
    return Campaign(tmp_path, SLICE)


@pytest.mark.slow
def test_no_cut_loses_what_was_acknowledged(campaign: Campaign) -> None:
    tally = campaign.outbox()
    assert tally.told == []
    assert tally.verdicts[Verdict.SOUND] == tally.cuts > 500
    assert set(tally.residues) == set(Residue)
    again = campaign.recovery(tally.samples)
    assert again.told == []
    assert again.cuts > 20


@pytest.mark.slow
def test_no_cut_during_a_salvage_loses_what_can_be_saved(campaign: Campaign) -> None:
    tally = campaign.salvage(pages=1)
    assert tally.told == []
    assert tally.cuts > 100


def test_the_same_cuts_show_the_losses_of_the_usual_settings(campaign: Campaign) -> None:
    assert campaign.control("control: WAL, NORMAL").verdicts[Verdict.LOST] > 0


# ---- the disk ----------------------------------------------------------------------------------------------

CREATED: tuple[Operation, ...] = (Created("a", 1), Written(1, 0, b"x" * 1024), Synced(1), FolderSynced())


def after_cuts(*operations: Operation) -> list[Files]:
    disk = Disk()
    for operation in operations:
        disk.apply(operation)
    return [files for _, files in disk.cuts(30, random.Random(1))]


def test_what_was_synced_is_there_after_every_cut() -> None:
    assert after_cuts(*CREATED) == [{"a": b"x" * 1024}]


def test_an_unsynced_write_is_kept_lost_or_torn_between_sectors() -> None:
    found = {files["a"] for files in after_cuts(*CREATED, Written(1, 256, b"y" * 512))}
    halves = (b"x" * 256, b"y" * 256)
    assert found == {b"x" * 256 + one + two + b"x" * 256 for one in halves for two in halves}


def test_a_later_write_may_arrive_without_an_earlier_one() -> None:
    found = {files["a"] for files in after_cuts(*CREATED, Written(1, 0, b"1"), Written(1, 1, b"2"))}
    assert b"x2" + b"x" * 1022 in found


def test_an_unsynced_truncation_may_be_undone() -> None:
    assert {len(files["a"]) for files in after_cuts(*CREATED, Truncated(1, 0))} == {0, 1024}


def test_without_a_sync_of_the_folder_names_come_and_go_in_order() -> None:
    found = after_cuts(*CREATED, Renamed("a", "b"), Created("a", 2), Unlinked("b"))
    assert {tuple(sorted(files)) for files in found} == {("a",), ("b",), ("a", "b")}
