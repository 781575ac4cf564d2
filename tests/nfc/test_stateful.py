"""The reader process and everything that can happen to it, in any order: a Hypothesis state machine.

One loop and one thread as in service, over the virtual field; what happens, happens at a chosen frame or
APDU of the contact. After every step the promises are looked at; after every run an honest visit must work.
"""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from kiosk.channel import (
    BeginContact,
    ContactFailed,
    EndContact,
    Evidence,
    FromReader,
    OtherDeviceSeen,
    Presented,
    ReaderState,
    Removed,
    WrongTokenSeen,
)
from kiosk.nfc.protocol.certificate import Leaf, parse_certificate, signature_holds
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication
from kiosk.simulator.field.field import FieldSettings, VirtualField
from kiosk.simulator.field.field_client import FieldClient
from kiosk.simulator.field.pocket import TokenOrder
from kiosk.simulator.radio.airtime import INSTANT
from kiosk.simulator.radio.radio import Departure, Placement
from kiosk.simulator.tokens.hierarchy import Hierarchy
from kiosk.simulator.tokens.jpki_token import ComputingTime
from kiosk.visit.events import ReadFailure
from kiosk.visit.states import ReaderCondition
from tests.nfc.screen_side import DIGESTS, VISIT, running_reader

RIGHT, WRONG = b"1234", b"9999"
MOST_FRAMES = 36  #: an authentication takes about 28 block frames, both directions
MOST_LOOKS = 4  #: so many searches in vain and it has seen that nothing lies there any more
ENDS = (Evidence, ContactFailed, WrongTokenSeen, OtherDeviceSeen)
TOKENS = st.sampled_from(["card", "card", "card", "android", "iphone", "payment", "transit"])
FRAMES = st.integers(1, MOST_FRAMES)
DIGITS = st.sampled_from([RIGHT, RIGHT, WRONG, None])
ORDERS = st.sampled_from(
    [
        (Device.CARD, Authentication.PIN),
        (Device.CARD, Authentication.PIN),
        (Device.ANDROID, Authentication.PIN),
        (Device.IPHONE, Authentication.PHONE),
        (Device.CARD, Authentication.VISUAL),
    ]
)


@dataclass
class Entry:
    """One entry of the PIN, and how many VERIFY the tokens had got before it."""

    digits: bytes
    before: int


class ReaderMachine(RuleBasedStateMachine):
    """What the patient, the air, the stick and the screen can do to the reader."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(TemporaryDirectory()))
        place = FieldSettings(folder / "field", model=INSTANT, time=ComputingTime(0, 0))
        self.field = self.stack.enter_context(VirtualField(place, hierarchy))
        self.hand = self.stack.enter_context(FieldClient(place.path))
        self.rig = self.stack.enter_context(running_reader(folder, self.field))
        self.screen = self.rig.screen()
        self.entry: Entry | None = None
        self.order: tuple[Device, Authentication] | None = None
        self.in_visit = False
        self.seen = 0  # how much of `heard` has been judged
        self.ready()

    # -- helpers -------------------------------------------------------------------------------------------

    def ready(self) -> None:
        if self.condition() is not ReaderCondition.READY:
            self.screen.wait(ReaderState, lambda state: state.condition is ReaderCondition.READY)

    def condition(self) -> ReaderCondition | None:
        states = [message for message in self.screen.heard if isinstance(message, ReaderState)]
        return states[-1].condition if states else None

    def verifies(self) -> int:
        return sum(self.hand.verifies(name) for name in ("card", "android", "iphone"))

    def wait(self, *kinds: type[FromReader]) -> FromReader:
        """Hear until one of these comes; what came is judged at the next step."""
        return self.screen.wait(object, lambda message: isinstance(message, kinds))  # type: ignore[return-value]  # one of ours

    def nothing_lies_there(self) -> None:
        """Take everything away, and wait until the reader has looked in vain."""
        self.hand.remove()
        self.hand.lose()
        self.hand.wait("polls", int(self.hand.counters()["empty_polls"]) + MOST_LOOKS)
        while self.lying_is_told():
            self.wait(Removed)

    def lying_is_told(self) -> bool:
        told = [m for m in self.screen.heard if isinstance(m, Presented | Removed)]
        return bool(told) and isinstance(told[-1], Presented)

    # -- the screen ----------------------------------------------------------------------------------------

    @initialize()
    def a_visit_begins(self) -> None:
        self.begin()

    @rule()
    def begin(self) -> None:
        self.screen.send(BeginContact(visit=VISIT))
        self.in_visit, self.order, self.entry = True, None, None

    @rule()
    def end(self) -> None:
        self.screen.send(EndContact(visit=VISIT))
        self.in_visit, self.order, self.entry = False, None, None

    def arm(self, order: tuple[Device, Authentication], digits: bytes | None) -> None:
        if not self.in_visit:
            self.begin()
        if digits is not None:
            self.entry = Entry(digits, self.verifies())
        self.order = order
        self.screen.arm(*order, digits)

    @rule()
    def the_screen_starts_anew(self) -> None:
        self.judge()
        self.screen.peer.close()
        self.screen = self.rig.screen()
        self.in_visit, self.order, self.entry, self.seen = False, None, None, 0
        self.screen.wait(ReaderState)

    @rule(packet=st.sampled_from([b"{}", b"\x01short", b"\xff\xfe", b"[" * 500, b"x" * 70_000]))
    def the_screen_talks_nonsense(self, packet: bytes) -> None:
        assert self.screen.peer.send(packet)

    # -- the patient and the air ---------------------------------------------------------------------------

    @rule(order=ORDERS, digits=DIGITS, gone_after=FRAMES, short=st.booleans())
    def contact_and_removal(
        self, order: tuple[Device, Authentication], digits: bytes | None, gone_after: int, short: bool
    ) -> None:
        """And at once again, as people do: before VERIFY the PIN is still there, after it is not."""
        self.contact(order, digits, remove_after_frame=gone_after, short_ef_identifiers=short)
        self.present(order[0].value)

    @rule(order=ORDERS, digits=DIGITS, lost=st.frozensets(FRAMES, max_size=4), garbled=st.booleans())
    def contact_with_spoilt_frames(
        self,
        order: tuple[Device, Authentication],
        digits: bytes | None,
        lost: frozenset[int],
        garbled: bool,
    ) -> None:
        self.contact(order, digits, lost=lost, garbled=garbled)

    @rule(order=ORDERS, digits=DIGITS, gone_after=FRAMES, then=TOKENS)
    def contact_and_swap(
        self, order: tuple[Device, Authentication], digits: bytes | None, gone_after: int, then: str
    ) -> None:
        self.contact(order, digits, remove_after_frame=gone_after, then=then)

    @rule(
        order=ORDERS,
        digits=DIGITS,
        first=st.integers(0, 2),
        in_chain=st.integers(0, 2),
        technology=st.sampled_from("AB"),
        lost=st.frozensets(FRAMES, max_size=2),
    )
    def contact_with_waiting(
        self,
        order: tuple[Device, Authentication],
        digits: bytes | None,
        first: int,
        in_chain: int,
        technology: str,
        lost: frozenset[int],
    ) -> None:
        self.contact(order, digits, lost=lost, wtx_first=first, wtx_in_chain=in_chain, technology=technology)

    @rule(order=ORDERS, digits=DIGITS, token=TOKENS)
    def contact_of_whatever(
        self, order: tuple[Device, Authentication], digits: bytes | None, token: str
    ) -> None:
        self.contact(order, digits, token=token)

    @rule(token=TOKENS, gone_after=FRAMES)
    def present_again(self, token: str, gone_after: int) -> None:
        """Without arming anew: after a removal the PIN may still be held."""
        self.present(token, remove_after_frame=gone_after)

    def contact(
        self,
        order: tuple[Device, Authentication],
        digits: bytes | None,
        *,
        token: str | None = None,
        lost: frozenset[int] = frozenset(),
        garbled: bool = False,
        **trouble: Any,
    ) -> None:
        self.nothing_lies_there()
        self.arm(order, digits)
        self.present(token or order[0].value, lost=lost, garbled=garbled, **trouble)

    def present(
        self, token: str, *, lost: frozenset[int] = frozenset(), garbled: bool = False, **trouble: Any
    ) -> None:
        self.nothing_lies_there()
        self.hand.lose(frames=sorted(lost), garbled=garbled)
        self.hand.tap(token, **trouble)
        self.something_is_told()

    def something_is_told(self) -> None:
        """Whatever became of it, something typed comes: an end if the reader was armed."""
        ended = self.wait(Presented) if self.order is None else self.wait(*ENDS)
        if isinstance(ended, Evidence) or (isinstance(ended, ContactFailed) and not ended.pin_kept):
            self.order = None

    @rule(token=TOKENS)
    def another_comes_beside(self, token: str) -> None:
        self.hand.tap(token, beside=True)

    @rule(token=TOKENS)
    def another_takes_its_place(self, token: str) -> None:
        self.hand.tap(token)

    @rule()
    def take_away(self) -> None:
        self.hand.remove()

    # -- the stick -----------------------------------------------------------------------------------------

    @rule(order=ORDERS, digits=DIGITS, frame=FRAMES)
    def contact_and_unplug(
        self, order: tuple[Device, Authentication], digits: bytes | None, frame: int
    ) -> None:
        """At a certain frame of the contact the stick is pulled."""
        self.nothing_lies_there()
        self.arm(order, digits)
        token = order[0].value

        def pulled() -> Placement:
            self.field.unplug()
            return self.lying(token)

        with self.field.radio.lock:
            leaving = replace(self.lying(token), departure=Departure(None, frame), successor=pulled)
            self.field.radio.place(leaving)
        self.wait(*ENDS, ReaderState)
        self.field.unplug()
        self.order = self.entry = None
        if self.condition() is not ReaderCondition.LOST:
            self.screen.wait(ReaderState, lambda state: state.condition is ReaderCondition.LOST)
        self.replug()

    def lying(self, token: str) -> Placement:
        return self.field.pocket.placement(TokenOrder.from_json({"token": token}))

    def replug(self) -> None:
        self.field.plug()
        self.ready()

    @rule()
    def unplug_and_plug(self) -> None:
        self.field.unplug()
        self.screen.wait(ReaderState, lambda state: state.condition is ReaderCondition.LOST)
        self.order = self.entry = None
        self.replug()

    @rule(stale=st.integers(1, 3))
    def the_stick_keeps_late_answers(self, stale: int) -> None:
        self.field.faults.stale_responses = stale

    # -- promises ------------------------------------------------------------------------------------------

    @invariant()
    def the_process_lives(self) -> None:
        assert self.rig.thread.is_alive()

    @invariant()
    def verify_is_sent_once_for_one_entry(self) -> None:
        if self.entry is not None:
            assert self.verifies() - self.entry.before <= 1

    @invariant()
    def the_last_try_is_never_spent(self) -> None:
        for name in ("card", "android"):
            left = self.hand.tries_left(name)
            assert left is None or left >= 1

    @invariant()
    def judge(self) -> None:
        """Everything heard so far: evidence holds, and what failed says so in the house's words."""
        heard = self.screen.heard[self.seen :]
        self.seen += len(heard)
        for message in heard:
            match message:
                case Evidence():
                    self.evidence_holds(message)
                case ContactFailed(failure=failure, pin_kept=kept):
                    assert not (kept and failure in (ReadFailure.PIN_WRONG, ReadFailure.PIN_BLOCKED))
                case _:
                    pass

    def evidence_holds(self, evidence: Evidence) -> None:
        assert evidence.visit == VISIT
        leaf = parse_certificate(evidence.certificate)
        assert isinstance(leaf, Leaf)
        if evidence.signature is not None:
            assert signature_holds(leaf, DIGESTS[leaf.algorithm], evidence.signature)

    @rule()
    def what_was_spent_or_forgotten_is_not_there(self) -> None:
        """A new visit knows nothing of an earlier one's PIN: armed without one, nothing is verified."""
        self.nothing_lies_there()
        before = self.verifies()
        self.screen.send(BeginContact(visit=VISIT))
        self.screen.arm(Device.CARD, Authentication.PIN)
        self.hand.tap("card")
        failed = self.wait(*ENDS)
        assert isinstance(failed, ContactFailed)
        assert (failed.failure, failed.pin_kept) == (ReadFailure.REMOVED, False)
        assert self.verifies() == before
        self.in_visit, self.order, self.entry = True, None, None

    def teardown(self) -> None:
        try:
            self.an_honest_visit_still_works()
        finally:
            self.stack.close()

    def an_honest_visit_still_works(self) -> None:
        self.nothing_lies_there()
        self.hand.reset()
        self.ready()
        self.screen.send(BeginContact(visit=VISIT))
        self.screen.arm_card()
        self.hand.tap("card", state="normal")
        self.evidence_holds(self.screen.wait(Evidence))
        assert self.hand.verifies("card") == 1


def test_whatever_happens_the_reader_keeps_its_promises(hierarchy: Hierarchy) -> None:
    run_state_machine_as_test(
        lambda: ReaderMachine(hierarchy),  # type: ignore[arg-type]  # it calls it, as it says
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
