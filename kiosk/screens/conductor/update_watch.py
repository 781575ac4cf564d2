"""The screen's side of updates: their hours in local time, and a question every few seconds while the page is
open.
"""

import logging
from collections.abc import Callable
from datetime import datetime

import msgspec

from kiosk.channel import AskUpdate, Message, UpdateStatus
from kiosk.visit.staff_states import StaffUpdate
from kiosk.visit.states import Screen
from kiosk.visit.views.update_view import UpdateOffer

log = logging.getLogger(__name__)

ASK_EVERY_S = 5.0  #: USB storage is let in for 30 s from each question


def in_local_time(status: UpdateStatus, local: Callable[[str | None], datetime | None]) -> UpdateStatus:
    """What the page shows. `local` turns a moment of the channel into local time."""
    if status.fault is not None:
        log.warning("update: %s: %s", status.fault.word, status.fault.reason)
    return msgspec.structs.replace(status, offers=tuple(_offer(offer, local) for offer in status.offers))


def _offer(offer: UpdateOffer, local: Callable[[str | None], datetime | None]) -> UpdateOffer:
    opens = local(offer.by_hand_from)
    return msgspec.structs.replace(offer, by_hand_from=None if opens is None else opens.isoformat())


class UpdateAsker:
    """Asks while the page is open. `send` reaches the uploader."""

    def __init__(self, send: Callable[[Message], object]) -> None:
        self._send = send
        self._next: float | None = None

    def poll(self, screen: Screen, now: float) -> None:
        """Ask when it is time. `now` is monotonic seconds."""
        if not isinstance(screen, StaffUpdate):
            self._next = None
        elif self._next is None or now >= self._next:
            self._next = now + ASK_EVERY_S
            self._send(AskUpdate(staff=screen.staff))
