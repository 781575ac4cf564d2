"""What LEDs and buzzer do, as data: every state, no flicker, true progress."""

from dataclasses import dataclass, field, replace

import pytest

from kiosk.indicators.patterns import (
    ALL,
    FIRST,
    HOLD,
    HOLD_AGAIN,
    IDLE,
    NONE,
    PATTERNS,
    THREE,
    TWO,
    VERIFIED,
    Levels,
    Output,
    Pattern,
    output_at,
    pattern_of,
)
from kiosk.indicators.player import Player
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import FallbackReason, Mode
from kiosk.visit.rules import Rules
from kiosk.visit.states import (
    Again,
    CallReason,
    Checking,
    EnterPin,
    Hold,
    HoldProblem,
    Idle,
    Kiosk,
    LineStatus,
    NotConfirmed,
    Reading,
    Recorded,
    Screen,
    StaffCalled,
    Stage,
    Verified,
    Visit,
)

STEP_S = 0.005
SEEN_S = 30.0
VISIT = Visit("x", Mode.HOME_CONSENT, device=Device.CARD)
KIOSK = Kiosk(Rules(Mode.HOME_CONSENT), "ja")


def showing(screen: Screen) -> Kiosk:
    return replace(KIOSK, screen=screen)


def moments(pattern: Pattern) -> list[Output]:
    return [output_at(pattern, i * STEP_S) for i in range(int(SEEN_S / STEP_S))]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_no_led_flashes_more_than_three_times_in_any_second(pattern: Pattern) -> None:
    seen = moments(pattern)
    window = int(1 / STEP_S)
    for led in range(4):
        rises = [
            i for i in range(len(seen)) if seen[i].levels[led] and (i == 0 or not seen[i - 1].levels[led])
        ]
        for rise in rises:
            assert sum(rise <= other < rise + window for other in rises) <= 3


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_no_tone_is_above_2500_hertz_and_none_lasts_longer_than_half_a_second(pattern: Pattern) -> None:
    assert all(tone.hz is None or 300 <= tone.hz <= 2500 for tone in pattern.tones)
    assert all(tone.hz is None or tone.seconds <= 0.5 for tone in pattern.tones)


def test_patterns_can_be_told_apart_without_colour_or_sound() -> None:
    rhythms = {pattern.name: tuple(moment.levels for moment in moments(pattern)) for pattern in PATTERNS}
    del rhythms["ask"]  # dark like "off"; it speaks by its tone and the screen
    del rhythms["test_buzzer"]  # staff were told to listen
    del rhythms["may_remove"]  # three lights like "answered"; the tone says that the token may go
    assert len(set(rhythms.values())) == len(rhythms)


@pytest.mark.parametrize(
    ("screen", "levels"),
    [
        (Idle(), FIRST),
        (EnterPin(VISIT), NONE),
        (Hold(VISIT), FIRST),
        (Reading(VISIT, Stage.PRESENTED), TWO),
        (Reading(VISIT, Stage.RECOGNISED), TWO),
        (Reading(VISIT, Stage.COUNTER), TWO),
        (Reading(VISIT, Stage.VERIFIED), THREE),
        (Reading(VISIT, Stage.CERTIFICATE), THREE),
        (Reading(VISIT, Stage.SIGNED), THREE),
        (Checking(VISIT), THREE),
        (Verified(VISIT), ALL),
    ],
)
def test_lights_tell_how_far_the_token_has_come(screen: Screen, levels: Levels) -> None:
    assert output_at(pattern_of(showing(screen)), 0.0).levels == levels


@pytest.mark.parametrize(
    "screen", [NotConfirmed(VISIT), Recorded(VISIT, "1"), StaffCalled(None, CallReason.HELP)]
)
def test_only_verified_shows_four_steady_lights(screen: Screen) -> None:
    for_a_while = [output_at(pattern_of(showing(screen)), i * 0.1).levels for i in range(30)]
    assert not all(levels == ALL for levels in for_a_while)
    assert all(output_at(VERIFIED, i * 0.1).levels == ALL for i in range(30))


def test_four_lights_stay_at_least_three_quarters_of_a_second_and_go_out_after_three() -> None:
    assert output_at(VERIFIED, 0.75).levels == ALL
    assert output_at(VERIFIED, 3.5).levels == NONE
    assert output_at(VERIFIED, 60).levels == NONE


def test_the_light_that_says_hold_here_returns_after_a_failed_contact() -> None:
    assert pattern_of(showing(Again(VISIT, HoldProblem.MOVED))) is HOLD_AGAIN
    assert output_at(HOLD_AGAIN, 30).levels == output_at(HOLD, 30).levels == FIRST


def test_fallback_shows_at_rest_as_another_rhythm_of_the_first_light_alone() -> None:
    for line in (LineStatus(fallback=FallbackReason.LINE), LineStatus(online=False)):
        pattern = pattern_of(replace(showing(Idle()), line=line))
        assert {moment.levels for moment in moments(pattern)} == {FIRST, NONE}
        assert pattern != IDLE
        assert pattern_of(replace(showing(Hold(VISIT)), line=line)) is HOLD, (
            "a patient's lights stay as they are"
        )


def test_a_repeated_pattern_goes_on_for_hours() -> None:
    assert output_at(IDLE, 5 * 4000 + 0.1).levels == FIRST
    assert output_at(IDLE, 5 * 4000 + 0.3).levels == NONE


@dataclass
class Recorder:
    seen: list[tuple[Levels, int | None]] = field(default_factory=list)
    closed: int = 0

    def apply(self, levels: Levels, hz: int | None) -> None:
        self.seen.append((levels, hz))

    def close(self) -> None:
        self.closed += 1


def test_the_player_starts_a_pattern_when_its_state_comes_and_not_again() -> None:
    now = [0.0]
    lamps = Recorder()
    player = Player(lamps, lambda: now[0])
    player.update(showing(Hold(VISIT)))
    now[0] = 0.05
    player.update(showing(Hold(replace(VISIT, challenge="abc"))))
    now[0] = 0.1
    player.update(showing(Hold(VISIT)))
    assert lamps.seen == [(FIRST, 1000), (FIRST, 1000), (FIRST, None)]
    player.update(showing(Reading(VISIT, Stage.PRESENTED)))
    assert player.output == Output(TWO, None)
    player.close()
    assert lamps.closed == 1
