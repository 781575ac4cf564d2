"""kill -9, full disks, read-only disks: what was acknowledged is there, the process goes on."""

import contextlib
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kiosk.channel import AskStatus, CommitRefused, Committed, OutboxState, ServiceAnswered, Status
from kiosk.qualification.terms import Outcome
from kiosk.uploader.outbox.record_list import count_by_state, list_records
from kiosk.uploader.outbox.records import StoredState
from kiosk.visit.states import OutboxCondition
from tests.simulator.service.running import RunningService
from tests.uploader.outbox.records import NOW, open_outbox
from tests.uploader.world import RunningUploader, new_visit

ROOT = Path(__file__).resolve().parents[3]
KILLS = 12


def test_kill_9_in_the_middle_of_commits_loses_nothing_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    dice = random.Random(7)
    acknowledged: dict[str, str] = {}
    for _ in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.uploader.outbox.committing", str(path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert child.stdout is not None
        lines = [child.stdout.readline()]  # at least one was committed
        time.sleep(dice.uniform(0.0, 0.05))
        child.kill()
        lines += child.stdout.read().splitlines()
        child.wait()
        child.stdout.close()
        acknowledged |= dict(line.split() for line in lines if len(line.split()) == 2)
    outbox = open_outbox(path, max_records=100_000)
    listed = {line.id: line for line in list_records(outbox.database, limit=1_000_000)}
    assert acknowledged.keys() <= listed.keys()
    assert len(listed) <= len(acknowledged) + KILLS, "at most the one in flight at each kill"
    assert len({line.receipt for line in listed.values()}) == len(listed)
    claimed = outbox.claim(NOW, 1_000_000)
    assert len(claimed) == len(listed)
    assert count_by_state(outbox.database)[StoredState.QUARANTINED] == 0
    outbox.close()


def test_a_small_disk_that_fills_becomes_read_only_and_heals(tmp_path: Path) -> None:
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    with contextlib.suppress(FileNotFoundError):
        if subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode == 0:
            done = subprocess.run(
                [*unshare, sys.executable, "-m", "tests.uploader.outbox.small_disk", str(tmp_path)],
                check=False,
                capture_output=True,
                text=True,
                cwd=ROOT,
            )
            assert done.returncode == 0, done.stderr
            full, healed, read_only, writable = done.stdout.splitlines()
            assert "the disk is full" in full
            assert healed == "healed: True True"
            assert "read-only" in read_only
            assert "lost" in read_only
            assert writable == "writable: True True"
            return
    pytest.skip("mount namespaces are not allowed here")


def limit_files(uploader: RunningUploader, size: int) -> None:
    """From now on the process cannot make files longer than `size`: as if the disk were full."""
    _, hard = resource.prlimit(uploader.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(uploader.process.pid, resource.RLIMIT_FSIZE, (size, hard))


def test_on_a_full_disk_the_process_refuses_says_so_and_recovers(
    uploader: RunningUploader, service: RunningService
) -> None:
    with uploader.screen() as screen:
        screen.wait_for(OutboxState, condition=OutboxCondition.READY)
        keys = screen.keys()
        waits = new_visit()
        service.control.close()
        screen.send(screen.sealed(waits))
        screen.wait_for(Committed, waits)
        limit_files(uploader, 512)
        screen.forget()
        refused = new_visit()
        screen.send(screen.sealed(refused, keys=keys))
        said = screen.wait_for(CommitRefused, refused).reason
        assert "disk" in said
        screen.wait_for(OutboxState, condition=OutboxCondition.LOST)
        assert screen.ask(AskStatus(), Status).outbox is OutboxCondition.LOST
        limit_files(uploader, resource.RLIM_INFINITY)
        screen.wait_for(OutboxState, condition=OutboxCondition.READY)
        service.control.open()
        assert screen.wait_for(ServiceAnswered, waits).outcome is Outcome.VERIFIED
        again = new_visit()
        screen.send(screen.sealed(again, keys=keys))
        screen.wait_for(Committed, again)
    assert service.control.effects(refused) == 0
    assert uploader.process.poll() is None
