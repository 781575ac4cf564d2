"""Whom to ask and where to read: the call centre with its hours, the two portals' articles.

Source: 厚生労働省 事務連絡 令和8年3月18日 and 日医発第2088号 令和8年3月27日, which name オンライン資格確認等
コールセンター, Mon–Fri 8:00–18:00, Sat 8:00–16:00, not on public holidays. Of the articles they name the
numbers; the address is the portals' usual form.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

PHONE = "0800-080-4583"
#: Opening and closing hour by `date.weekday()`; Sunday has none.
HOURS = dict.fromkeys(range(5), (8, 18)) | {5: (8, 16)}
_PORTAL = "https://iryohokenjyoho.service-now.com/csm?id=kb_article_view&sysparm_article="
MEDICAL_INSTITUTIONS, PRACTITIONERS = "KB0012687", "KB0012683"
#: The longest row of closed days is far shorter.
_MOST_DAYS = 31


@dataclass(frozen=True)
class CallHours:
    """Whether it answers now, and when that changes."""

    open: bool
    until: datetime  #: it closes then, or opens then; in the zone that was asked with


def article(number: str) -> str:
    """The address of a portal's article."""
    return _PORTAL + number


def call_hours(now: datetime, is_holiday: Callable[[date], bool]) -> CallHours:
    """Whether somebody answers at `now` (Japanese time, with or without its zone)."""
    for ahead in range(_MOST_DAYS):
        day = now.date() + timedelta(days=ahead)
        if day.weekday() not in HOURS or is_holiday(day):
            continue
        opens, closes = (datetime.combine(day, time(hour), now.tzinfo) for hour in HOURS[day.weekday()])
        if now < opens:
            return CallHours(False, opens)
        if now < closes:
            return CallHours(True, closes)
    raise ValueError(f"no opening within {_MOST_DAYS} days of {now.date()}: is that a holiday every day?")
