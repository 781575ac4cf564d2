"""What the appliance does when a process goes on failing, and when the card does: the scripts themselves."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kiosk.channel.notice_file import from_text

APPLIANCE = Path(__file__).resolve().parents[2] / "deploy/appliance"
SCRIPTS, NOTICES = APPLIANCE / "usr/lib/kiosk", APPLIANCE / "usr/share/kiosk/notices"
IN_A_ROW = 4


class Box:
    """A folder for /run, and stand-ins for the programs that a script calls: each call is a line."""

    def __init__(self, folder: Path) -> None:
        self.run, self.programs = folder / "run", folder / "programs"
        self._called = folder / "called"
        for path in (self.run / "kiosk-failed", self.run / "kiosk-notice", self.programs):
            path.mkdir(parents=True)

    def stand_in(self, *names: str, body: str = "") -> None:
        for name in names:
            path = self.programs / name
            path.write_text(f'#!/bin/sh\necho {name} "$@" >>{self._called}\n{body}\n', encoding="utf-8")
            path.chmod(0o755)

    def do(self, script: str, *words: object) -> subprocess.CompletedProcess[str]:
        path = f"{self.programs}:{os.environ['PATH']}"
        return subprocess.run(
            [str(SCRIPTS / script), *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={"PATH": path},
        )

    @property
    def called(self) -> list[str]:
        return self._called.read_text(encoding="utf-8").splitlines() if self._called.exists() else []

    def fail(self, name: str) -> None:
        done = self.do("failed", name, self.run, NOTICES)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def box(tmp_path: Path) -> Box:
    box = Box(tmp_path)
    box.stand_in("systemctl", "sleep")
    return box


# ---- a process that goes on failing ----------------------------------------------------------------------


def test_a_screen_that_goes_on_failing_gives_way_to_a_notice_and_is_tried_again(box: Box) -> None:
    for _ in range(IN_A_ROW - 1):
        box.fail("screen")
    assert box.called == []
    box.fail("screen")
    again = [
        "systemctl start --no-block kiosk-notice.service",
        "systemctl start kiosk-notice.service",
        "sleep 60",
        "systemctl start --no-block kiosk-screen.service",
    ]
    assert box.called == again
    shown = from_text((box.run / "kiosk-notice/notice.json").read_text(encoding="utf-8"))
    assert shown is not None
    assert "画面のプログラム" in shown.ja.lines[1]
    box.fail("screen")  # the try was in vain: the notice at once, not four black screens
    assert box.called == again * 2


def test_failures_that_lie_far_apart_are_no_row(box: Box) -> None:
    for _ in range(IN_A_ROW + 1):
        box.fail("screen")
        (box.run / "kiosk-failed/screen").write_text(f"{IN_A_ROW - 1} -1000\n")
    assert box.called == []


@pytest.mark.parametrize("name", ["reader", "uploader"])
def test_the_screen_process_has_pages_for_the_other_two(box: Box, name: str) -> None:
    for _ in range(IN_A_ROW + 1):
        box.fail(name)
    assert box.called == []
    assert (box.run / f"kiosk-failed/{name}").read_text().split()[0] == str(IN_A_ROW + 1)


def test_each_process_tells_of_its_failures() -> None:
    for name in ("reader", "screen", "uploader"):
        drop_in = APPLIANCE / f"etc/systemd/system/kiosk-{name}.service.d/failed.conf"
        assert f"\nOnFailure=kiosk-failed@{name}.service\n" in drop_in.read_text(encoding="utf-8")


# ---- what counts as a good slot --------------------------------------------------------------------------


def active(box: Box, *names: str) -> None:
    """`systemctl is-active` for exactly these; of several one is enough for it, systemctl(1)."""
    box.stand_in("fw_printenv", "rauc", "systemctl")
    body = f"""[ "$1" = is-active ] || exit 0
    shift 2
    for unit in "$@"; do case " {" ".join(f"kiosk-{name}.service" for name in names)} " in
        *" $unit "*) exit 0 ;; esac; done
    exit 3"""
    box.stand_in("systemctl", body=body)


def marked(box: Box) -> bool:
    done = box.do("mark-good", box.run)
    good = "rauc status mark-good" in box.called
    assert (done.returncode == 0) == good, done.stdout
    told = box.run / "kiosk-update/good"  # what lets the uploader seal a key of the version before
    assert told.exists() == good
    told.unlink(missing_ok=True)
    return good


def test_a_slot_whose_processes_are_ready_is_good(box: Box) -> None:
    active(box, "reader", "screen", "uploader")
    assert marked(box)


@pytest.mark.parametrize("absent", ["reader", "screen", "uploader"])
def test_a_slot_is_not_good_while_one_of_them_is_missing(box: Box, absent: str) -> None:
    active(box, *({"reader", "screen", "uploader"} - {absent}))
    assert not marked(box)


def test_a_process_that_failed_a_moment_ago_is_ready_for_a_moment_only(box: Box) -> None:
    box.fail("screen")
    active(box, "reader", "screen", "uploader")
    assert not marked(box)
    (box.run / "kiosk-failed/screen").write_text("1 -1000\n")
    assert marked(box)


def test_a_box_that_waits_for_its_settings_is_good_and_one_with_a_notice_of_failure_is_not(box: Box) -> None:
    settings = box.run / "kiosk-notice/settings"
    settings.touch()
    box.do("tell", "card", box.run, NOTICES)
    assert not settings.exists()
    active(box, "notice")
    assert not marked(box)
    settings.touch()
    assert marked(box)


# ---- the card --------------------------------------------------------------------------------------------


@pytest.fixture
def partition(tmp_path: Path) -> Path:
    path = tmp_path / "data.img"
    with path.open("wb") as file:
        file.truncate(16 * 1024 * 1024)
    return path


def prepared(box: Box, partition: Path) -> subprocess.CompletedProcess[str]:
    return box.do("prepare-data", partition, box.run / "kiosk-data")


def holds(partition: Path, name: str) -> bool:
    done = subprocess.run(
        ["debugfs", "-R", f"stat /{name}", str(partition)], capture_output=True, text=True, check=True
    )
    return "Inode:" in done.stdout


@pytest.mark.skipif(shutil.which("mkfs.ext4") is None, reason="no e2fsprogs here")
def test_a_destroyed_partition_is_made_anew_and_says_so_for_good(box: Box, partition: Path) -> None:
    done = prepared(box, partition)
    assert done.returncode == 0, done.stderr
    assert "made anew" in done.stdout
    assert holds(partition, "made-anew")
    again = prepared(box, partition)
    assert again.returncode == 0
    assert "made anew" not in again.stdout


@pytest.mark.parametrize(
    "words",
    [
        "Error reading block 1038 (Input/output error) while getting next inode from scan.",
        "Attempt to read block from filesystem resulted in short read while trying to open /dev/vda4",
    ],
)
def test_a_worn_card_is_left_as_it_is_with_what_waits_on_it(box: Box, partition: Path, words: str) -> None:
    box.stand_in("e2fsck", body=f"echo '{words}' >&2; exit 8")
    box.stand_in("mkfs.ext4")
    done = prepared(box, partition)
    assert done.returncode == 1
    assert "worn" in done.stdout
    assert [line for line in box.called if line.startswith("mkfs")] == []


def test_what_cannot_be_made_anew_is_worn(box: Box, partition: Path) -> None:
    box.stand_in("e2fsck", body="exit 8")
    box.stand_in("mkfs.ext4", body="exit 1")
    assert prepared(box, partition).returncode == 1


def test_a_worn_card_is_told_on_the_screen() -> None:
    data = (APPLIANCE / "usr/lib/systemd/system/kiosk-data.service").read_text(encoding="utf-8")
    var = (APPLIANCE / "etc/systemd/system/var.mount.d/kiosk.conf").read_text(encoding="utf-8")
    assert all("\nOnFailure=kiosk-tell@card.service\n" in text for text in (data, var))
    # What the notice wants is tried again with it: a /var that cannot be mounted would go round in a circle.
    notice = (APPLIANCE / "usr/lib/systemd/system/kiosk-notice.service").read_text(encoding="utf-8")
    assert "\nPrivateTmp=" not in notice
    assert "MountsFor=" not in notice
