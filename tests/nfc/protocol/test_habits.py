"""What is remembered of a make of token: an order of trying, for a while, of a few."""

from kiosk.nfc.protocol.habits import ASK_AGAIN_AFTER, MOST_FACES, Habits

CARD, PHONE = b"card", b"phone"


def test_a_make_nobody_knows_is_asked_for_short_identifiers_and_begun_with_type_b() -> None:
    habits = Habits()
    assert habits.short_ef_first(CARD)
    assert not habits.type_a_first(CARD)


def test_a_make_that_refused_is_not_asked_for_a_while_and_then_again() -> None:
    habits = Habits()
    habits.refused_short_ef(PHONE)
    asked = [habits.short_ef_first(PHONE) for _ in range(ASK_AGAIN_AFTER + 1)]
    assert asked == [False] * ASK_AGAIN_AFTER + [True]
    assert habits.short_ef_first(CARD)


def test_a_make_with_the_application_on_type_a_begins_there_for_a_while() -> None:
    habits = Habits()
    habits.only_on_type_a(PHONE)
    begun = [habits.type_a_first(PHONE) for _ in range(ASK_AGAIN_AFTER + 1)]
    assert begun == [True] * ASK_AGAIN_AFTER + [False]


def test_only_so_many_makes_are_remembered() -> None:
    habits = Habits()
    for number in range(MOST_FACES + 1):
        habits.refused_short_ef(bytes([number]))
    assert habits.short_ef_first(bytes([0]))
    assert not habits.short_ef_first(bytes([1]))
