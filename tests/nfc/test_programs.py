"""`kiosk read` and `kiosk reader` as programs: exit codes, streams, one line where something is wrong."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kiosk.channel import READER_OUTBOX, READER_SOCKET, ReaderState, decode
from kiosk.channel.seqpacket import Peer, connect
from kiosk.simulator.field.field import VirtualField
from kiosk.simulator.field.field_client import FieldClient
from kiosk.simulator.tokens.hierarchy import Hierarchy
from kiosk.visit.states import ReaderCondition

KIOSK = [sys.executable, "-m", "kiosk"]


@dataclass(frozen=True)
class Done:
    code: int
    report: dict[str, Any]


def read(
    field: VirtualField, hierarchy: Hierarchy, *options: str, pin: str | None = "1234", device: str = ""
) -> Done:
    command = [*KIOSK, "read", "--device", device or f"virtual:{field.settings.path}"]
    command += ["--trust", str(hierarchy.trust), *options, *([] if pin is None else ["--pin-stdin"])]
    done = subprocess.run(
        command, input=(pin or "").encode() + b"\n", capture_output=True, timeout=60, check=False
    )
    assert b"Traceback" not in done.stderr
    return Done(done.returncode, json.loads(done.stdout))


@pytest.mark.parametrize(
    ("token", "pin", "key"),
    [("card", "1234", "rsa"), ("card", "1234", "ec"), ("android", "1234", "rsa"), ("iphone", None, "rsa")],
)
def test_a_token_is_read_to_its_signature(
    field: VirtualField, hand: FieldClient, hierarchy: Hierarchy, token: str, pin: str | None, key: str
) -> None:
    hand.tap(token, key=key)
    done = read(field, hierarchy, pin=pin)
    assert done.code == 0
    assert set(done.report) == {"token", "certificate", "signature", "attempts_left", "stages", "error"}
    assert done.report["token"] == token
    assert set(done.report["certificate"]) == {"serial", "not_after", "key", "chain"}
    assert done.report["certificate"]["key"] == {"rsa": "rsa-2048", "ec": "ec-p384"}[key]
    assert done.report["signature"] == "valid"
    assert done.report["error"] is None
    for stage in done.report["stages"]:
        assert set(stage) == {"name", "ms", "apdus", "bytes_to", "bytes_from"}


def test_a_card_without_pin_tells_certificate_and_counter(
    field: VirtualField, hand: FieldClient, hierarchy: Hierarchy
) -> None:
    hand.tap("card")
    done = read(field, hierarchy, pin=None)
    assert done.code == 1
    assert done.report["certificate"]["chain"] == "trusted"
    assert (done.report["signature"], done.report["attempts_left"]) == ("none", 3)
    assert hand.verifies("card") == 0


@pytest.mark.parametrize(
    ("token", "state", "code", "left"),
    [
        ("card", "one-left", "pin_one_left", 1),
        ("card", "blocked", "pin_blocked", 0),
        ("iphone", "not-authenticated", "not_authenticated", None),
    ],
)
def test_what_is_wrong_with_a_token_is_told_by_a_code(
    field: VirtualField,
    hand: FieldClient,
    hierarchy: Hierarchy,
    token: str,
    state: str,
    code: str,
    left: int | None,
) -> None:
    hand.tap(token, state=state)
    done = read(field, hierarchy)
    assert (done.code, done.report["error"]["code"]) == (1, code)
    assert done.report["attempts_left"] == left
    assert hand.verifies(token) == 0


def test_an_expired_card_is_told_where_the_clock_is_trusted(
    field: VirtualField, hand: FieldClient, hierarchy: Hierarchy
) -> None:
    hand.tap("card", state="expired")
    done = read(field, hierarchy, "--trust-clock")
    assert (done.code, done.report["error"]["code"]) == (1, "certificate_expired")
    assert done.report["certificate"]["chain"] == "trusted"


def test_a_card_of_strangers_is_untrusted(
    field: VirtualField, hand: FieldClient, hierarchy: Hierarchy, tmp_path: Path
) -> None:
    hand.tap("card")
    one = next(path for path in sorted(hierarchy.trust.iterdir()))
    only = tmp_path / "only"
    only.mkdir()
    (only / one.name).write_bytes(one.read_bytes())
    codes = {read(field, Hierarchy({}, only), pin=None).report["certificate"]["chain"]}
    for other in set(hierarchy.trust.iterdir()) - {one}:
        (only / one.name).unlink()
        (only / other.name).write_bytes(other.read_bytes())
        codes.add(read(field, Hierarchy({}, only), pin=None).report["certificate"]["chain"])
        break
    assert codes == {"trusted", "untrusted"}


def test_a_payment_card_is_named(field: VirtualField, hand: FieldClient, hierarchy: Hierarchy) -> None:
    hand.tap("payment")
    done = read(field, hierarchy)
    assert done.code == 1
    assert done.report["token"] == "unknown"
    assert done.report["error"] == {
        "code": "wrong_token",
        "say": "this is not a My Number card or phone (payment)",
    }


def test_nothing_on_the_reader_is_told_in_time(field: VirtualField, hierarchy: Hierarchy) -> None:
    began = time.monotonic()
    done = read(field, hierarchy, "--timeout", "0.3")
    assert (done.code, done.report["error"]["code"]) == (1, "no_token")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("device", ["virtual:/nowhere/at/all", "usb:04cc:2533", "usb"])
def test_an_absent_reader_says_what_to_mend(field: VirtualField, hierarchy: Hierarchy, device: str) -> None:
    done = read(field, hierarchy, device=device)
    assert (done.code, done.report["error"]["code"]) == (1, "reader")
    assert "\n" not in done.report["error"]["say"]


def test_a_missing_trust_folder_says_what_to_put_there(field: VirtualField, tmp_path: Path) -> None:
    done = read(field, Hierarchy({}, tmp_path / "none"))
    assert (done.code, done.report["error"]["code"]) == (1, "trust")


@pytest.mark.parametrize("pin", ["123", "12345", "12a4", ""])
def test_what_is_no_pin_is_a_fault_of_usage(pin: str) -> None:
    done = subprocess.run(
        [*KIOSK, "read", "--pin-stdin"], input=pin.encode(), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"four digits" in done.stderr


# ---- kiosk reader ----------------------------------------------------------------------------------------


def settings(folder: Path, device: str, trust: Path) -> Path:
    path = folder / "kiosk.toml"
    path.write_text(
        f"""
[clinic]
name = "Invented clinic"
institution = "1234567890"
terminal = "K001"
[visit]
mode = "home_consent"
[reader]
device = "{device}"
trust = "{trust}"
[run]
folder = "{folder / "run"}"
[service]
name = "simulated"
url = "https://localhost:1"
"""
    )
    return path


@contextmanager
def running(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([*KIOSK, "reader", "--config", str(path)], stderr=subprocess.PIPE) as child:
        try:
            yield child
        finally:
            child.kill()


def channel(child: subprocess.Popen[bytes], path: Path) -> Peer:
    until = time.monotonic() + 20
    while time.monotonic() < until and child.poll() is None:
        if (peer := connect(path / "run" / READER_SOCKET)) is not None:
            return peer
        time.sleep(0.01)
    raise AssertionError(f"the reader process does not listen; exit code {child.poll()}")


def state(peer: Peer, condition: ReaderCondition) -> ReaderState:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        packet = peer.receive()
        if packet is None:
            time.sleep(0.005)
            continue
        message = decode(bytes(packet), READER_OUTBOX)
        if isinstance(message, ReaderState) and message.condition is condition:
            return message
    raise AssertionError(f"never {condition}")


def test_the_reader_process_serves_and_ends_on_sigterm(
    field: VirtualField, hierarchy: Hierarchy, tmp_path: Path
) -> None:
    path = settings(tmp_path, f"virtual:{field.settings.path}", hierarchy.trust)
    with running(path) as child:
        peer = channel(child, tmp_path)
        assert "PN533" in state(peer, ReaderCondition.READY).model
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0
        peer.close()
    assert not (tmp_path / "run" / READER_SOCKET).exists()


def test_the_reader_process_waits_for_a_reader_that_is_not_there_yet(
    hierarchy: Hierarchy, tmp_path: Path
) -> None:
    with running(settings(tmp_path, "virtual:later", hierarchy.trust)) as child:
        peer = channel(child, tmp_path)
        assert "kiosk simulate field" in state(peer, ReaderCondition.LOST).reason
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0
        peer.close()


def test_without_trust_folder_the_reader_process_says_so_in_one_line(tmp_path: Path) -> None:
    path = settings(tmp_path, "usb", tmp_path / "none")
    done = subprocess.run(
        [*KIOSK, "reader", "--config", str(path)], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stdout == b""
    assert len(done.stderr.splitlines()) == 1
    assert b"put the JPKI CA certificates there" in done.stderr
