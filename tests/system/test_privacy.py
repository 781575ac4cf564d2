"""After a part of the story: no person, PIN, passcode or certificate in any log, file, journal or dump.

What the simulator keeps for itself (its store, its field, its hierarchy) lies outside the kiosk and is not
searched.

Memory: shown is that after the visit no mapped, writable page of a process holds the PIN's frame of the
channel or the data of VERIFY with its length before it. Not shown: pages that were given back before, swap
(the image has none), the kernel's own buffers. Bare digits are counted and printed, not judged: four bytes
may stand anywhere by chance.
"""

import base64
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kiosk.qualification.terms import Mode
from kiosk.simulator.demo.demo_folder import STAFF_PASSCODE, kiosk_argv
from kiosk.simulator.demo.hand import Hand
from kiosk.simulator.service.invented_answers import PERSONS
from kiosk.simulator.tokens.hierarchy import default_folder, ensure_hierarchy
from kiosk.simulator.tokens.jpki_token import TokenKind
from tests.system.privacy import (
    Eavesdropper,
    Found,
    Secret,
    memory_of,
    of_certificate,
    of_digits,
    of_persons,
    search,
)
from tests.system.shop import PROCESSES, Shop, open_shop

pytestmark = pytest.mark.slow

PIN, WRONG_PIN = "8317", "6942"
#: The world outside the kiosk, and the terminal's own certificate and key, which belong on its disk.
NOT_OURS = ("service", "service.log", "field.log", "service-ca.pem", "terminal.pem", "terminal.key")


@dataclass
class Traces:
    """What the kiosk left behind, by place, and the memory of its processes right after a visit."""

    places: dict[str, bytes] = field(default_factory=dict)
    memory: dict[str, list[bytes]] = field(default_factory=dict)
    visits: list[str] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def secrets() -> list[Secret]:
    hierarchy = ensure_hierarchy(default_folder())
    identities = {kind.name.lower(): hierarchy.authentication(kind) for kind in TokenKind}
    certificates = {name: identity.certificate for name, identity in identities.items()}
    certificates["signature"] = hierarchy.signature.certificate
    listed = [*of_persons(), of_digits("PIN", PIN), of_digits("wrong PIN", WRONG_PIN)]
    listed.append(of_digits("passcode", STAFF_PASSCODE))
    for name, der in certificates.items():
        listed += of_certificate(name, der)
    return listed


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Traces:
    folder = tmp_path_factory.mktemp("privacy")
    left = Traces()
    journal = folder / "outbox.sqlite-journal"
    with Eavesdropper((journal,)) as ear:
        with open_shop(folder) as shop:
            hand = shop.hand()
            play(hand)
            left.memory = {name: memory(shop, name) for name in PROCESSES}
            left.places |= dumps(hand, folder)
            left.places |= processes_seen_from_outside(shop)
            crash_everything(shop)
            left.visits = [line.visit for line in hand.all_records()]
            left.receipts = [line.receipt for line in hand.all_records()]
        left.places |= files_of(folder)
    for number, content in enumerate(ear.heard.get(journal, ())):
        left.places[f"journal {number}"] = content
    return left


def card(hand: Hand, *, pin: str = PIN) -> None:
    """From the start to the card on the reader."""
    hand.begin()
    hand.choose("card")
    hand.pin(pin)
    hand.screen.wait_for("hold")
    hand.tap("card", pin=PIN)


def play(hand: Hand) -> None:
    """Recorded, delivered, verified by phone, wrong PIN, vouched for by staff, and last verified by card."""
    hand.service.close()
    card(hand)
    hand.ends("recorded")
    hand.leave()
    hand.service.open()
    hand.wait_until("the record is answered", lambda: hand.last_record().state == "answered")

    hand.begin()
    hand.read("iphone", state="normal")
    hand.ends("verified")
    hand.leave()

    card(hand, pin=WRONG_PIN)
    hand.screen.wait_for("pin_wrong")
    hand.remove()
    hand.screen.touch("retry", on="pin_wrong")
    hand.pin(PIN)
    hand.screen.wait_for("hold")
    hand.tap("card", pin=PIN)
    hand.ends("verified")
    hand.leave()

    hand.begin()
    hand.choose("card")
    hand.screen.touch("no_pin", on="pin")
    hand.visual_check()
    hand.tap("card")
    hand.ends("verified")
    hand.leave()

    card(hand)
    hand.ends("verified")
    hand.leave()


def dumps(hand: Hand, folder: Path) -> dict[str, bytes]:
    """Everything that the command line tells or writes."""
    config = str(hand.place.settings(Mode.HOME_CONSENT))
    hand.service.close()
    card(hand)
    hand.ends("recorded")
    hand.leave()
    commands = {
        "status": ("status", "--json"),
        "list": ("outbox", "list"),
        "show": ("outbox", "show", hand.last_record().receipt),
        "export": ("outbox", "export", "--out", str(folder / "export.json")),
    }
    told = {}
    for name, words in commands.items():
        done = subprocess.run(kiosk_argv(*words, "--config", config), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        told[f"kiosk {name}"] = done.stdout + done.stderr
    hand.service.open()
    hand.wait_until("the record is answered", lambda: hand.last_record().state == "answered")
    return told


def processes_seen_from_outside(shop: Shop) -> dict[str, bytes]:
    """What anybody on the machine sees of a process: its words and its environment."""
    seen = {}
    for name in PROCESSES:
        for what in ("cmdline", "environ"):
            seen[f"{name} {what}"] = Path(f"/proc/{shop.demo.household.pid(name)}/{what}").read_bytes()
    sockets = sorted(str(path) for path in shop.demo.place.run.rglob("*"))
    return seen | {"sockets": "\n".join(sockets).encode()}


def crash_everything(shop: Shop) -> None:
    """Each process dies of SIGABRT and SIGSEGV while it may hold a PIN; what it says then is in its log."""
    for name in PROCESSES:
        for number, at in ((signal.SIGABRT, "reading"), (signal.SIGSEGV, "hold")):
            hand = shop.hand()
            starts = shop.starts() | {name: shop.starts()[name] + 1}
            met = shop.client.sessions
            hand.begin()
            hand.choose("card")
            hand.pin(PIN)
            hand.screen.wait_for("hold")
            if at == "reading":
                hand.tap("card", pin=PIN)
                hand.screen.wait_for("reading", "checking", "verified")
            os.kill(shop.demo.household.pid(name), number)
            shop.wait_for_starts(starts)
            if name == "screen":
                shop.client.wait_for_another(met)


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file of the kiosk, names of sockets and files among them."""
    names, places = [], {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if relative.parts[0] in NOT_OURS:
            continue
        names.append(str(relative))
        if path.is_file():
            places[str(relative)] = path.read_bytes()
    return places | {"file names": "\n".join(names).encode()}


def memory(shop: Shop, name: str) -> list[bytes]:
    try:
        return [content for _, content in memory_of(shop.demo.household.pid(name))]
    except PermissionError:
        return []


def without_receipts(content: bytes, receipts: list[str]) -> bytes:
    """A receipt number that happens to be one of the PINs is no leak."""
    for receipt in receipts:
        if receipt in (PIN, WRONG_PIN):
            content = content.replace(receipt.encode(), b"receipt")
    return content


def test_nothing_of_a_person_a_pin_or_a_certificate_is_left_anywhere(
    traces: Traces, secrets: list[Secret]
) -> None:
    found: list[Found] = []
    for place, content in traces.places.items():
        found += search(place, without_receipts(content, traces.receipts), secrets)
    sizes = sum(len(content) for content in traces.places.values())
    print(f"{len(traces.places)} places, {sizes:,} bytes, {len(secrets)} secrets")
    assert found == []


def test_the_search_saw_what_it_should_have_seen(traces: Traces) -> None:
    places = traces.places
    assert {"reader.log", "uploader.log", "screen.log", "outbox.sqlite", "export.json"} <= places.keys()
    assert b"/run/uploader.sock" in places["sockets"]
    journals = [content for name, content in places.items() if name.startswith("journal")]
    assert journals, "the journal was never caught"
    assert any(content.startswith(bytes.fromhex("d9d505f920a163d7")) for content in journals)
    assert b"online" in places["uploader.log"]
    assert len(traces.visits) >= 6
    for visit in traces.visits:
        assert visit.encode() in places["outbox.sqlite"]
    assert json.loads(places["kiosk status"])["schema"] == 1
    assert not [name for name in places if Path(name).name.startswith("core")]


def planted_shapes() -> Iterator[tuple[str, bytes]]:
    """One of each kind, as a careless line of code would write it."""
    person = PERSONS[0]
    yield "name", f"answer for {person.name}".encode()
    yield "kana", json.dumps({"NameKana": person.kana}).encode()
    yield "Shift_JIS", person.name.encode("shift_jis")
    yield "number", f"InsuredIdentificationNumber={person.number}".encode()
    yield "birth date", f'"Birthdate":"{person.birthdate}"'.encode()
    yield "a page", bytes(4000) + person.insurer_name.encode("utf-16-le")
    yield "base64", base64.b64encode(b"{" + person.name.encode() + b"}")
    yield "PIN", f"typed {PIN}".encode()
    yield "PIN in hex", b"00200080043833313700"
    yield "repr", f"bytearray({PIN.encode()!r})".encode()
    yield "passcode", f"passcode={STAFF_PASSCODE}".encode()
    for kind in TokenKind:
        certificate = ensure_hierarchy(default_folder()).authentication(kind).certificate
        yield f"{kind.name} DER", b"x" + certificate
        yield f"{kind.name} PEM", base64.encodebytes(certificate)
        yield f"{kind.name} half in hex", certificate[300:].hex().encode()


@pytest.mark.parametrize("planted", [pytest.param(data, id=name) for name, data in planted_shapes()])
def test_the_search_finds_what_is_planted(secrets: list[Secret], planted: bytes) -> None:
    """The control: a search that finds nothing might be blind."""
    assert search("planted", b"an innocent line\n" + planted + b"\nand another", secrets)


def test_an_innocent_text_is_not_suspected(secrets: list[Secret]) -> None:
    innocent = b"took 48317 ms, port 127.0.0.1:8317, id 01a2-8317-7b, 2026-11-22T08:31:06.942Z, aa8317bb"
    assert search("innocent", innocent, secrets) == []


def frames(visits: list[str], pin: str) -> list[bytes]:
    """The PIN as it travels: in the channel's frame, and in VERIFY (its length before it)."""
    channel = [bytes.fromhex(visit.replace("-", "")) + pin.encode() for visit in visits]
    return [*channel, b"\x04" + pin.encode()]


@pytest.mark.parametrize("name", ["reader", "screen", "uploader"])
def test_no_process_keeps_the_pin_in_its_memory_after_the_visit(traces: Traces, name: str) -> None:
    pages = traces.memory[name]
    if not pages:
        pytest.skip("the memory of another process may not be read here")
    remnants = sum(
        page.count(shape) for page in pages for shape in (PIN.encode(), PIN.encode().hex().encode())
    )
    print(f"{name}: {sum(map(len, pages)):,} bytes in {len(pages)} mappings; bare digits: {remnants}")
    assert sum(map(len, pages)) > 5_000_000, "hardly anything was read"
    searched = [shape for pin in (PIN, WRONG_PIN) for shape in frames(traces.visits, pin)]
    left = [
        (number, which) for number, page in enumerate(pages) for which, s in enumerate(searched) if s in page
    ]
    assert left == []


def test_the_memory_search_can_find(traces: Traces) -> None:
    """The control: a PIN frame that this very process holds."""
    visit = "01a20000-0000-7000-8000-000000000001"
    held = bytearray(frames([visit], PIN)[0])
    try:
        pages = [content for _, content in memory_of(os.getpid())]
    except PermissionError:
        pytest.skip("not even the own memory may be read here")
    assert any(held in page for page in pages)
