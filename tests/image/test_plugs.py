"""When plugs are pulled, and what a started kiosk owes then."""

from collections import Counter

import pytest

from tests.image.lived import records_told
from tests.image.machine import MachineError
from tests.image.plugs import REST_S, Books, Moment, pulls


def test_every_kind_of_moment_comes_and_a_seed_means_the_same_run() -> None:
    found = pulls(25, seed=1)
    assert set(Counter(each.moment for each in found).values()) == {6, 7}
    assert found == pulls(25, seed=1) != pulls(25, seed=2)
    assert sum(each.whole_visit for each in found) == 5
    assert all(1 <= each.after_s <= REST_S for each in found if each.moment is Moment.REST)


def test_a_record_that_was_there_must_stay() -> None:
    books = Books({"one"})
    assert books.settle({"one", "two"}) == []
    assert books.settle({"one"}) == ["record two is missing"]


def test_a_record_that_was_acknowledged_while_nobody_answered_is_owed_without_its_name() -> None:
    books = Books({"one"}, unnamed=1)
    assert books.settle({"one"}) == ["1 acknowledged while nobody answered, 0 found"]
    books.unnamed = 1
    assert books.settle({"one", "two"}) == []
    assert books.unnamed == 0


def test_what_the_service_has_of_this_card_is_owed_and_of_another_is_not() -> None:
    books = Books(others=frozenset({"of another card"}))
    books.sent({"of another card", "one"})
    assert books.settle({"one"}) == []
    assert books.settle(set()) == ["record one is missing"]


def test_a_list_of_records_is_read_and_a_complaint_is_no_empty_list() -> None:
    told = '{"visit": "one", "state": "answered"}\n'
    assert records_told(told) == [{"visit": "one", "state": "answered"}]
    assert records_told("") == []
    with pytest.raises(MachineError, match="no uploader"):
        records_told("Error: no uploader")
