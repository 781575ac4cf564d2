"""`kiosk read` reads a card program that knows nothing of the kiosk, over the vpcd door of the field."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.simulator.field.field import FieldSettings, VirtualField
from kiosk.simulator.field.field_client import FieldClient
from kiosk.simulator.radio.airtime import INSTANT
from kiosk.simulator.radio.picc import RadioFace
from kiosk.simulator.tokens.hierarchy import Hierarchy

CARD = Path(__file__).with_name("foreign_card.py")
PIN = b"5678\n"

pytestmark = pytest.mark.peer


@pytest.fixture(params=["A", "B"])
def field(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VirtualField]:
    settings = FieldSettings(
        tmp_path / "field", model=INSTANT, vpcd_port=0, vpcd_face=RadioFace(request.param)
    )
    with VirtualField(settings, Hierarchy({}, tmp_path)) as running:
        yield running


@pytest.fixture
def trust(tmp_path: Path, field: VirtualField) -> Iterator[Path]:
    """The foreign card lies on the field; its CA is in this folder."""
    folder = tmp_path / "trust"
    folder.mkdir()
    command = [sys.executable, str(CARD), "127.0.0.1", str(field.vpcd_port), str(folder / "ca.pem")]
    with subprocess.Popen(command) as child, FieldClient(field.settings.path) as hand:
        hand.wait("token", seconds=20)
        until = time.monotonic() + 10
        while not (folder / "ca.pem").exists() and time.monotonic() < until:
            time.sleep(0.01)
        yield folder
        child.kill()


def read(field: VirtualField, trust: Path, pin: bytes | None) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "kiosk", "read", "--device", f"virtual:{field.settings.path}"]
    command += ["--trust", str(trust), *(["--pin-stdin"] if pin else [])]
    done = subprocess.run(command, input=pin or b"", capture_output=True, timeout=60, check=False)
    assert b"Traceback" not in done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, report


def test_a_foreign_card_is_read_verified_and_believed(field: VirtualField, trust: Path) -> None:
    code, report = read(field, trust, PIN)
    assert code == 0
    assert report["token"] == "card"
    assert report["certificate"]["chain"] == "trusted"
    assert report["signature"] == "valid"
    assert report["error"] is None
    assert [stage["name"] for stage in report["stages"]] == [
        "select",
        "token",
        "certificate",
        "counter",
        "verify",
        "sign",
    ]


def test_a_foreign_card_and_a_wrong_pin(field: VirtualField, trust: Path) -> None:
    code, report = read(field, trust, b"0000\n")
    assert code == 1
    assert report["error"]["code"] == "pin_wrong"
    assert report["attempts_left"] == 2
    code, report = read(field, trust, PIN)
    assert code == 0


def test_a_foreign_card_without_a_pin_tells_what_is_free(field: VirtualField, trust: Path) -> None:
    code, report = read(field, trust, None)
    assert code == 1
    assert (report["signature"], report["attempts_left"], report["error"]) == ("none", 3, None)
