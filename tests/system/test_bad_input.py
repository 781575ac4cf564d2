"""Bad input for whole processes: a clear line, nothing lost, and the next visit works."""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from kiosk.channel import READER_OUTBOX, READER_SOCKET, ReaderState, decode
from kiosk.channel.seqpacket import connect
from kiosk.qualification.terms import Mode
from kiosk.simulator.demo import scenarios
from kiosk.simulator.demo.demo_folder import DemoFolder, prepare
from kiosk.simulator.demo.hand import RESULTS, Hand, board_path
from kiosk.visit.states import ReaderCondition
from tests.system.nonsense_card import HABITS, NonsenseCard
from tests.system.shop import PATIENT, PROCESSES, Shop, open_shop

pytestmark = pytest.mark.slow

#: Silence must not be waited for long here; a sound token needs about half a second.
TIMING = {**PATIENT, "reading_s": 4.0}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("bad"), TIMING, open_door=True) as shop:
        yield shop
        assert "Traceback" not in shop.logs(), shop.logs()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> DemoFolder:
    """Sound settings of a demo where nothing runs."""
    place = prepare(tmp_path_factory.mktemp("alone"), board_path(), TIMING)
    place.write_settings(9)
    return place


@pytest.fixture
def hand(shop: Shop) -> Iterator[Hand]:
    """The hand before, a sound visit after."""
    hand = shop.hand()
    before = shop.starts()
    yield hand
    shop.client.resume()
    hand.mend()
    hand.walk_out()
    scenarios.card_pin(hand)
    assert hand.screen.present().name == "verified"
    hand.leave()
    assert shop.starts() == before, "a process had to be started again"


def kiosk(*words: str, seconds: float = 20.0) -> subprocess.CompletedProcess[str]:
    """Run a kiosk command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "kiosk", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        env={**os.environ, "SDL_VIDEODRIVER": "dummy"},
    )


def settings_with(place: DemoFolder, folder: Path, *changes: tuple[str, str]) -> Path:
    """The sound settings with some texts replaced, in the same folder so that paths still fit."""
    text = place.settings(Mode.HOME_CONSENT).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    changed = place.folder / f"{folder.name}.toml"
    changed.write_text(text)
    return changed


def refused(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What a command said that refused its work: lines on stderr, no traceback, exit code 1."""
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr.splitlines()


# ---- settings, trust folder, ports -----------------------------------------------------------------------


@pytest.mark.parametrize("process", PROCESSES)
def test_every_fault_of_the_settings_is_named_with_key_and_line(
    process: str, place: DemoFolder, tmp_path: Path
) -> None:
    bad = settings_with(
        place,
        tmp_path,
        ('mode = "home_consent"', 'mode = "home_content"'),
        ("patient_s = 5.0", 'patient_s = "soon"'),
        ('url = "https://127.0.0.1:9"', 'url = "http://127.0.0.1:9"'),
        ("retry_base_s", "retry_bass_s"),
        ('terminal = "DEMO-1"', ""),
    )
    text = "\n".join(refused(kiosk(process, "--config", str(bad))))
    numbered = {line.split("=")[0].strip(): n for n, line in enumerate(bad.read_text().splitlines(), 1)}
    for key in ("mode", "patient_s", "url", "retry_bass_s"):
        assert any(key in line and f"{numbered[key]}" in line for line in text.splitlines()), (key, text)
    assert "terminal" in text


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b"[run\nfolder = 1"])
def test_settings_that_cannot_be_read_are_named(process: str, content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "kiosk.toml"
    if content is not None:
        path.write_bytes(content)
    assert "kiosk.toml" in "\n".join(refused(kiosk(process, "--config", str(path))))


@pytest.mark.parametrize("content", [None, {}, {"root.pem": b"no certificate"}], ids=["none", "empty", "bad"])
def test_without_a_trust_folder_the_reader_says_what_is_missing(
    content: dict[str, bytes] | None, place: DemoFolder, tmp_path: Path
) -> None:
    trust = tmp_path / "trust"
    if content is not None:
        trust.mkdir()
        for name, data in content.items():
            (trust / name).write_bytes(data)
    config = settings_with(place, tmp_path, (json.dumps(str(place.trust)), json.dumps(str(trust))))
    (said,) = refused(kiosk("reader", "--config", str(config)))
    assert str(trust) in said
    done = kiosk("read", "--device", "virtual:/nowhere", "--trust", str(trust))
    assert done.returncode == 1
    assert str(trust) in json.loads(done.stdout)["error"]["say"]


@pytest.mark.parametrize("board", [None, "[leds]\npins = [1, 1]\n"], ids=["missing", "wrong"])
def test_a_pin_map_that_cannot_be_used_is_named_by_the_screen(
    board: str | None, place: DemoFolder, tmp_path: Path
) -> None:
    path = tmp_path / "board.toml"
    if board is not None:
        path.write_text(board)
    config = settings_with(place, tmp_path, (json.dumps(str(place.board)), json.dumps(str(path))))
    assert "board.toml" in "\n".join(refused(kiosk("screen", "--config", str(config))))


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        control = str(tmp_path / "c.sock")
        service = kiosk(
            "simulate", "service", "--folder", str(tmp_path), "--control", control, "--port", port
        )
        assert port in "\n".join(refused(service))
        field = kiosk("simulate", "field", "--socket", str(tmp_path / "f.sock"), "--vpcd", port)
        assert port in "\n".join(refused(field))


# ---- the reader ------------------------------------------------------------------------------------------


@contextmanager
def running(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A process of the kiosk, ended by SIGTERM."""
    with subprocess.Popen(
        [sys.executable, "-m", "kiosk", *words], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def test_without_its_reader_the_reader_process_stays_and_says_what_to_mend(
    place: DemoFolder, tmp_path: Path
) -> None:
    config = settings_with(
        place, tmp_path, ('device = "virtual:field.sock"', 'device = "virtual:absent.sock"')
    )
    with running("reader", "--config", str(config)) as process:
        end = time.monotonic() + 20
        state = ReaderState(condition=ReaderCondition.UNKNOWN)
        while "absent.sock" not in state.reason and time.monotonic() < end:
            state = reader_state(place.run / READER_SOCKET) or state
        assert state.condition is ReaderCondition.LOST
        assert "absent.sock" in state.reason
        assert process.poll() is None
    assert process.returncode == 0


def reader_state(path: Path) -> ReaderState | None:
    """The state with which the reader process greets."""
    peer = connect(path)
    if peer is None:
        time.sleep(0.02)
        return None
    try:
        while peer.open:
            packet = peer.receive()
            if packet is not None:
                message = decode(bytes(packet), READER_OUTBOX)
                return message if isinstance(message, ReaderState) else None
            time.sleep(0.002)
    finally:
        peer.close()
    return None


@pytest.mark.parametrize("device", ["virtual:/nowhere.sock", "usb:dead:beef"])
def test_kiosk_read_without_a_reader_says_so_in_its_json(device: str, place: DemoFolder) -> None:
    done = kiosk("read", "--device", device, "--trust", str(place.trust))
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert (report["token"], report["certificate"], report["signature"]) == ("unknown", None, "none")
    assert report["error"]["code"] == "reader"
    assert report["error"]["say"]
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_and_comes_back_takes_the_screen_with_it(shop: Shop, hand: Hand) -> None:
    shop.demo.household.stop("field")
    hand.screen.wait_for("out_of_service")
    shop.demo.household.again("field")
    hand.screen.wait_for("start")
    shop.field.close()
    shop.field = hand.field = shop.demo.field()


def test_a_reader_that_answers_nothing_any_more_is_found_out(hand: Hand) -> None:
    hand.field.fault(deaf=True)
    hand.screen.wait_for("out_of_service")
    hand.field.fault()
    hand.screen.wait_for("start")


# ---- the token -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("habit", HABITS)
def test_a_token_that_answers_nonsense_is_never_believed(shop: Shop, hand: Hand, habit: str) -> None:
    hand.begin()
    hand.choose("card")
    hand.pin()
    hand.screen.wait_for("hold")
    records = hand.records()
    card = NonsenseCard(shop.demo.vpcd_port, HABITS[habit]())
    try:
        shown = hand.screen.wait_for("again", "wrong_token", "other_device", "staff_called", "pin")
    finally:
        card.close()
    assert card.commands, "nothing was asked of it"
    assert card.pins == 0, f"a PIN was sent; the screen shows {shown.name}"
    assert hand.records() == records


@pytest.mark.parametrize(
    "damage", [{"every": 3, "garbled": True}, {"every": 2}, {"probability": 0.4, "seed": 5}]
)
def test_a_bad_radio_never_costs_more_than_another_try(hand: Hand, damage: dict[str, object]) -> None:
    hand.begin()
    hand.choose("card")
    hand.pin()
    hand.screen.wait_for("hold")
    hand.field.lose(**damage)
    hand.tap("card")
    hand.screen.wait_for("again", "staff_called", "wrong_token", *RESULTS)
    assert hand.field.verifies("card") <= 1


# ---- the service -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["qualification", "any"])
@pytest.mark.parametrize("kind", ["html", "truncated", "schema", "oversized", "empty"])
def test_a_service_that_answers_nonsense_is_never_believed(hand: Hand, kind: str, operation: str) -> None:
    hand.service.nonsense(kind, times=None, operation=operation)
    hand.begin()
    hand.read("iphone", state="normal")
    assert hand.ends() == "recorded"
    visit = hand.last_record().visit
    hand.service.clear()
    hand.wait_until("the record is answered", lambda: hand.last_record().state == "answered")
    assert hand.last_record().visit == visit
    assert hand.service.effects(visit) == 1


# ---- the disk --------------------------------------------------------------------------------------------


def limit_files(pid: int, size: int) -> None:
    """From now on this process cannot make files longer than `size`: as if the disk were full."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


def test_on_a_full_disk_staff_are_called_and_the_kiosk_closes_until_there_is_room(
    shop: Shop, hand: Hand
) -> None:
    hand.begin()
    hand.choose("iphone")
    hand.screen.wait_for("hold")
    limit_files(shop.demo.household.pid("uploader"), 512)
    hand.tap("iphone", state="normal")
    assert hand.ends() == "staff_called"
    hand.remove()
    hand.screen.touch("finish")
    hand.screen.wait_for("out_of_service")
    limit_files(shop.demo.household.pid("uploader"), resource.RLIM_INFINITY)
    hand.screen.wait_for("start")


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """Mount a file upon itself, read-only."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can make a file read-only for root")
    done = mount("--bind", str(path), str(path))
    if done.returncode != 0:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    try:
        mount("-o", "remount,ro,bind", str(path))
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True, capture_output=True)


def mount(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["mount", *words], check=False, capture_output=True, text=True)


def test_with_a_read_only_outbox_the_kiosk_stays_closed_and_opens_by_itself(shop: Shop) -> None:
    hand = shop.hand()
    with read_only(shop.demo.place.folder / "outbox.sqlite"):
        shop.demo.household.kill("uploader")
        hand.screen.wait_for("out_of_service")
        hand.wait_until("the log says why", lambda: "read-only" in shop.demo.household.log_of("uploader"))
        with suppress(AssertionError):
            hand.screen.wait_for("start", seconds=1.0)
            pytest.fail("it opened with a read-only outbox")
    hand.screen.wait_for("start")
    scenarios.card_pin(hand)
    assert hand.screen.present().name == "verified"
    hand.leave()
