"""What the machine asks of the world. The screen process carries them out, in order."""

from dataclasses import dataclass

from kiosk.qualification.terms import Outcome
from kiosk.visit.states import Visit


@dataclass(frozen=True)
class BeginVisit:
    """Tell the reader that this visit began, and ask the uploader for its challenge."""

    visit: Visit


@dataclass(frozen=True)
class SendPin:
    """Hand the typed PIN to the reader and wipe it here."""

    visit: Visit


@dataclass(frozen=True)
class Arm:
    """Let the reader read the next token that is presented, for the device and method in `visit`."""

    visit: Visit


@dataclass(frozen=True)
class Disarm:
    """Let the reader read nothing until it is armed again; it forgets the PIN."""

    visit: Visit


@dataclass(frozen=True)
class FreezeTranscript:
    """Build the transcript as it stands and give the reader its digests to sign."""

    visit: Visit


@dataclass(frozen=True)
class SealAndCommit:
    """Build the request from frozen transcript and evidence, seal it, hand it to the outbox.

    Asked for again after the uploader came back: the same sealed bytes go out again.
    """

    visit: Visit


@dataclass(frozen=True)
class CheckStaff:
    """Compare the typed passcode with the hash kept for this staff number, off the screen's thread."""

    visit: Visit
    number: str


@dataclass(frozen=True)
class ForgetDigits:
    """Wipe what has been typed on a secret pad."""


@dataclass(frozen=True)
class ForgetLastDigit:
    """Wipe the last digit typed on a secret pad."""


@dataclass(frozen=True)
class EndVisit:
    """The visit is over: PIN, evidence and digits are wiped everywhere, `outcome` is counted."""

    visit: Visit
    outcome: Outcome


@dataclass(frozen=True)
class StartTimer:
    """Send TimeUp after `seconds`, unless another StartTimer or StopTimer comes first."""

    seconds: float


@dataclass(frozen=True)
class StopTimer:
    """No TimeUp from now on."""


Effect = (
    BeginVisit
    | SendPin
    | Arm
    | Disarm
    | FreezeTranscript
    | SealAndCommit
    | CheckStaff
    | ForgetDigits
    | ForgetLastDigit
    | EndVisit
    | StartTimer
    | StopTimer
)
