"""What the screen has asked of the reader: the visit, the order, the PIN, the digests. No I/O.

A packet either changes this or is refused with a `ChannelError`, whose text is for the log. One visit at a
time: whatever belongs to another is stale.
"""

import logging
from typing import assert_never

from kiosk.channel import (
    PIN_MARK,
    READER_INBOX,
    ArmReader,
    AskReader,
    BeginContact,
    ChannelError,
    EndContact,
    SignDigests,
    decode,
    read_pin_frame,
)
from kiosk.nfc.protocol.secret import Pin, wipe
from kiosk.qualification.terms import Authentication, SignatureAlgorithm

log = logging.getLogger(__name__)

DIGEST_SIZES = {SignatureAlgorithm.RSA_PKCS1_SHA256: 32, SignatureAlgorithm.ECDSA_P384_SHA384: 48}


class Session:
    """The wishes of the screen, as they stand."""

    def __init__(self) -> None:
        self.visit: str | None = None
        self.order: ArmReader | None = None
        self.pin = Pin()
        self.orders = 0  #: counts every change of what is wanted; a contact ends when it moves on
        self.begun = 0  #: counts visits that began under our eyes; not one that was going on when we started
        self._digests: dict[SignatureAlgorithm, bytes] | None = None
        self._awaited = 0

    # -- what came -----------------------------------------------------------------------------------------

    def take(self, packet: bytearray) -> AskReader | None:
        """Heed one packet of the channel; raises ChannelError if it is none of ours or not of this visit.

        A question that has nothing to do with a visit is given back.
        """
        if packet[:1] == PIN_MARK:
            self._take_pin(packet)
            return None
        message = decode(bytes(packet), READER_INBOX)
        match message:
            case BeginContact(visit=visit):
                self.begun += visit != self.visit
                self._begin(visit)
            case ArmReader():
                self._belongs(message.visit)
                self._arm(message)
            case SignDigests(visit=visit, digests=digests):
                self._belongs(visit)
                self._sign(digests)
            case EndContact(visit=visit):
                self._belongs(visit)
                self.end()
            case AskReader():
                return message
            case _:
                assert_never(message)
        return None

    def _take_pin(self, packet: bytearray) -> None:
        digits = bytearray()
        try:
            visit, digits = read_pin_frame(packet)
            self._belongs(visit)
            self.pin.take(digits)
        except ChannelError:
            wipe(digits)
            raise
        finally:
            wipe(packet)

    def _belongs(self, visit: str) -> None:
        """Refuse what is stale. Without a visit (we were restarted within one) theirs is taken up."""
        if self.visit is None:
            self._begin(visit)
        elif visit != self.visit:
            raise ChannelError("a message of another visit was refused")

    def _begin(self, visit: str) -> None:
        self.disarm()
        self.visit = visit

    def _arm(self, order: ArmReader) -> None:
        if order.authentication is Authentication.VISUAL:
            if not order.device.shows_its_owner:
                raise ChannelError("the visual check is for the card only; the reader was not armed")
        elif order.authentication is not order.device.proof:
            raise ChannelError("this device does not authenticate that way; the reader was not armed")
        self.order = order
        self.orders += 1
        self._awaited = 0

    def _sign(self, digests: dict[SignatureAlgorithm, bytes]) -> None:
        if any(len(digest) != DIGEST_SIZES[algorithm] for algorithm, digest in digests.items()):
            raise ChannelError("digests of a wrong size were refused")
        self._digests = digests
        self._awaited = max(0, self._awaited - 1)

    # -- what follows --------------------------------------------------------------------------------------

    def disarm(self) -> None:
        """Nothing is to be read, and the PIN is forgotten."""
        self.order = None
        self.orders += 1
        self.pin.forget()
        self._digests = None
        self._awaited = 0

    def end(self) -> None:
        """The visit is over, or the screen has gone."""
        self.disarm()
        self.visit = None

    @property
    def lacks_pin(self) -> bool:
        """The order needs a PIN that is not held: it is spent, or was lost with a restart."""
        return (
            self.order is not None and self.order.authentication is Authentication.PIN and not self.pin.held
        )

    def await_digests(self) -> None:
        """A token was recognised: what was given for an earlier one does not count any more."""
        self._digests = None
        self._awaited += 1

    @property
    def digests(self) -> dict[SignatureAlgorithm, bytes] | None:
        """What to sign; None until it has come for the token that was recognised last."""
        return self._digests if self._awaited == 0 else None

    def give_up_digests(self) -> None:
        """They did not come in time; a later answer to that call must not be mistaken for the next one's."""
        self._awaited = 0
        self._digests = None
