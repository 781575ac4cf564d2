"""A recorded life: its phases, its promises, and that both are read back."""

import threading
from pathlib import Path

from tests.image.recording import Promise, Recording, Watch, kept
from tests.image.replay import FLUSH, writes
from tests.image.test_replay import log_of, sector


def recorded(tmp_path: Path) -> Recording:
    log = log_of(tmp_path / "log", *[(8, sector(b"a"), 0), (8, b"", FLUSH)] * 3)
    return Recording(tmp_path / "before.img", log)


def test_phases_follow_each_other_without_a_gap(tmp_path: Path) -> None:
    recording = recorded(tmp_path)
    entries = writes(recording.log)
    recording.ends = {"first": entries[1].end, "nothing": entries[1].end, "last": entries[-1].end}
    assert recording.spans(entries) == {"first": (0, 2), "nothing": (2, 2), "last": (2, 6)}


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    recording = recorded(tmp_path)
    recording.end("first boot")
    recording.promise("one", 4711)
    recording.asked_at = 12
    recording.keep(tmp_path / "recording.json", (1, 2))
    assert kept(tmp_path / "recording.json") == (recording, (1, 2))
    assert recording.promises == [Promise("one", 4711)]


def test_a_watch_notes_the_size_after_the_moment(tmp_path: Path) -> None:
    """Never before it: what was promised then had been flushed by then."""
    recording = recorded(tmp_path)
    looked = threading.Event()

    def true() -> bool:
        with recording.log.open("ab") as file:
            file.write(sector(b"x"))  # written while one looks
        looked.set()
        return True

    with Watch(true, recording, every_s=0.001) as watch:
        assert looked.wait(5)
    assert watch.size == recording.size()


def test_a_watch_that_sees_nothing_notes_nothing(tmp_path: Path) -> None:
    with Watch(lambda: False, recorded(tmp_path), every_s=0.001) as watch:
        pass
    assert watch.size is None
