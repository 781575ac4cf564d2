"""`kiosk metrics`: off unless the settings name a file; what it writes about a running uploader."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kiosk.box.clock import Moment
from kiosk.uploader.delivery.line import retry_reasons
from kiosk.uploader.delivery.retry import Decision, HoldBack, LineDown, Reject, SendLater
from kiosk.uploader.service.wire import FaultKind, RequestFault, ServiceProblem
from tests.uploader.updates.bundles import Box
from tests.uploader.updates.updating import PATIENCE_S, Place, make_place
from tests.uploader.world import Token


@pytest.fixture
def place(tmp_path: Path, box: Box) -> Place:
    return make_place(tmp_path, box)


def command(place: Place, *words: str) -> list[str]:
    return [sys.executable, "-m", "kiosk", "metrics", "--config", str(place.config), *words]


def figures(text: str) -> dict[str, str]:
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))


def test_off_by_default(place: Place) -> None:
    done = subprocess.run(command(place), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "metrics are off: [metrics] file is not set\n")


def test_a_kiosk_that_does_not_run_says_so(place: Place) -> None:
    done = subprocess.run(command(place, "--once"), capture_output=True, text=True, check=False)
    shown = figures(done.stdout)
    assert (shown["kiosk_uploader_up"], shown["kiosk_reader_up"]) == ("0.0", "0.0")
    assert 'kiosk_build_info{image_digest="",version="1.1.0"}' in shown
    assert "kiosk_queue_depth" not in shown, "nobody knows"


def test_the_file_is_replaced_in_one_step_and_others_may_read_it(place: Place, token: Token) -> None:
    file = place.folder / "kiosk.prom"
    with place.config.open("a", encoding="utf-8") as settings:
        settings.write(f'[metrics]\nfile = "{file}"\nevery_s = 1\n')
    running = place.start(token)
    writer = subprocess.Popen(command(place))
    try:
        end = time.monotonic() + PATIENCE_S
        shown: dict[str, str] = {}
        while shown.get("kiosk_uploader_up") != "1.0":
            assert time.monotonic() < end, shown
            time.sleep(0.05)
            if file.exists():
                text = file.read_text(encoding="utf-8")
                assert text.endswith("\n")
                assert "kiosk_watchdog_restarts" in text, "never a part of the file"
                shown = figures(text)
        assert shown["kiosk_queue_depth"] == "0.0"
        assert shown["kiosk_clock_synced"] == "1.0"
        assert shown["kiosk_key_custody_level"] == "-1.0"
        assert shown["kiosk_db_integrity"] == "1.0"
        assert file.stat().st_mode & 0o044 == 0o044
        writer.send_signal(signal.SIGTERM)
        assert writer.wait(PATIENCE_S) == 0
    finally:
        writer.kill()
        writer.wait(PATIENCE_S)
        running.kill()
    assert [path for path in place.folder.iterdir() if ".prom" in path.name] == [file]


NOW = Moment(boot_id="b", mono_ms=1, wall_ms=1, trusted=True)


@pytest.mark.parametrize(
    ("decision", "reply", "reason"),
    [
        (LineDown("", reached=False), RequestFault(FaultKind.CONNECT, reached=False), "unreachable"),
        (LineDown("", reached=False), RequestFault(FaultKind.REFUSED_US, reached=True), "refused"),
        (SendLater(1, "", service_failing=True), ServiceProblem(503, "", None), "failing"),
        (SendLater(1, "", soon=True), ServiceProblem(409, "", None), "later"),
        (Reject("bad_request"), ServiceProblem(400, "bad_request", None), None),
        (HoldBack(1, "key_unknown", ""), ServiceProblem(422, "key_unknown", None), "key_unknown"),
    ],
)
def test_an_attempt_that_is_made_again_has_a_reason(
    decision: Decision, reply: RequestFault | ServiceProblem, reason: str | None
) -> None:
    assert retry_reasons(decision, reply, NOW) == (() if reason is None else (reason,))
