"""The call centre's hours: weekdays, Saturdays, Japanese holidays, and what comes after them."""

from datetime import date, datetime, timedelta, timezone

import jpholiday
import pytest

from kiosk.qualification.call_centre import CallHours, article, call_hours

JST = timezone(timedelta(hours=9))


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=JST)


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (at(25, 7, 59), CallHours(False, at(25, 8))),
        (at(25, 8), CallHours(True, at(25, 18))),
        (at(25, 17, 59), CallHours(True, at(25, 18))),
        (at(25, 18), CallHours(False, at(26, 8))),
        (at(28, 15, 59), CallHours(True, at(28, 16))),
        (at(28, 16), CallHours(False, at(30, 8))),  # Saturday afternoon: Monday
        (at(29, 12), CallHours(False, at(30, 8))),  # Sunday
        (at(21, 16), CallHours(False, at(24, 8))),  # 勤労感謝の日 on Monday the 23rd
        (at(21, 9, month=9), CallHours(False, at(24, 8, month=9))),  # 敬老の日, 国民の休日, 秋分の日
        (
            datetime(2027, 3, 22, 9, tzinfo=JST),
            CallHours(False, datetime(2027, 3, 23, 8, tzinfo=JST)),
        ),  # 振替休日
    ],
)
def test_it_answers_on_working_days_and_on_saturdays(now: datetime, hours: CallHours) -> None:
    assert call_hours(now, jpholiday.is_holiday) == hours


def test_a_calendar_of_nothing_but_holidays_is_a_fault() -> None:
    def always(_: date) -> bool:
        return True

    with pytest.raises(ValueError, match="no opening"):
        call_hours(at(25, 9), always)


def test_an_article_s_address_holds_its_number() -> None:
    assert article("KB0012687").endswith("KB0012687")
