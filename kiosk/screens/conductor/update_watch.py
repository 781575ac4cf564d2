"""The screen's side of updates: the uploader's words as values, and a question every few seconds while the
page is open.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from kiosk import channel
from kiosk.channel import Message
from kiosk.visit.staff_states import StaffUpdate
from kiosk.visit.states import Screen
from kiosk.visit.views.update_view import Offer, UpdateFault, UpdatePhase, UpdateSource, UpdateView

log = logging.getLogger(__name__)

ASK_EVERY_S = 5.0  #: USB storage is let in for 30 s from each question


def update_view(told: channel.UpdateStatus, local: Callable[[str | None], datetime | None]) -> UpdateView:
    """What the page shows. `local` turns a moment of the channel into local time."""
    if told.fault is not None:
        log.warning("update: %s: %s", told.fault.word, told.fault.say)
    return UpdateView(
        running=told.running,
        phase=UpdatePhase(told.phase),
        offers=tuple(_offer(offer, local) for offer in told.offers),
        due=told.offer_at_start is not None,
        version=told.version,
        percent=told.percent,
        fault=None if told.fault is None else _fault(told.fault),
        absent=tuple(_fault(fault) for fault in told.absent),
    )


def _offer(offer: channel.UpdateOffer, local: Callable[[str | None], datetime | None]) -> Offer:
    return Offer(
        version=offer.version,
        source=UpdateSource(offer.source),
        megabytes=round(offer.megabytes),
        changes=tuple(offer.changes.items()),
        from_when=None if offer.by_hand else local(offer.by_hand_from),
    )


def _fault(fault: channel.UpdateFault) -> UpdateFault:
    return UpdateFault(UpdateSource(fault.source), fault.word)


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
            self._send(channel.AskUpdate(staff=screen.staff))
