"""From what lies in the field to the one token that is spoken to.

A phone may answer as type A and as type B; so may a phone and a card, or a card and the transit card in the
same sleeve. Where both types answer, one is activated, and what then still answers as the other is another
body: a phone has only one. Of two bodies the one with the JPKI application is meant; if both have it, or are
of one type, nothing is read. Not public is on which type phones carry it, hence `other_face`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kiosk.nfc.antenna import Antenna, Found, NoBlocks, NotAlone, Several, TokenLink
from kiosk.nfc.protocol import dialogue
from kiosk.nfc.protocol.apdu import GarbledAnswer, ResponseApdu
from kiosk.nfc.protocol.faults import TokenGarbled, TokenLost
from kiosk.nfc.protocol.habits import Habits
from kiosk.nfc.protocol.isodep import Technology

Left = Callable[[], float]  #: the seconds that are left; raises BudgetSpent


@dataclass(frozen=True)
class Near:
    """One activated token and the face that it shows: not always the face that was found first."""

    link: TokenLink
    token: Found


def choose_token(antenna: Antenna, found: Found | Several, habits: Habits, left: Left) -> Near:
    """Activate the token that is meant.

    Raises NotAlone (more than one may be meant), NoBlocks, TokenLost, TokenGarbled, GarbledAnswer,
    BudgetSpent or ReaderGone.
    """
    if isinstance(found, Several):
        raise NotAlone
    other = antenna.beside(_opposite(found.technology))
    if other is not None:
        b_face = (found if found.technology == "B" else other).face
        return _of_two(antenna, "A" if habits.type_a_first(b_face) else "B", left)
    link = antenna.activate(found)
    if found.technology == "A" and antenna.beside("A") is not None:
        raise NotAlone
    return Near(link, found)


def _opposite(technology: Technology) -> Technology:
    return "A" if technology == "B" else "B"


def _of_two(antenna: Antenna, first: Technology, left: Left) -> Near:
    """Both types answer. In a fresh field: a phone just greeted as one type may not hear the other."""
    found = antenna.face_of(first)
    if found is None:
        raise TokenLost("the tokens moved")
    link = antenna.activate(found)
    other = antenna.beside(_opposite(first))
    if other is None:
        return Near(link, found)  # it was one phone
    try:
        second = antenna.activate_also(other)
    except NoBlocks:
        return Near(link, found)  # not even a candidate: a key fob, a transit card
    except (TokenLost, TokenGarbled):
        raise NotAlone from None
    if antenna.beside("A") is not None:
        raise NotAlone
    here, there = _has_application(link, left), _has_application(second, left)
    if here and there:
        raise NotAlone
    if not there:
        return Near(link, found)
    antenna.keep(second)
    return Near(second, other)


def other_face(antenna: Antenna, spoken: Found, habits: Habits, left: Left) -> TokenLink | None:
    """Look for the application on the other radio type than was spoken to, from a fresh field; None if it is
    not there either.

    Raises ReaderGone and BudgetSpent. The fresh field may cost a phone its holder's authentication, so where
    the application was found is remembered.
    """
    try:
        other = antenna.face_of(_opposite(spoken.technology))
        if other is None:
            return None
        link = antenna.activate(other)
        if not _has_application(link, left):
            return None
    except (NoBlocks, NotAlone, TokenLost, TokenGarbled, GarbledAnswer):
        return None
    if other.technology == "A":
        habits.only_on_type_a(spoken.face)
    return link


def _has_application(link: TokenLink, left: Left) -> bool:
    stage = dialogue.select()
    answer = ResponseApdu.decode(link.exchange(next(stage), left))
    try:
        stage.send(answer)
    except StopIteration as end:
        return bool(end.value)
    raise AssertionError("one command selects the application")
