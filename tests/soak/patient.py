"""Patient and screen in one: called by the reader's own loop, so that everything runs in one thread.

A visit: a token is chosen, the reader armed, the token held to it, and again after whatever went wrong, until
there is evidence, the wrong kind of card, or no more patience. What comes must be explained by what was done.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import assert_never
from uuid import UUID

from kiosk.channel import (
    READER_OUTBOX,
    ArmReader,
    BeginContact,
    ContactFailed,
    EndContact,
    Evidence,
    FromReader,
    Message,
    OtherDeviceSeen,
    Presented,
    ReaderHealth,
    ReaderState,
    Recognised,
    Removed,
    SignDigests,
    StageDone,
    WrongTokenSeen,
    decode,
    encode,
    pin_frame,
)
from kiosk.channel.seqpacket import Peer
from kiosk.nfc.protocol.certificate import Leaf, parse_certificate, signature_holds
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication
from kiosk.simulator.field.pocket import Pocket, TokenName, TokenOrder
from kiosk.simulator.radio.radio import Departure, Placement
from kiosk.visit.events import ReadFailure
from kiosk.visit.states import ReaderCondition
from tests.nfc.screen_side import DIGESTS
from tests.soak.stick import Place

TURN_S = 0.01  #: what a turn of the loop would take
MOST_TAPS = 12  #: for one visit; with the losses here nobody needs so many
MOST_TURNS = 3000  #: a visit that takes longer has got stuck
FRAMES = 28  #: block frames of an authentication, both directions, about


@dataclass(frozen=True)
class Odds:
    """How bad the world is."""

    lost_frames: float = 0.05
    early_removals: float = 0.05
    unplugs: float = 0.01
    wrong_pins: float = 0.1
    wrong_cards: float = 0.05


@dataclass
class Visit:
    """One passage, as it stands."""

    id: str
    token: TokenName
    order: tuple[Device, Authentication]
    entries: int = 0
    verifies_before: int = 0
    taps: int = 0
    turns: int = 0
    wrong_pin: bool = False
    disturbed: bool = False  #: removed or unplugged on purpose
    armed: bool = False
    lying: bool = False


class Patient:
    """`process.Life`: `alive` is called every turn and before every command of a contact."""

    def __init__(self, place: Place, pocket: Pocket, odds: Odds, random: Random, visits: int) -> None:
        self._place, self._pocket, self._odds, self._random = place, pocket, odds, random
        self._visits = visits
        self._peer: Peer | None = None
        self._visit: Visit | None = None
        self._condition: ReaderCondition | None = None
        self.begun = self.unplugs = self.removals = 0
        self.messages: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.on_end: Callable[[int], None] = lambda _: None
        self.finished: Callable[[], None] = lambda: None

    def sit_down(self, peer: Peer) -> None:
        """This is the screen's end of the channel."""
        self._peer = peer

    def ready(self, say: str = "") -> None:
        """Nothing to do."""

    def stopping(self) -> None:
        """Nothing to do."""

    def alive(self) -> None:
        """One turn: hear, act."""
        assert self._peer is not None
        self._place.clock.sleep(TURN_S)
        while (packet := self._peer.receive()) is not None:
            self._hear(decode(bytes(packet), READER_OUTBOX))
        if self._condition is None or self._condition is ReaderCondition.LOST:
            self._place.plugged = True
        elif self._visit is None:
            self._begin()
        else:
            self._go_on(self._visit)

    # -- doing ---------------------------------------------------------------------------------------------

    def _send(self, message: Message) -> None:
        assert self._peer is not None
        assert self._peer.send(encode(message))

    def _begin(self) -> None:
        if self.begun == self._visits:
            self.finished()
            return
        self.begun += 1
        device = self._random.choice([Device.CARD] * 3 + [Device.ANDROID, Device.IPHONE])
        how = Authentication.PHONE if device is Device.IPHONE else Authentication.PIN
        names: dict[Device, TokenName] = {
            Device.CARD: "card",
            Device.ANDROID: "android",
            Device.IPHONE: "iphone",
        }
        wrong = self._random.random() < self._odds.wrong_cards
        token: TokenName = self._random.choice(("payment", "transit")) if wrong else names[device]
        self._visit = Visit(str(UUID(int=self.begun)), token, (device, how), verifies_before=self._verifies())
        self._send(BeginContact(visit=self._visit.id))

    def _verifies(self) -> int:
        return sum(self._pocket.presented().values())

    def _go_on(self, visit: Visit) -> None:
        visit.turns += 1
        if visit.turns > MOST_TURNS or visit.taps > MOST_TAPS:
            self._wrong(f"stuck after {visit.taps} taps and {visit.turns} turns")
            self._end("stuck")
        elif not visit.armed:
            self._arm(visit)
        elif not visit.lying:
            self._tap(visit)

    def _arm(self, visit: Visit) -> None:
        device, how = visit.order
        if how is Authentication.PIN:
            visit.entries += 1
            visit.wrong_pin = visit.entries == 1 and self._random.random() < self._odds.wrong_pins
            assert self._peer is not None
            assert self._peer.send(pin_frame(visit.id, bytearray(b"9999" if visit.wrong_pin else b"1234")))
        self._send(ArmReader(visit=visit.id, device=device, authentication=how))
        visit.armed = True

    def _tap(self, visit: Visit) -> None:
        visit.taps += 1
        visit.lying = True
        draw = self._random.random()
        frame = self._random.randrange(1, FRAMES)
        placement = self._pocket.placement(TokenOrder(visit.token))
        if draw < self._odds.unplugs:
            self.unplugs += 1
            visit.disturbed = True
            placement = replace(placement, departure=Departure(None, frame), successor=self._pulled)
        elif draw < self._odds.unplugs + self._odds.early_removals:
            self.removals += 1
            visit.disturbed = True
            placement = replace(placement, departure=Departure(None, frame))
        self._place.radio.place(placement)

    def _pulled(self) -> Placement:
        """The stick goes at this frame; the token stays where it is."""
        self._place.unplug()
        assert self._visit is not None
        return self._pocket.placement(TokenOrder(self._visit.token))

    def _take_away(self) -> None:
        self._place.radio.clear()

    # -- hearing -------------------------------------------------------------------------------------------

    def _hear(self, message: FromReader) -> None:
        kind = type(message).__name__
        match message:
            case ReaderState(condition=condition):
                self._state(condition)
            case Presented():
                pass
            case Removed():
                if self._visit is not None:
                    self._visit.lying = False
            case Recognised(visit=visit):
                self._send(SignDigests(visit=visit, digests=DIGESTS))
            case StageDone():
                return
            case Evidence():
                self._evidence(message)
            case ContactFailed(failure=failure):
                kind += f" {failure.value}"
                self._failed(message)
            case WrongTokenSeen():
                self._wrong_card()
            case ReaderHealth():
                self._wrong("the reader told its health, which nobody had asked for")
            case OtherDeviceSeen():
                self._wrong("a token was taken for another device")
            case _:
                assert_never(message)
        self.messages[kind] += 1

    def _state(self, condition: ReaderCondition) -> None:
        self._condition = condition
        visit = self._visit
        if condition is ReaderCondition.LOST and visit is not None:
            visit.armed = visit.lying = False
            self._take_away()
            if not visit.disturbed:
                self._wrong("the reader was lost and nobody had pulled it")

    def _evidence(self, evidence: Evidence) -> None:
        visit = self._visit
        if visit is None or evidence.visit != visit.id:
            self._wrong("evidence for no visit")
            return
        leaf = parse_certificate(evidence.certificate)
        sound = (
            isinstance(leaf, Leaf)
            and evidence.signature is not None
            and signature_holds(leaf, DIGESTS[leaf.algorithm], evidence.signature)
        )
        if not sound or evidence.token is not visit.order[0] or visit.token != visit.order[0].value:
            self._wrong("evidence that does not hold")
        if visit.wrong_pin:
            self._wrong("evidence with the wrong PIN")
        self._end("authenticated" if visit.taps == 1 else "authenticated after further taps")

    def _wrong_card(self) -> None:
        visit = self._visit
        if visit is None or visit.token not in ("payment", "transit"):
            self._wrong("a My Number token was taken for another card")
        self._end("wrong card told")

    def _failed(self, failed: ContactFailed) -> None:
        visit = self._visit
        if visit is None:
            self._wrong(f"{failed.failure.value} for no visit")
            return
        if not failed.pin_kept and visit.order[1] is Authentication.PIN:
            visit.armed = False
        match failed.failure:
            case ReadFailure.REMOVED | ReadFailure.UNREADABLE:
                visit.lying = False  # by removal, or by frames lost four times running
                self._take_away()
            case ReadFailure.PIN_WRONG:
                if not visit.wrong_pin:
                    self._wrong("the right PIN was called wrong")
                visit.lying = False
                self._take_away()
            case _:
                self._wrong(f"{failed.failure.value} without a reason")
                visit.lying = False
                self._take_away()

    def _wrong(self, say: str) -> None:
        self.wrong.append(f"visit {self.begun}: {say}")

    def _end(self, outcome: str) -> None:
        visit = self._visit
        assert visit is not None
        if self._verifies() - visit.verifies_before > visit.entries:
            self._wrong("more VERIFY than entries of the PIN")
        self.outcomes[outcome] += 1
        self._take_away()
        self._send(EndContact(visit=visit.id))
        self._visit = None
        self.on_end(self.begun)
