"""A visit with a device that the program does not know: run by test_devices.py in a copy of it that does.

The fourth device is a watch: a phone to the hand, a PIN typed on the kiosk, a name of its own in EF 0006.
"""

from kiosk import channel
from kiosk.config.choices import LANGUAGES, Theme
from kiosk.nfc.protocol.token_contact import Authenticated, Order
from kiosk.nfc.session import Session
from kiosk.qualification import transcript
from kiosk.qualification.consent import NO_CONSENT
from kiosk.qualification.devices import Device, DeviceKind
from kiosk.qualification.terms import Authentication, Mode, Outcome
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.theme import tokens_of
from kiosk.screens.pages.layout import lay_out
from kiosk.screens.words.catalogue import Catalogues
from kiosk.simulator.tokens.jpki_token import TokenKind
from kiosk.visit import effects as do
from kiosk.visit import events as ev
from kiosk.visit.machine import reduce
from kiosk.visit.rules import Rules
from kiosk.visit.staff_states import StaffReading
from kiosk.visit.states import (
    Again,
    Checking,
    ChooseDevice,
    EnterPin,
    Hold,
    HoldProblem,
    Idle,
    Kiosk,
    OtherDevice,
    OutboxCondition,
    ReaderCondition,
    Reading,
    Screen,
    Stage,
    Verified,
    WrongToken,
    WrongTokenKind,
)
from tests.nfc.protocol.contact_play import MemoryLink, Play, new_world
from tests.screens.proof.gallery import CLINIC, DISPLAYS
from tests.screens.proof.scan import scan

WATCH = Device("watch")
NAME, LIKE = b"JPKIAPWATCHTOKN", b"JPKIAPGPSETOKEN"  #: in EF 0006
VISIT = "01936f00-0000-7000-8000-000000000001"
READY = Kiosk(Rules(Mode.HOME_CONSENT), "ja", Idle(), ReaderCondition.READY, OutboxCondition.READY)


class Words(Catalogues):
    """The watch borrows its words: which they are is a matter of the catalogues."""

    def text(self, language: str, key: str, **values: object) -> str:
        return super().text(language, key.replace("watch", "android"), **values)


def machine() -> list[Kiosk]:
    """From the first touch to "verified"; returns every state on the way."""
    digits: list[ev.Event] = [ev.DigitTyped()] * 4
    first: list[ev.Event] = [ev.Began(VISIT), ev.Pressed(ev.Action.CONSENT_ALL), ev.DeviceChosen(WATCH)]
    rest: list[ev.Event] = [
        ev.Pressed(ev.Action.OK),
        ev.TokenPresented(VISIT),
        ev.TokenRecognised(VISIT),
        ev.StageReached(VISIT, Stage.SIGNED),
        ev.TokenAuthenticated(VISIT),
        ev.RecordCommitted(VISIT, "0007"),
        ev.AnswerArrived(VISIT, Outcome.VERIFIED),
    ]
    kiosk, way = READY, [READY]
    asked: list[do.Effect] = []
    for event in (*first, *digits, *rest):
        kiosk, effects = reduce(kiosk, event)
        way.append(kiosk)
        asked += effects
    kinds = [type(kiosk.screen) for kiosk in way]
    for expected in (ChooseDevice, EnterPin, Hold, Reading, Checking):
        assert expected in kinds, expected
    assert isinstance(way[-1].screen, Verified)
    [armed] = [effect for effect in asked if isinstance(effect, do.Arm)]
    assert (armed.visit.device, armed.visit.authentication) == (WATCH, Authentication.PIN)
    assert any(isinstance(effect, do.SendPin) for effect in asked)
    return way


def pages(way: list[Kiosk]) -> None:
    """Each state, and what may go wrong with the watch, on every display and in every language."""
    fonts, words = FontBook(), Words(LANGUAGES)
    held = next(kiosk.screen.visit for kiosk in way if isinstance(kiosk.screen, Hold))
    beside: list[Screen] = [
        *(Again(held, problem) for problem in HoldProblem),
        WrongToken(held, WrongTokenKind.PAYMENT),
        OtherDevice(held, Device.CARD),
        OtherDevice(held, WATCH),
        StaffReading("1001", WATCH, 1240),
    ]
    for display in DISPLAYS.values():
        look = Look(display, tokens_of(Theme.STANDARD), CLINIC, words, fonts)
        for screen in (*(kiosk.screen for kiosk in way), *beside):
            for language in LANGUAGES:
                shown = Kiosk(READY.rules, language, screen, ReaderCondition.READY, OutboxCondition.READY)
                picture = lay_out(shown, look)
                touches = [target.touch for target in picture.targets]
                if isinstance(screen, ChooseDevice):
                    assert [ev.DeviceChosen(device) for device in Device] == [
                        touch for touch in touches if isinstance(touch, ev.DeviceChosen)
                    ]
                # Not `strict`: with four on a page Vietnamese is written one size smaller.
                faults = scan(picture, look, strict=False)
                assert faults == [], (display, language, screen.name, faults)


def reader() -> None:
    """The reader is armed for it, and holds the dialogue with a token of its name."""
    session = Session()
    session.take(bytearray(channel.encode(channel.BeginContact(visit=VISIT))))
    order = channel.ArmReader(visit=VISIT, device=WATCH, authentication=Authentication.PIN)
    session.take(bytearray(channel.encode(order)))
    assert session.order == order
    for wrong in (Authentication.PHONE, Authentication.VISUAL):
        packet = channel.encode(channel.ArmReader(visit=VISIT, device=WATCH, authentication=wrong))
        try:
            session.take(bytearray(packet))
        except channel.ChannelError:
            continue
        raise AssertionError(f"the reader was armed for {wrong}")
    world = new_world()
    token = world.token(TokenKind.ANDROID)
    link = MemoryLink(lambda apdu: token.process(apdu).response.replace(LIKE, NAME))
    outcome = Play(world, link).run(Order(WATCH, Authentication.PIN))
    assert isinstance(outcome, Authenticated), outcome
    assert outcome.token.device is WATCH
    assert link.verifies == 1
    told = channel.Recognised(visit=VISIT, token=WATCH)
    assert channel.decode(channel.encode(told), channel.READER_OUTBOX) == told


def signed() -> None:
    """Its name stands in the transcript, and is read back."""
    made = transcript.Transcript(
        service="service",
        terminal="K001",
        institution="1312345678",
        visit=VISIT,
        mode=Mode.HOME_CONSENT,
        device=WATCH,
        authentication=Authentication.PIN,
        consent=NO_CONSENT,
        taken_at="2026-11-25T09:00:00.000Z",
        clock_trusted=True,
        challenge=None,
        staff=None,
    )
    assert transcript.decode(made.encode()) == made


def main() -> None:
    assert WATCH.kind is DeviceKind.PHONE
    way = machine()
    print("machine")
    pages(way)
    print("pages")
    reader()
    print("reader")
    signed()
    print("transcript")


if __name__ == "__main__":
    main()
