"""The words that the visit shares with the processes around it, apart from its states: who only speaks with a
process, such as the command line, need not load the whole machine. `states` and `events` have them as well.
"""

from enum import StrEnum


class Stage(StrEnum):
    """How far the dialogue with the token has come; drives the progress on screen and LEDs."""

    PRESENTED = "presented"
    RECOGNISED = "recognised"
    COUNTER = "counter"  #: PIN tries asked for, nothing spent
    VERIFIED = "verified"  #: the token took the PIN, or needs none
    CERTIFICATE = "certificate"
    SIGNED = "signed"


class CallReason(StrEnum):
    """Why staff are called. The patient is shown a sentence, staff the reason."""

    HELP = "help"  #: the patient asked
    PIN_ONE_LEFT = "pin_one_left"  #: the kiosk never spends the last try
    PIN_BLOCKED = "pin_blocked"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_REFUSED = "certificate_refused"  #: chain, key usage or signature does not hold
    NOT_RECORDED = "not_recorded"  #: the outbox could not take the record
    SERVICE_REFUSED = "service_refused"  #: the service answered, but with an error
    TOKEN_FAULT = "token_fault"  #: the token answers nonsense, repeatedly


class WrongTokenKind(StrEnum):
    """What lies there instead of a My Number token."""

    PAYMENT = "payment"
    TRANSIT = "transit"
    UNKNOWN = "unknown"


class ReaderCondition(StrEnum):
    """What the reader process says of its reader."""

    UNKNOWN = "unknown"  #: the process has not been heard of
    READY = "ready"
    LOST = "lost"  #: unplugged, busy, forbidden or stuck; the reason is in the log and for staff


class OutboxCondition(StrEnum):
    """What the uploader process says of its outbox."""

    UNKNOWN = "unknown"
    READY = "ready"
    FULL = "full"
    LOST = "lost"


class ReadFailure(StrEnum):
    """How a contact with a token ended without an authentication."""

    REMOVED = "removed"  #: out of the field too soon
    UNREADABLE = "unreadable"  #: it answers, but with nonsense
    TWO_TOKENS = "two_tokens"
    LEFT_BEHIND = "left_behind"  #: it lay there before this visit began; nothing was asked of it
    NOT_AUTHENTICATED = "not_authenticated"  #: the phone's owner has not used Face ID / Touch ID
    PIN_WRONG = "pin_wrong"
    PIN_ONE_LEFT = "pin_one_left"  #: VERIFY was not sent
    PIN_BLOCKED = "pin_blocked"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_REFUSED = "certificate_refused"
