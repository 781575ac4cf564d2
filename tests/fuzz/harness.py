"""One execution of the fuzzer: its bytes are what a token answers; then the house's promises are checked.

`token` is the main one: real antenna, activation, block protocol, dialogue, trust; only the chip is ours.
A broken promise is an AssertionError; any other exception is a finding as well.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from kiosk.channel import ChannelError
from kiosk.nfc.antenna import Antenna, Found, Several, TokenLink
from kiosk.nfc.presentation import TokenConnection, TokenReader, read_to_end
from kiosk.nfc.protocol import budget, isodep, tlv, tokens
from kiosk.nfc.protocol.apdu import CommandApdu, GarbledAnswer, ResponseApdu
from kiosk.nfc.protocol.budget import ClockValues
from kiosk.nfc.protocol.certificate import Leaf, parse_certificate, signature_holds
from kiosk.nfc.protocol.faults import TokenGarbled
from kiosk.nfc.protocol.secret import Pin
from kiosk.nfc.protocol.token_contact import Authenticated, Failed, Order, Other, Wrong
from kiosk.nfc.session import Session
from kiosk.nfc.wall_clock import WallClock
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication
from kiosk.simulator.tokens.jpki_token import TokenKind
from tests.fuzz.hostile import HostileChip, Tail
from tests.fuzz.script import Bytes, lies
from tests.fuzz.world import DIGESTS, NOW, Choice, World

KINDS: tuple[TokenKind | None, ...] = (TokenKind.CARD, TokenKind.ANDROID, TokenKind.IPHONE, None)
ORDERS = (
    Order(Device.CARD, Authentication.PIN),
    Order(Device.ANDROID, Authentication.PIN),
    Order(Device.IPHONE, Authentication.PHONE),
    Order(Device.CARD, Authentication.VISUAL),
)
TAILS: tuple[Tail, ...] = ("honest", "silent", "again", "damaged")
PIN = b"1234"
MOST_SOUND = 64
SEARCH_S = 1.0  #: searching and activating, which has its own short time-outs
MOST_SELECTS = 4  #: to find out which of two tokens is meant, and a wrong one's other face
LOOKS = 5  #: so many looks find what lies there, the chip's own search included
Outcome = Authenticated | Failed | Wrong | Other | None


@dataclass(frozen=True)
class Scene:
    """What the first two bytes decide."""

    choice: Choice
    order: Order
    type_a: bool
    look_into: bool
    tail: Tail
    clock_trusted: bool
    beside: bool  #: a card of the other radio type lies there too

    @classmethod
    def read(cls, source: Bytes) -> "Scene":
        first, second = source.byte(), source.byte()
        choice = Choice(
            kind=KINDS[first & 3],
            ec=bool(first & 0x40),
            short_ef=not first & 0x20,
            tries=3 - (second >> 2 & 3),
            authenticated=not second & 0x10,
            right_pin=not second & 0x20,
        )
        return cls(
            choice,
            ORDERS[first >> 3 & 3],
            type_a=bool(first & 4),
            look_into=bool(first & 0x80),
            tail=TAILS[second & 3],
            clock_trusted=not second & 0x40,
            beside=bool(second & 0x80),
        )


def opening(kind: TokenKind | None, order: int, tail: Tail = "honest", *, type_a: bool = False) -> bytes:
    """The two bytes for the usual scenes; for seeds and tests."""
    return bytes([KINDS.index(kind) | type_a << 2 | order << 3, TAILS.index(tail)])


@dataclass
class Watch:
    """What the dialogue asked, over all links of one presentation."""

    verifies: int = 0
    commands: int = 0
    moved: int = 0
    told: tuple[int, bytes] | None = None  #: P2 and answer of an empty VERIFY, if it was the last command

    def before(self, command: CommandApdu) -> None:
        """Hold a VERIFY to its rule, just before it is sent."""
        self.commands += 1
        self.moved += len(command.encode())
        if command.ins == 0x20 and command.data:
            self.verifies += 1
            assert self.told is not None, "VERIFY without its counter just before"
            p2, sw = self.told
            assert command.p2 == p2, "VERIFY in another form than its counter"
            assert sw[0] == 0x63, "VERIFY after no counter"
            assert 0xC2 <= sw[1] <= 0xCF, "VERIFY with fewer than two tries"
        self.told = None

    def after(self, command: CommandApdu, answer: bytes | bytearray) -> None:
        self.moved += len(answer)
        if command.ins == 0x20 and not command.data and len(answer) >= 2:
            self.told = (command.p2, bytes(answer[-2:]))


class WatchedLink(TokenLink):
    """A link that tells a `Watch`."""

    def __init__(
        self, inner: TokenConnection, watch: Watch, there: Callable[[], bool] = lambda: True
    ) -> None:
        self._inner, self._watch, self._there = inner, watch, there

    def exchange(self, command: CommandApdu, left: Callable[[], float]) -> bytes:
        self._watch.before(command)
        answer = bytes(self._inner.exchange(command, left))
        self._watch.after(command, answer)
        return answer

    def answers(self) -> bool:
        return self._there()


class WatchedAntenna(Antenna):
    """An antenna whose links are watched."""

    def __init__(self, chip: HostileChip, watch: Watch) -> None:
        super().__init__(chip, sleep=lambda _: None)
        self._watch = watch

    def activate_also(self, found: Found) -> TokenLink:
        link = super().activate_also(found)
        return WatchedLink(link, self._watch, link.answers)


class Harness:
    """The targets, over one world of keys."""

    def __init__(self) -> None:
        self.world = World()
        self._issued = {self.world.identity(ec=ec).certificate for ec in (False, True)}
        self._sound: set[tuple[bytes, bytes | None, bool]] = set()  # evidence that has been found to hold
        self.targets: dict[str, Callable[[bytes], object]] = {
            "token": self.token,
            "parsers": self.parsers,
            "channel": self.channel,
        }

    # -- a token -------------------------------------------------------------------------------------------

    def token(self, data: bytes) -> Outcome:
        """A whole presentation, from the first look to the check that the token has gone."""
        source = Bytes(data)
        scene = Scene.read(source)
        chip = HostileChip(
            self.world.card(scene.choice),
            "A" if scene.type_a else "B",
            lies(source),
            scene.tail,
            scene.beside,
        )
        watch = Watch()
        antenna = WatchedAntenna(chip, watch)
        began = time.thread_time()
        outcome = self._present(chip, antenna, watch, scene)
        cost = time.thread_time() - began
        assert cost < budget.MOST_CPU_S, f"{cost:.2f} s of computing"
        return outcome

    def _present(self, chip: HostileChip, antenna: Antenna, watch: Watch, scene: Scene) -> Outcome:
        found = next((seen for _ in range(LOOKS) if (seen := antenna.look()) is not None), None)
        if found is None:
            return None
        if isinstance(found, Found):
            antenna.there(found)
        else:
            antenna.several()
        outcome = self._read(chip, antenna, watch, found, scene)
        if isinstance(found, Found):
            antenna.there(found)
        antenna.rest()
        return outcome

    def _read(
        self, chip: HostileChip, antenna: Antenna, watch: Watch, found: Found | Several, scene: Scene
    ) -> Outcome:
        pin, digits = Pin(), bytearray(PIN)
        order = None if scene.look_into else scene.order
        if order is not None:
            pin.take(digits)
        clock = WallClock(now=lambda: NOW, trusted=lambda: scene.clock_trusted)
        began, first = chip.now, len(chip.sent)
        reader = TokenReader(
            self.world.store, clock, pin, clocks=lambda: ClockValues(chip.now, time.thread_time())
        )
        outcome = read_to_end(reader.read(antenna, found, order), DIGESTS).outcome
        assert chip.now - began <= budget.MOST_SECONDS + SEARCH_S, f"{chip.now - began:.1f} s"
        assert watch.commands <= budget.MOST_APDUS + MOST_SELECTS, f"{watch.commands} commands"
        assert watch.moved <= budget.MOST_BYTES, f"{watch.moved} bytes"
        assert watch.verifies <= 1, "VERIFY twice for one entry of the PIN"
        assert pin.held == (order is not None and watch.verifies == 0), "the PIN is held wrongly"
        if watch.verifies:
            assert not any(digits), "the PIN was not wiped"
            assert not any(PIN in frame for frame in chip.sent[first:]), "a frame with the PIN"
            assert order is not None, "VERIFY that nobody ordered"
            assert order.authentication is Authentication.PIN, "VERIFY that nobody ordered"
        self._believed(outcome, scene)
        return outcome

    def _believed(self, outcome: Outcome, scene: Scene) -> None:
        """What counts as an authentication must really be one."""
        if not isinstance(outcome, Authenticated):
            return
        evidence = (outcome.der, outcome.signature, scene.clock_trusted)
        if evidence in self._sound:
            return
        leaf = parse_certificate(outcome.der)
        assert isinstance(leaf, Leaf), "evidence without a certificate"
        at = NOW if scene.clock_trusted else None
        assert self.world.store.check(leaf, at) is None, "evidence with a certificate of doubt"
        if scene.order.authentication is Authentication.VISUAL and not scene.look_into:
            assert outcome.signature is None, "a signature that nobody asked for"
            return
        assert outcome.signature is not None, "evidence without a signature"
        assert signature_holds(leaf, DIGESTS[leaf.algorithm], outcome.signature), "a false signature"
        if len(self._sound) < MOST_SOUND:
            self._sound.add(evidence)

    # -- the parsers by themselves -------------------------------------------------------------------------

    def parsers(self, data: bytes) -> None:
        """What a token can make us parse, without the way there: whole certificates, TLV, ATS, ATQB."""
        attempts: tuple[tuple[Callable[[], object], type[Exception]], ...] = (
            (lambda: list(tlv.objects(data)), tlv.TlvError),
            (lambda: ResponseApdu.decode(data), GarbledAnswer),
            (lambda: isodep.read_ats(data), TokenGarbled),
            (lambda: isodep.read_atqb(data), TokenGarbled),
        )
        for parse, refusal in attempts:
            with contextlib.suppress(refusal):
                parse()
        tokens.find(data)
        leaf = parse_certificate(data)
        if isinstance(leaf, Leaf):
            assert self.world.store.check(leaf, NOW) is not None or data in self._issued, (
                "a forged certificate"
            )
            assert "\n" not in leaf.serial + leaf.not_after + leaf.key_name
            assert not signature_holds(leaf, DIGESTS[leaf.algorithm], data[-256:]), "a forged signature"

    # -- a caller on the channel ---------------------------------------------------------------------------

    def channel(self, data: bytes) -> None:
        """Packets for the reader's session: a length of two bytes before each."""
        source, session = Bytes(data), Session()
        while source.more:
            packet = bytearray(source.take(int.from_bytes(source.take(2), "big")))
            secret, refused = packet[:1] == b"\x01", ""
            try:
                session.take(packet)
            except ChannelError as refusal:
                refused = str(refusal)
            assert "\n" not in refused, "a refusal of more than one line"
            assert not secret or not any(packet), "a PIN frame was not wiped"
            assert session.order is None or session.visit is not None, "armed without a visit"
        session.end()
        assert not session.pin.held, "the visit's end kept the PIN"
