"""What must hold in every reachable state, in both modes (docs/architecture.md)."""

from collections.abc import Callable
from dataclasses import replace

from kiosk.qualification.consent import NOT_ASKED, ConsentForm
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, Mode, Outcome
from kiosk.visit import effects as do
from kiosk.visit import events as ev
from kiosk.visit.machine import reduce
from kiosk.visit.staff_states import StaffPage
from kiosk.visit.states import (
    Checking,
    EnterPin,
    Idle,
    Interrupted,
    Kiosk,
    LineStatus,
    NotConfirmed,
    OutOfService,
    ReaderCondition,
    Reading,
    Recorded,
    Screen,
    StaffCalled,
    Starting,
    StillThere,
    TooEarly,
    Verified,
    visit_of,
)
from kiosk.visit.timing import dwell
from kiosk.visit.views.staff_views import CheckView, Part, PartFault
from tests.flows.conftest import Walks
from tests.flows.diagram import ARCHITECTURE, generated_part, section
from tests.flows.search import STALE, Transition


def check(transitions: list[Transition], holds: Callable[[Transition], bool]) -> None:
    for t in transitions:
        assert holds(t), f"{t.before.screen}\n--{t.event}-->\n{t.after.screen}"


def test_every_declared_event_and_action_is_taken_somewhere(walks: Walks) -> None:
    taken: set[object] = set()
    for walk in walks.values():
        for transition in walk:
            effects = [e for e in transition.effects if not isinstance(e, do.StartTimer | do.StopTimer)]
            if transition.after != transition.before or effects:
                event = transition.event
                taken.add(event.action if isinstance(event, ev.Pressed) else type(event))
    noted = {ev.LineChanged, ev.CheckCompleted}  # in every state; see below
    declared = set(ev.Action) | set(ev.Event.__args__) - {ev.Pressed} - noted
    assert declared - taken == set()


def test_the_line_is_noted_in_every_state(kiosks: set[Kiosk]) -> None:
    down = LineStatus(online=False, waiting=2)
    for kiosk in kiosks:
        assert reduce(kiosk, ev.LineChanged(down))[0] == replace(kiosk, line=down)


def test_the_daily_check_is_noted_in_every_state(kiosks: set[Kiosk]) -> None:
    found = CheckView(None, (PartFault(Part.DISK, "low", 12),))
    for kiosk in kiosks:
        after, _ = reduce(kiosk, ev.CheckCompleted(found))
        assert after.check == found
        assert visit_of(after.screen) == visit_of(kiosk.screen)


def test_every_declared_state_is_reached(walks: Walks) -> None:
    reached: set[type] = {Starting}  # only before the processes have been heard of
    for walk in walks.values():
        reached |= {type(transition.after.screen) for transition in walk}
    assert set(Screen.__args__) - reached == set()


def test_verified_is_reached_only_by_an_answer_that_says_so(transitions: list[Transition]) -> None:
    def holds(t: Transition) -> bool:
        if not isinstance(t.after.screen, Verified | NotConfirmed) or t.after.screen == t.before.screen:
            return True
        said = Outcome.VERIFIED if isinstance(t.after.screen, Verified) else Outcome.NOT_CONFIRMED
        by_answer = isinstance(t.event, ev.AnswerArrived) and t.event.outcome is said
        return isinstance(t.before.screen, Checking) and by_answer

    check(transitions, holds)


def test_recorded_is_reached_only_after_the_commit(transitions: list[Transition]) -> None:
    check(
        transitions,
        lambda t: (
            not isinstance(t.after.screen, Recorded)
            or isinstance(t.before.screen, Recorded)
            or (isinstance(t.before.screen, Checking) and t.before.screen.receipt is not None)
        ),
    )


def test_a_stale_event_changes_nothing(transitions: list[Transition]) -> None:
    check(
        transitions,
        lambda t: getattr(t.event, "visit", None) != STALE or (t.after == t.before and t.effects == ()),
    )


def test_the_challenge_never_changes_after_the_token_was_recognised(transitions: list[Transition]) -> None:
    def holds(t: Transition) -> bool:
        before, after = visit_of(t.before.screen), visit_of(t.after.screen)
        if before is None or after is None or not before.challenge_frozen:
            return True
        return after.challenge == before.challenge and after.challenge_frozen

    check(transitions, holds)


def test_a_visit_ends_exactly_once(transitions: list[Transition]) -> None:
    def holds(t: Transition) -> bool:
        ends = sum(isinstance(effect, do.EndVisit) for effect in t.effects)
        result = (Verified, NotConfirmed, Recorded, StaffCalled)
        open_before = visit_of(t.before.screen) is not None and not isinstance(t.before.screen, result)
        open_after = visit_of(t.after.screen) is not None and not isinstance(t.after.screen, result)
        return ends == (1 if open_before and not open_after else 0)

    check(transitions, holds)


def test_no_visit_is_begun_while_another_is_open(transitions: list[Transition]) -> None:
    check(
        transitions,
        lambda t: (
            not any(isinstance(e, do.BeginVisit) for e in t.effects) or visit_of(t.before.screen) is None
        ),
    )


def test_the_pin_is_sent_only_when_four_digits_were_typed(transitions: list[Transition]) -> None:
    check(
        transitions,
        lambda t: (
            not any(isinstance(e, do.SendPin) for e in t.effects)
            or (isinstance(t.before.screen, EnterPin) and t.before.screen.digits == 4)
        ),
    )


def test_leaving_a_secret_pad_forgets_its_digits(transitions: list[Transition]) -> None:
    check(
        transitions,
        lambda t: (
            not isinstance(t.before.screen, EnterPin)
            or isinstance(t.after.screen, EnterPin)
            or any(isinstance(e, do.ForgetDigits) for e in t.effects)
        ),
    )


def test_the_limited_mode_never_holds_a_consent(transitions: list[Transition]) -> None:
    def holds(t: Transition) -> bool:
        visit = visit_of(t.after.screen)
        return visit is None or visit.mode is Mode.HOME_CONSENT or visit.consent == NOT_ASKED

    check(transitions, holds)


def test_a_transcript_is_never_frozen_without_a_consent_answer_in_home_consent(
    transitions: list[Transition],
) -> None:
    def holds(t: Transition) -> bool:
        frozen = [e.visit for e in t.effects if isinstance(e, do.FreezeTranscript)]
        return all(
            v.mode is Mode.QUALIFICATION_ONLY or v.consent.form is not ConsentForm.NOT_ASKED for v in frozen
        )

    check(transitions, holds)


def test_the_visual_check_needs_staff_and_the_card(transitions: list[Transition]) -> None:
    def holds(t: Transition) -> bool:
        armed = [e.visit for e in t.effects if isinstance(e, do.Arm)]
        visual = [v for v in armed if v.authentication is Authentication.VISUAL]
        return all(v.device is Device.CARD and v.staff is not None for v in visual)

    check(transitions, holds)


def test_staff_number_never_stays_when_the_patient_goes_on_alone(transitions: list[Transition]) -> None:
    def holds(t: Transition) -> bool:
        armed = [e.visit for e in t.effects if isinstance(e, do.Arm)]
        return all(v.staff is None for v in armed if v.authentication is not Authentication.VISUAL)

    check(transitions, holds)


def test_every_state_drains_to_rest_by_time_alone(kiosks: set[Kiosk]) -> None:
    for kiosk in kiosks:
        waited = kiosk
        for _ in range(12):
            if at_rest(waited.screen):
                break
            assert dwell(waited) is not None
            waited, _ = reduce(waited, ev.TimeUp())
        assert at_rest(waited.screen), kiosk.screen


def at_rest(screen: Screen) -> bool:
    """Between two visits, waiting for whatever comes; also for a forgotten token to be taken away."""
    return isinstance(screen, Idle | Starting | OutOfService) or screen == TooEarly(Idle())


def test_a_token_in_the_way_is_asked_about_and_a_forgotten_one_must_be_taken_away(
    transitions: list[Transition],
) -> None:
    def holds(t: Transition) -> bool:
        screen = t.before.screen
        if not isinstance(screen, TooEarly):
            return True
        if isinstance(screen.back, Idle):
            return t.after.screen == screen or not isinstance(t.event, ev.TimeUp | ev.Began)
        return t.after.screen == StillThere(screen.back) or not isinstance(t.event, ev.TimeUp)

    check(transitions, holds)


def test_help_is_always_at_hand_until_the_token_is_read(kiosks: set[Kiosk]) -> None:
    exempt = Reading | Checking | StaffCalled
    for kiosk in kiosks:
        if not isinstance(kiosk.screen, exempt | StaffPage):
            helped, _ = reduce(kiosk, ev.Pressed(ev.Action.HELP))
            assert isinstance(helped.screen, StaffCalled), kiosk.screen


def test_the_language_goes_back_with_whoever_chose_it(kiosks: set[Kiosk]) -> None:
    for kiosk in kiosks:
        rules = replace(kiosk.rules, languages=("ja", "en"))
        waited = replace(kiosk, rules=rules, language="en")
        for _ in range(12):
            waited, _ = reduce(waited, ev.TimeUp())
        assert waited.language == "ja" or isinstance(waited.screen, TooEarly | OutOfService), kiosk.screen


def test_an_interrupted_visit_goes_on_when_the_reader_is_back(kiosks: set[Kiosk]) -> None:
    for kiosk in kiosks:
        if isinstance(kiosk.screen, Interrupted):
            back, _ = reduce(kiosk, ev.ReaderChanged(ReaderCondition.READY))
            before, after = visit_of(kiosk.screen), visit_of(back.screen)
            assert before is not None
            assert after is not None
            assert replace(after, pin_sent=False) == replace(before, pin_sent=False)


def test_the_documented_state_diagram_is_the_machine_s(walks: Walks) -> None:
    documented = generated_part(ARCHITECTURE.read_text(encoding="utf-8"))
    assert documented == section(walks), "write it anew: python -m tests.flows.diagram"
