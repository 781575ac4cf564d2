"""How levels of GPIO lines become lights and tones, and when these are a page's own."""

from collections.abc import Iterator

import pytest

from kiosk.indicators.patterns import (
    ALL,
    CALL,
    FIRST,
    HOLD,
    IDLE,
    IDLE_FALLBACK,
    MAY_REMOVE,
    NONE,
    OUT_OF_SERVICE,
    PATTERNS,
    VERIFIED,
    Pattern,
    Tone,
    output_at,
)
from kiosk.indicators.pin_map import PinMap
from tests.image.lines import Change, Lit, Sounded, lit, sounded
from tests.image.signals import plays, sounds

PINS = PinMap((17, 27, 22, 23), leds_active_high=True, buzzer=12)


def levels(pattern: Pattern, t: float) -> int:
    return sum(1 << pin for pin, on in zip(PINS.leds, output_at(pattern, t).levels, strict=True) if on)


def played(pattern: Pattern, seconds: float, every_s: float = 0.01, late_s: float = 0.0) -> Iterator[Change]:
    """What the lines of a kiosk would do that looks at its clock this often."""
    seen = -1
    for number in range(int(seconds / every_s)):
        now = levels(pattern, number * every_s)
        if now != seen:
            yield Change(number * every_s + late_s, now)
        seen = now


def shown(pattern: Pattern, begin: float, end: float) -> tuple[Lit, ...]:
    return lit(tuple(played(pattern, end)), PINS, begin, end)


def wave(hz: float, begin: float, seconds: float) -> list[Change]:
    count = round(hz * seconds)
    return [
        Change(begin + (number + half / 2) / hz, 0 if half else 1 << 12)
        for number in range(count)
        for half in (0, 1)
    ]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda each: each.name)
def test_every_pattern_is_known_again_from_any_moment(pattern: Pattern) -> None:
    for begin in (0.0, 0.7, 2.3, 4.9):
        assert plays(pattern, shown(pattern, begin, begin + 12.0))


def test_patterns_that_look_different_are_told_apart() -> None:
    for one in PATTERNS:
        for other in PATTERNS:
            steady = len(one.lights) == 1 and other.lights_again is None
            same_end = steady and one.lights[0].levels == other.lights[-1].levels
            if one.lights != other.lights and not same_end:
                assert not plays(other, shown(one, 0.0, 12.0)), f"{one.name} taken for {other.name}"


def test_a_pattern_at_the_wrong_pace_is_not_the_pattern() -> None:
    slow = [Lit(each.at, each.levels, each.seconds * 2) for each in shown(OUT_OF_SERVICE, 0.5, 6.0)]
    assert not plays(OUT_OF_SERVICE, slow)
    assert not plays(IDLE_FALLBACK, shown(IDLE, 0.0, 12.0))
    assert not plays(HOLD, ())


def test_a_light_that_stays_out_is_noticed() -> None:
    dark = tuple(Change(each.at, each.levels & ~(1 << 22)) for each in played(VERIFIED, 6.0))
    assert plays(VERIFIED, shown(VERIFIED, 0.0, 6.0))
    assert not plays(VERIFIED, lit(dark, PINS, 0.0, 6.0))


def test_lights_that_hang_on_the_supply_are_lit_by_a_low_line() -> None:
    low = PinMap(PINS.leds, leds_active_high=False, buzzer=12)
    everything = sum(1 << pin for pin in PINS.leds)
    [only] = lit((Change(0.0, everything & ~(1 << 17)),), low, 0.0, 1.0)
    assert (only.levels, only.seconds) == (FIRST, 1.0)


def test_changes_of_other_lines_are_no_change_of_the_lights() -> None:
    changes = (Change(0.0, 0), Change(0.4, 1 << 12), Change(0.6, 1 << 5), Change(1.0, levels(VERIFIED, 0)))
    assert [(each.levels, each.seconds) for each in lit(changes, PINS, 0.5, 2.0)] == [(NONE, 0.5), (ALL, 1.0)]


def test_tones_are_measured_even_where_some_edges_were_missed() -> None:
    changes = [*wave(1000, 1.0, 0.3), *wave(1500, 2.0, 0.5)]
    del changes[100:110], changes[700:720]
    one, other = sounded(changes, 12, 0.0, 5.0)
    assert one.hz == pytest.approx(1000, rel=0.02)
    assert other.hz == pytest.approx(1500, rel=0.02)
    assert (one.seconds, other.seconds) == pytest.approx((0.3, 0.5), abs=0.01)
    assert sounded(changes, 12, 1.5, 5.0) == (other,)
    assert sounded(changes, 17, 0.0, 5.0) == ()


def test_tones_must_be_the_pages_own() -> None:
    [tone] = MAY_REMOVE.tones
    right = Sounded(0.0, 0.15, 200, 1500)
    assert sounds([tone], [right])
    assert sounds([], [])
    assert not sounds([tone], [])
    assert not sounds([], [right])
    assert not sounds([tone], [Sounded(0.0, 0.15, 150, 1000)])
    assert not sounds([tone], [Sounded(0.0, 0.9, 1300, 1500)])
    assert sounds([Tone(1500, 0.1), Tone(None, 10.0)], [right])
    assert len([each for each in CALL.tones if each.hz]) == 2


def test_two_tones_without_a_pause_are_heard_as_one_or_as_two() -> None:
    tones = [*HOLD.tones, *MAY_REMOVE.tones, *VERIFIED.tones]
    first, rest = Sounded(0.0, 0.1, 100, 1000), Sounded(1.0, 0.6, 900, 1500)
    assert sounds(tones, [first, rest])
    assert sounds(tones, [first, Sounded(1.0, 0.12, 180, 1500), Sounded(1.2, 0.5, 750, 1500)])
    assert not sounds(tones, [first])
    assert not sounds(tones, [rest, first])


def test_the_pitch_counts_where_the_page_rests_and_nowhere_else() -> None:
    two = [Tone(750, 0.2), Tone(None, 0.2), Tone(750, 0.2)]
    hurried, steady = Sounded(0.0, 0.2, 170, 1130.0), Sounded(0.4, 0.2, 150, 744.0)
    assert sounds(two, [hurried, steady], rests=1)
    assert sounds(two, [hurried, hurried], rests=2)
    assert not sounds(two, [hurried, steady])
    assert not sounds(two, [steady, hurried], rests=1)
    assert not sounds(two, [hurried], rests=1)


@pytest.mark.parametrize("hz", [600, 850, 1200])
def test_a_pitch_of_no_pattern_is_not_taken_for_the_nearest(hz: int) -> None:
    [heard] = sounded(wave(hz, 1.0, 0.3), 12, 0.0, 5.0)
    assert not any(sounds(pattern.tones[:1], [heard]) for pattern in PATTERNS)


def test_lines_written_one_after_the_other_are_one_change_of_the_lights() -> None:
    changes = [Change(0.0, 0)]
    for number, pin in enumerate(PINS.leds):
        changes.append(Change(1.0 + number * 0.012, changes[-1].levels | 1 << pin))
    found = lit(changes, PINS, 0.5, 2.0)
    assert [each.levels for each in found] == [NONE, ALL]
    assert sum(each.seconds for each in found) == pytest.approx(1.5)
