"""What the machine asks of the world. The screen process carries them out, in order.

What staff ask of the uploader is sent as it is: `StaffRequest`, in staff_requests.py.
"""

from dataclasses import dataclass

from kiosk.qualification.terms import Outcome
from kiosk.visit.staff_requests import StaffRequest
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

    visit: Visit | None  #: None: at the hidden door
    number: str


@dataclass(frozen=True)
class LockDoor:
    """Too many wrong passcodes in a row: note it, with the last number; send DoorUnlocked later."""

    number: str
    seconds: float


@dataclass(frozen=True)
class TryReader:
    """Read whatever is held next, name it, keep nothing; ReadingAdvanced tells how far it is."""

    staff: str


@dataclass(frozen=True)
class EndReaderTest:
    """The reader is to read nothing any more."""


@dataclass(frozen=True)
class AskHours:
    """Find out whether the call centre answers now; CallHoursKnown tells."""


@dataclass(frozen=True)
class RunCheck:
    """Look at everything that can be looked at without a patient; CheckCompleted tells what is to mend."""


@dataclass(frozen=True)
class Speak:
    """Say the page's sentence once more."""


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
    StaffRequest
    | BeginVisit
    | SendPin
    | Arm
    | Disarm
    | FreezeTranscript
    | SealAndCommit
    | CheckStaff
    | LockDoor
    | TryReader
    | EndReaderTest
    | AskHours
    | RunCheck
    | Speak
    | ForgetDigits
    | ForgetLastDigit
    | EndVisit
    | StartTimer
    | StopTimer
)
