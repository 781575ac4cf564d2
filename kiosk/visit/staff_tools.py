"""The day in counts, and what staff do seldom: reading test, test of the box, volume and languages, help."""

from dataclasses import replace

from kiosk.qualification.devices import Device
from kiosk.visit.effects import TryReader
from kiosk.visit.events import (
    Action,
    CallHoursKnown,
    DayCounted,
    Event,
    LanguageSwitched,
    Pressed,
    ReaderChanged,
    ReadingAdvanced,
    SpotTouched,
    VolumeChosen,
)
from kiosk.visit.rules import LOUDEST
from kiosk.visit.staff_requests import RestartKiosk, SetPreferences, StartUpdate, StopUpdate
from kiosk.visit.staff_states import (
    StaffChanged,
    StaffDay,
    StaffHelp,
    StaffReading,
    StaffSettings,
    StaffTest,
    StaffUpdate,
)
from kiosk.visit.states import Kiosk, ReaderCondition
from kiosk.visit.step import Step, stay
from kiosk.visit.views.staff_views import SeenToken, TestStep
from kiosk.visit.views.update_view import UpdatePhase

SPOTS = 9  #: places of the touch test: corners, edges, middle
#: After these the reader goes on looking; what is held next is read by itself.
UNDER_WAY: frozenset[SeenToken | Device] = frozenset({SeenToken.WAITING, SeenToken.LIES})


def day(screen: StaffDay, event: Event) -> Step:
    """The counts come after the page."""
    match event:
        case DayCounted(view):
            return replace(screen, day=view), ()
        case _:
            return stay(screen)


def reading(kiosk: Kiosk, screen: StaffReading, event: Event) -> Step:
    """Say what lies on the reader; begin anew when asked to, and when the reader has come back."""
    match event:
        case Pressed(Action.RUN) if screen.seen not in UNDER_WAY:
            return StaffReading(screen.staff), (TryReader(screen.staff),)
        case ReaderChanged(ReaderCondition.READY):
            return StaffReading(screen.staff), (TryReader(screen.staff),)
        case ReadingAdvanced(seen, ms) if kiosk.reader is ReaderCondition.READY:
            return StaffReading(screen.staff, seen, ms), ()
        case _:
            return stay(screen)


def test(screen: StaffTest, event: Event) -> Step:
    """One place after the other is touched; whatever works or not, staff can go on to the next step."""
    match event:
        case SpotTouched(spot) if screen.step is TestStep.TOUCH and spot == screen.touched < SPOTS:
            return replace(screen, touched=screen.touched + 1), ()
        case Pressed(Action.MORE):
            steps = list(TestStep)
            following = steps[(steps.index(screen.step) + 1) % len(steps)]
            return StaffTest(screen.staff, following), ()
        case _:
            return stay(screen)


def settings(kiosk: Kiosk, screen: StaffSettings, event: Event) -> Step:
    """Ask for what was chosen to be kept; it holds when it is. Changes left on the card are seen again."""
    languages = kiosk.rules.languages
    match event:
        case VolumeChosen(volume) if volume in range(LOUDEST + 1) and volume != kiosk.volume:
            return screen, (SetPreferences(staff=screen.staff, volume=volume, languages=languages),)
        case LanguageSwitched(language) if may_switch(kiosk, language):
            wanted = {*languages} ^ {language}
            request = SetPreferences(
                staff=screen.staff, volume=kiosk.volume, languages=_ordered(kiosk, wanted)
            )
            return screen, (request,)
        case Pressed(Action.OPEN_CHANGED) if kiosk.changed.file is not None:
            return StaffChanged(screen.staff), ()
        case _:
            return stay(screen)


def may_switch(kiosk: Kiosk, language: str) -> bool:
    """Whether staff may offer or withdraw it; the first language stays, for patients begin in it."""
    return language in kiosk.rules.known_languages and language != kiosk.rules.languages[0]


def _ordered(kiosk: Kiosk, languages: set[str]) -> tuple[str, ...]:
    first = kiosk.rules.languages[0]
    return (first, *(each for each in kiosk.rules.known_languages if each in languages and each != first))


def prefer(kiosk: Kiosk, volume: int | None, languages: tuple[str, ...] | None) -> Kiosk:
    """The kiosk with what is kept of the staff's choices; what does not fit it is passed over."""
    if volume is not None and volume in range(LOUDEST + 1):
        kiosk = replace(kiosk, volume=volume)
    if languages is not None:
        rules = replace(kiosk.rules, languages=_ordered(kiosk, {*languages}))
        language = kiosk.language if kiosk.language in rules.languages else rules.languages[0]
        kiosk = replace(kiosk, rules=rules, language=language)
    return kiosk


def update(kiosk: Kiosk, screen: StaffUpdate, event: Event) -> Step:
    """Install the offer that is shown, give up, start again."""
    status = kiosk.update
    offers = (
        status.offers
        if status is not None and status.phase in (UpdatePhase.IDLE, UpdatePhase.LOOKING)
        else ()
    )
    match event:
        case Pressed(Action.MORE) if offers:
            return replace(screen, position=(screen.position + 1) % len(offers)), ()
        case Pressed(Action.RUN) if screen.position < len(offers):
            offer = offers[screen.position]
            if offer.opens is not None:
                return stay(screen)
            start = StartUpdate(staff=screen.staff, version=offer.version, source=offer.source)
            return screen, (start,)
        case Pressed(Action.STOP) if status is not None and status.phase is UpdatePhase.FETCHING:
            return screen, (StopUpdate(staff=screen.staff),)
        case Pressed(Action.RESTART) if status is not None and status.phase is UpdatePhase.INSTALLED:
            return screen, (RestartKiosk(staff=screen.staff),)
        case _ if screen.position >= max(1, len(offers)):  # there are fewer
            return replace(screen, position=0), ()
        case _:
            return stay(screen)


def help_page(screen: StaffHelp, event: Event) -> Step:
    """The hours come after the page."""
    match event:
        case CallHoursKnown(hours):
            return replace(screen, hours=hours), ()
        case _:
            return stay(screen)
