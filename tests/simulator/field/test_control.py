"""The hand at the virtual field: control lines, the client, and the commands of the command line."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nfc
import pytest
from click.testing import CliRunner

from kiosk.simulator.field.field import FieldSettings, SocketTakenError, VirtualField
from kiosk.simulator.field.field_client import FieldAbsentError, FieldClient, FieldRefusedError
from kiosk.simulator.field.field_commands import simulate
from kiosk.simulator.radio.airtime import INSTANT
from kiosk.simulator.tokens import vpcd
from kiosk.simulator.tokens.hierarchy import Hierarchy
from tests.nfc.stock_stick import activate, ask, plugged_in, select_application, select_file


def line(field: VirtualField, raw: bytes) -> dict[str, object]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(field.settings.path))
        connection.sendall(raw)
        answer: dict[str, object] = json.loads(connection.makefile().readline())
        return answer


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"{nonsense\n", "not JSON"),
        (b'{"no": "op"}\n', "an object with op is needed"),
        (b'{"op": "dance"}\n', "op is one of tap, remove"),
        (b'{"op": "tap"}\n', "token is missing"),
        (
            b'{"op": "tap", "token": "passport", "size": 1}\n',
            "unknown setting size; token must not be 'passport'",
        ),
        (b'{"op": "tap", "token": "card", "beside": 1}\n', "beside must not be 1"),
        (b'{"op": "tap", "token": "card", "state": "not-authenticated"}\n', "only an iPhone"),
        (b'{"op": "tap", "token": "payment", "state": "blocked"}\n', "has no state blocked"),
        (b'{"op": "tap", "token": "card", "pin": "12345"}\n', "four digits"),
        (b'{"op": "tap", "token": "card", "uid": "XY"}\n', "not hexadecimal"),
        (b'{"op": "wait", "for": "godot"}\n', "wait for one of"),
        (b'{"op": "wait", "for": "token", "seconds": 0.01}\n', "in vain"),
        (b'{"op": "model", "rate": 424}\n', "rate is 0 or 106"),
        (b'{"op": "model", "warp": 9}\n', "unknown setting warp"),
    ],
)
def test_a_wrong_order_is_refused_with_its_reason(field: VirtualField, raw: bytes, said: str) -> None:
    answer = line(field, raw)
    assert answer["ok"] is False
    assert said in str(answer["error"])


def test_a_connection_that_is_neither_reader_nor_control_is_dropped(field: VirtualField) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(field.settings.path))
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        connection.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100) == b""


def test_tries_survive_the_tap_until_a_state_is_named(
    stick: nfc.ContactlessFrontend, hand: FieldClient
) -> None:
    def counter_after_wrong_pin(**order: object) -> bytes:
        hand.tap("card", **order)
        tag = activate(stick)
        select_application(tag)
        select_file(tag, 0x0018)
        return ask(tag, "002000800439393939")

    assert counter_after_wrong_pin() == b"\x63\xc2"
    hand.remove()
    assert counter_after_wrong_pin() == b"\x63\xc1"
    assert counter_after_wrong_pin(state="normal") == b"\x63\xc2"
    assert counter_after_wrong_pin(state="one-left") == b"\x63\xc0"
    assert counter_after_wrong_pin(state="blocked") == b"\x69\x84"
    assert hand.verifies("card") == 5
    assert hand.tries_left("card") == 0
    assert hand.verifies("android") == 0


def test_the_apdu_log_tells_lengths_and_status_but_no_pin(
    stick: nfc.ContactlessFrontend, hand: FieldClient
) -> None:
    hand.tap("card")
    tag = activate(stick)
    select_application(tag)
    select_file(tag, 0x0018)
    ask(tag, "002000800437777777")
    assert hand.apdus(clear=True)[-1] == {"ins": "20", "nc": 4, "ne": 0, "nr": 0, "sw": "63C2"}
    assert hand.apdus() == []


def test_the_clock_of_the_last_tap_is_told(field: VirtualField, hand: FieldClient) -> None:
    assert hand.presented_at() is None
    before = field.radio.clock()
    at = hand.tap("card")
    assert before <= at <= field.radio.clock()
    assert hand.presented_at() == at


def test_status_tells_what_lies_there_and_who_holds_the_stick(field: VirtualField, hand: FieldClient) -> None:
    assert hand.status() == {
        "tokens": [], "presented_at": None, "departed_at": None,
        "field_on": False, "plugged": True, "connected": False,
    }  # fmt: skip
    hand.tap("card")
    hand.tap("iphone", beside=True)
    with plugged_in(field.settings.path):
        hand.wait("connected")
        assert hand.status()["tokens"] == ["card", "iphone"]
    hand.unplug()
    assert hand.status()["plugged"] is False
    hand.reset()
    assert hand.status()["tokens"] == []
    assert hand.status()["plugged"] is True


def test_waiting_ends_when_the_token_has_gone(
    field: VirtualField, stick: nfc.ContactlessFrontend, hand: FieldClient
) -> None:
    hand.tap("card", remove_after_apdu=1)
    with FieldClientThread(field.settings.path) as waiter:
        select_application(activate(stick))
        waiter.join(5)
        assert not waiter.is_alive()


class FieldClientThread(threading.Thread):
    """Waits on its own connection for an empty field."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self._path = path

    def run(self) -> None:
        with FieldClient(self._path) as client:
            client.wait("empty")

    def __enter__(self) -> "FieldClientThread":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.join(5)


def test_a_field_leaves_no_file_and_no_thread(tmp_path: Path, hierarchy: Hierarchy) -> None:
    before = set(threading.enumerate())  # some may still be ending: those of an earlier test
    path = tmp_path / "field"
    running = VirtualField(FieldSettings(path, INSTANT, vpcd_port=0), hierarchy)
    with running, FieldClient(path) as hand, plugged_in(path):
        hand.wait("connected")
        started = set(threading.enumerate()) - before
        assert started
    assert not path.exists()
    for thread in started:
        thread.join(5)
    assert not [thread for thread in started if thread.is_alive()]


def test_a_socket_in_use_is_not_taken_but_a_dead_one_is_replaced(
    tmp_path: Path, field: VirtualField, hierarchy: Hierarchy
) -> None:
    with pytest.raises(SocketTakenError):
        VirtualField(FieldSettings(field.settings.path, INSTANT), hierarchy).start()
    dead = tmp_path / "dead"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left_behind:
        left_behind.bind(str(dead))
    with VirtualField(FieldSettings(dead, INSTANT), hierarchy), FieldClient(dead) as hand:
        assert hand.status()["tokens"] == []


def test_an_absent_field_is_named_with_the_command_that_starts_one(tmp_path: Path) -> None:
    with pytest.raises(FieldAbsentError, match="kiosk simulate field --socket"):
        FieldClient(tmp_path / "nothing")


# -- the command line ------------------------------------------------------------------------------


@contextmanager
def running_field(path: Path, hierarchy: Hierarchy, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "kiosk.simulator.field.field_commands", "field", "--socket", str(path)]
    child = subprocess.Popen(
        [*command, "--pki", str(hierarchy.trust.parent), "--rate", "0", "--poll-ms", "0", *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    try:
        assert str(path) in child.stdout.readline()
        yield child
    finally:
        child.kill()
        child.wait(timeout=10)
        child.stdout.close()


def test_the_field_command_serves_taps_and_ends_cleanly_on_sigterm(
    tmp_path: Path, hierarchy: Hierarchy
) -> None:
    path = tmp_path / "field"
    with running_field(path, hierarchy) as child:
        runner = CliRunner()
        done = runner.invoke(simulate, ["tap", "card", "--socket", str(path), "--state", "one-left"])
        assert (done.exit_code, done.output) == (0, "")
        with plugged_in(path) as stick:
            tag = activate(stick)
            select_application(tag)
            select_file(tag, 0x0018)
            assert ask(tag, "00200080") == b"\x63\xc1"
        assert runner.invoke(simulate, ["tap", "none", "--socket", str(path)]).exit_code == 0
        with FieldClient(path) as hand:
            assert hand.status()["tokens"] == []
        os.kill(child.pid, signal.SIGTERM)
        assert child.wait(timeout=10) == 0
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (["tap", "card", "--socket", "/nonexistent/field"], 1, "no virtual field at"),
        (["tap", "passport", "--socket", "x"], 2, "passport"),
        (["card", "--to", "nowhere"], 2, "HOST:PORT"),
        (["card", "--to", "127.0.0.1:1", "--pin", "12"], 2, "four digits"),
        (["field", "--socket", "x", "--technology", "card=F"], 2, "--technology card=F"),
    ],
)
def test_wrong_use_is_one_clear_line(arguments: list[str], exit_code: int, said: str) -> None:
    done = CliRunner().invoke(simulate, arguments)
    assert done.exit_code == exit_code
    assert said in done.output
    assert "Traceback" not in done.output


def test_a_card_without_a_reader_says_what_to_do(tmp_path: Path, hierarchy: Hierarchy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    arguments = ["card", "--to", f"127.0.0.1:{port}", "--patience", "0", "--pki", str(hierarchy.trust.parent)]
    done = CliRunner().invoke(simulate, arguments)
    assert done.exit_code == 1
    assert "is pcscd running?" in done.output


def test_our_card_answers_as_the_vpcd_protocol_wants(hierarchy: Hierarchy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reader:
        port = reader.getsockname()[1]
        arguments = [
            "card",
            "--to",
            f"127.0.0.1:{port}",
            "--token",
            "iphone",
            "--pki",
            str(hierarchy.trust.parent),
        ]
        ended: list[int] = []
        thread = threading.Thread(
            target=lambda: ended.append(CliRunner().invoke(simulate, arguments).exit_code)
        )
        thread.start()
        connection, _ = reader.accept()
        with connection:
            connection.settimeout(10)
            vpcd.send(connection, vpcd.POWER_ON)
            vpcd.send(connection, vpcd.GIVE_ATR)
            assert vpcd.receive(connection) == vpcd.ATR
            vpcd.send(connection, bytes.fromhex("00A4040C0AD392F000260100000001"))
            assert vpcd.receive(connection) == b"\x90\x00"
            vpcd.send(connection, bytes.fromhex("00A4020C020006"))
            vpcd.receive(connection)
            vpcd.send(connection, bytes.fromhex("00B0000020"))
            assert vpcd.receive(connection).startswith(b"JPKIAPIOSTOKEN ")
        thread.join(10)
    assert ended == [0]


def test_refusals_reach_the_client_as_such(hand: FieldClient) -> None:
    with pytest.raises(FieldRefusedError, match="only an iPhone"):
        hand.tap("card", state="not-authenticated")
