"""The dialogue with a card: ours against stock nfcpy, on the same virtual chip, card and radio.

The field is a process of its own, as a stick and a card are; the reader's code runs in this one. Measured is
from the first APDU after activation to the checked evidence; air and card time are those of the field's
model, so what is left is the host: USB transfers (modelled too) and everybody's computing.
"""

import hashlib
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from kiosk.nfc.antenna import Antenna, Found
from kiosk.nfc.pn533 import open_reader
from kiosk.nfc.presentation import carry_out, read_clocks, read_to_end
from kiosk.nfc.protocol.budget import Budget
from kiosk.nfc.protocol.certificate import TrustStore
from kiosk.nfc.protocol.secret import Pin
from kiosk.nfc.protocol.token_contact import Authenticated, Contact, Order
from kiosk.nfc.trust_folder import load_trust_folder
from kiosk.nfc.wall_clock import WallClock
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, SignatureAlgorithm
from kiosk.simulator.demo.demo_folder import PIN, kiosk_argv
from kiosk.simulator.demo.household import Household
from kiosk.simulator.field.field_client import FieldAbsentError, FieldClient
from kiosk.simulator.radio.airtime import answer_delay_s, frame_s, fwt_s
from kiosk.simulator.tokens.hierarchy import Hierarchy, default_folder, ensure_hierarchy
from kiosk.simulator.tokens.jpki_token import TokenKind
from tests.benchmarks.row import Lab, Measured, Unmeasured, at_most, row, spread
from tests.nfc.stock_stick import activate, ask, plugged_in, read_file, select_application, select_file, sign

SIGN_MS, VERIFY_MS, USB_MS = 400, 60, 0.5  #: issue 4: the modelled card and bus
TURNS = 7
START_S = 30.0
TYPE_B_MODULATION = 0x04
CARD_FWI = 10  #: of a My Number Card (docs/facts/card.md, Radio)
DIGEST = hashlib.sha256(b"bench").digest()
DIGESTS = {SignatureAlgorithm.RSA_PKCS1_SHA256: DIGEST}


@dataclass(frozen=True)
class Dialogue:
    """What one authentication moves over the card's interface, by the reader's own count."""

    apdus: int = 0
    to_card: int = 0
    from_card: int = 0


@dataclass(frozen=True)
class Run:
    """One authentication: seconds, and the field's counters while it lasted."""

    total_s: float
    counters: dict[str, float]
    dialogue: Dialogue = Dialogue()

    @property
    def overhead_ms(self) -> float:
        return (self.total_s - self.counters["air_s"] - self.counters["card_s"]) * 1000

    def count(self, name: str) -> int:
        return int(self.counters[name])


@dataclass(frozen=True)
class Runs:
    """All of them; `ours` and `stock` were taken in turns."""

    ours: list[Run]
    stock: list[Run]
    select_ef: Run  #: ours, with a card that knows no short EF identifiers; it is asked once
    select_ef_known: Run  #: the same, where a card of this make has refused them lately


def _field(path: Path) -> FieldClient:
    end = time.monotonic() + START_S
    while True:
        try:
            return FieldClient(path)
        except FieldAbsentError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


def _timed(field: FieldClient, work: Callable[[], None]) -> Run:
    field.counters(clear=True)
    began = time.monotonic()
    work()
    return Run(time.monotonic() - began, field.counters())


def ours(path: Path, field: FieldClient, store: TrustStore, *, try_short_ef: bool = True) -> Run:
    """The kiosk's reader: finds and activates the card, then holds the timed dialogue."""
    with closing(Antenna(open_reader(f"virtual:{path}", TYPE_B_MODULATION))) as antenna:
        found = antenna.look()
        if not isinstance(found, Found):
            raise Unmeasured("the reader does not find the card")
        pin = Pin()
        pin.take(bytearray(PIN.encode()))
        clock = WallClock(trusted=lambda: True)
        link, budget = antenna.activate(found), Budget(read_clocks())
        contact = Contact(store, clock.believed(), pin, budget, read_clocks())
        steps = contact.authenticate(Order(Device.CARD, Authentication.PIN, try_short_ef))

        def authenticate() -> None:
            outcome = read_to_end(carry_out(steps, link, budget, read_clocks), DIGESTS)
            if not isinstance(outcome, Authenticated):
                raise Unmeasured(f"the card was not authenticated: {outcome}")

        run = _timed(field, authenticate)
        stages = contact.learnt.stages
        moved = Dialogue(
            sum(stage.apdus for stage in stages),
            sum(stage.bytes_to for stage in stages),
            sum(stage.bytes_from for stage in stages),
        )
        return replace(run, dialogue=moved)


def stock(path: Path, field: FieldClient) -> Run:
    """Stock nfcpy and the SELECT EF path: the same steps, with one extended READ, its quickest."""
    with plugged_in(path) as frontend:
        tag = activate(frontend)

        def authenticate() -> None:
            select_application(tag)
            select_file(tag, 0x0006)
            ask(tag, "00B0000020")
            select_file(tag, 0x0018)
            ask(tag, "00200080")
            read_file(tag, 0x000A)
            select_file(tag, 0x0018)
            if ask(tag, "0020008004" + PIN.encode().hex()) != b"\x90\x00":
                raise Unmeasured("stock nfcpy: the card did not take the PIN")
            sign(tag, DIGEST)

        return _timed(field, authenticate)


def hierarchy(_lab: Lab) -> Hierarchy:
    """The test keys, made on the first run of a machine."""
    return ensure_hierarchy(default_folder())


def runs(lab: Lab) -> Runs:
    """Ours and stock in turns, after one of each that does not count."""
    store = load_trust_folder(lab.once(hierarchy).trust)
    folder = lab.subfolder("field")
    path = folder / "field.sock"
    words = ("--usb-ms", str(USB_MS), "--card-sign-ms", str(SIGN_MS), "--card-verify-ms", str(VERIFY_MS))
    with closing(Household(folder)) as household:
        household.start("field", kiosk_argv("simulate", "field", "--socket", str(path), *words))
        with _field(path) as field:
            mine: list[Run] = []
            theirs: list[Run] = []
            for _ in range(TURNS + 1):
                field.tap("card", technology="B")
                mine.append(ours(path, field, store))
                field.tap("card", technology="B")
                theirs.append(stock(path, field))
            select_ef = []
            for known in (False, True):
                field.tap("card", technology="B", short_ef_identifiers=False)
                select_ef.append(ours(path, field, store, try_short_ef=not known))
            return Runs(mine[1:], theirs[1:], *select_ef)


# ---- the floor ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Floor:
    """What no reader can do without: frames in the air and the card's computing (docs/facts/reader.md)."""

    blocks: int
    air_s: float
    card_s: float

    @property
    def seconds(self) -> float:
        return self.air_s + self.card_s


def floor(certificate: int) -> Floor:
    """The shortest dialogue at 106 kbit/s Type B with frames of 256 bytes, for a certificate of this size.

    Written apart from the reader's own code, in bytes of a frame without CRC: PCB, then the APDU.
    """
    blocks, rest = divmod(certificate, 251)
    extensions = int(SIGN_MS / 1000 // fwt_s(CARD_FWI)) + int(VERIFY_MS / 1000 // fwt_s(CARD_FWI))
    frames = [
        (16, 3),  # SELECT the application
        (6, 35),  # READ BINARY of the name, short EF identifier, 32 bytes
        (5, 3),  # empty VERIFY: the counter
        *[(6, 254)] * blocks,  # READ BINARY of the certificate, 251 bytes a frame
        *([(6, rest + 3)] if rest else []),
        (10, 3),  # VERIFY
        (58, 254),  # PSO: DigestInfo and digest, 51 bytes; 253 bytes of signature and SW come
        (1, 6),  # R(ACK) and the other five
        *[(2, 2)] * extensions,  # S(WTX), once for each frame waiting time that the card needs
    ]
    air_s = sum(frame_s("B", sent + 2) + frame_s("B", got + 2) + answer_delay_s("B") for sent, got in frames)
    return Floor(len(frames), air_s, (SIGN_MS + VERIFY_MS) / 1000)


# ---- rows ------------------------------------------------------------------------------------------------


@row("auth_host_overhead_ms", "ms", goal=at_most(40))
def auth_host_overhead(lab: Lab) -> Measured:
    """Total less modelled air and card time."""
    done = lab.once(runs)
    overheads = [run.overhead_ms for run in done.ours]
    first = done.ours[0]
    return Measured(
        statistics.median(overheads),
        f"card-pin, first APDU to checked evidence less air ({first.counters['air_s'] * 1000:.1f}) and card "
        f"({first.counters['card_s'] * 1000:.0f}); {spread(overheads)}; {first.counters['usb_s'] * 1000:.1f} "
        f"of it is the modelled bus, {first.count('usb_transfers')} × {USB_MS} ms",
    )


@row("auth_overhead_vs_stock", "ratio", goal=at_most(0.4))
def auth_overhead_vs_stock(lab: Lab) -> Measured:
    """Ours over stock nfcpy's, medians of the same run."""
    done = lab.once(runs)
    theirs = [run.overhead_ms for run in done.stock]
    mine = [run.overhead_ms for run in done.ours]
    return Measured(
        statistics.median(mine) / statistics.median(theirs),
        f"in turns; stock nfcpy ms: {spread(theirs)}: SELECT EF for each file, one extended READ (its "
        "quickest), and unlike ours it checks neither certificate nor signature",
    )


@row("auth_vs_floor", "ratio")
def auth_vs_floor(lab: Lab) -> Measured:
    """The whole over what physics and the card take."""
    done = lab.once(runs)
    least = floor(len(lab.once(hierarchy).authentication(TokenKind.CARD).certificate))
    total_s = statistics.median(run.total_s for run in done.ours)
    first = done.ours[0]
    return Measured(
        total_s / least.seconds,
        f"{total_s * 1000:.1f} ms ÷ ({least.air_s * 1000:.1f} air + {least.card_s * 1000:.0f} card); floor: "
        f"{least.blocks} block exchanges at 106 kbit/s Type B, each (10n+23) etu both ways + 113 µs; "
        f"metered: {first.count('radio_blocks')} blocks, {first.counters['air_s'] * 1000:.1f} ms air",
    )


@row("auth_usb_transfers", "transfers", goal=at_most(48))
def auth_usb_transfers(lab: Lab) -> Measured:
    """Frames between host and chip, both ways."""
    done = lab.once(runs)
    return Measured(done.ours[0].count("usb_transfers"), "after activation, with short EF identifiers")


@row("auth_usb_transfers_select_ef", "transfers", goal=at_most(60))
def auth_usb_transfers_select_ef(lab: Lab) -> Measured:
    """With a card that takes SELECT EF only, and of whose make nothing is known."""
    done = lab.once(runs)
    return Measured(
        done.select_ef.count("usb_transfers"),
        "the same with a card that refuses short EF identifiers, its one refusal included; "
        f"{done.select_ef_known.count('usb_transfers')} where one of its make has refused them lately",
    )


@row("auth_radio_blocks_select_ef", "blocks", goal=at_most(18))
def auth_radio_blocks_select_ef(lab: Lab) -> Measured:
    """With a card that takes SELECT EF only, as the reader does all day after the first of its make."""
    done = lab.once(runs)
    return Measured(
        done.select_ef_known.count("radio_blocks"),
        "S(WTX) included; a card of this make has refused short EF identifiers within the last 16; the first "
        f"one, which is asked, costs {done.select_ef.count('radio_blocks')}",
    )


@row("auth_usb_transfers_stock_nfcpy", "transfers")
def auth_usb_transfers_stock_nfcpy(lab: Lab) -> Measured:
    """For comparison."""
    done = lab.once(runs).stock[0]
    return Measured(
        done.count("usb_transfers"), f"the SELECT EF path as above; {done.count('radio_blocks')} radio blocks"
    )


@row("auth_radio_blocks", "blocks", goal=at_most(14))
def auth_radio_blocks(lab: Lab) -> Measured:
    """ISO-DEP blocks sent to the card."""
    return Measured(lab.once(runs).ours[0].count("radio_blocks"), "sent after activation, S(WTX) included")
