"""The reading test of the staff pages: reads whatever is held, names it, and keeps nothing of it.

To the reader it is a visit like any other, with the plastic card and the visual check: that way reads a card
to its certificate without a PIN, and only names a phone. No record and no transcript comes of it.
"""

from collections.abc import Callable

from kiosk import channel
from kiosk.channel import FromReader, Message
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication
from kiosk.visit.events import ReadFailure, ReadingAdvanced
from kiosk.visit.views.staff_views import SeenToken

#: What is not here is read and does not go on: the certificate, of which the visual check says so too.
_FAILURES = {
    ReadFailure.REMOVED: SeenToken.MOVED,
    ReadFailure.UNREADABLE: SeenToken.UNREADABLE,
    ReadFailure.TWO_TOKENS: SeenToken.TWO,
    ReadFailure.LEFT_BEHIND: SeenToken.LEFT_BEHIND,
    ReadFailure.CERTIFICATE_EXPIRED: SeenToken.EXPIRED,
    ReadFailure.CERTIFICATE_REFUSED: SeenToken.NOT_TRUSTED,
}


class ReaderTest:
    """At most one at a time. `send` reaches the reader process."""

    def __init__(
        self,
        new_id: Callable[[], str],
        monotonic: Callable[[], float],
        send: Callable[[Message], object],
    ) -> None:
        self._new_id, self._monotonic, self._send = new_id, monotonic, send
        self._id: str | None = None
        self._since = 0.0

    def begin(self) -> None:
        """Read what is held next."""
        self._id = self._new_id()
        self._send(channel.BeginContact(visit=self._id))
        self._send(
            channel.ArmReader(visit=self._id, device=Device.CARD, authentication=Authentication.VISUAL)
        )

    def end(self) -> None:
        """Read nothing more; may be called again."""
        if self._id is not None:
            self._send(channel.EndContact(visit=self._id))
            self._id = None

    def owns(self, message: FromReader) -> bool:
        """Whether a message of the reader is about the test."""
        return self._id is not None and getattr(message, "visit", None) == self._id

    def heard(self, message: FromReader) -> ReadingAdvanced | None:
        """What the page is to say; None: nothing new."""
        match message:
            case channel.Presented():
                self._since = self._monotonic()
                return ReadingAdvanced(SeenToken.LIES)
            case channel.Evidence():
                return self._read(Device.CARD)
            case channel.OtherDeviceSeen(presented=presented):
                return self._read(SeenToken.OTHER if presented is None else presented)
            case channel.WrongTokenSeen(kind=kind):
                return self._read(SeenToken(kind.value))
            case channel.ContactFailed(failure=failure):
                return self._read(_FAILURES.get(failure, SeenToken.UNREADABLE))
            case _:
                return None

    def _read(self, seen: SeenToken | Device) -> ReadingAdvanced:
        return ReadingAdvanced(seen, round((self._monotonic() - self._since) * 1000))
