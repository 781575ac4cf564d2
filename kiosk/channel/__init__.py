"""Typed messages between the processes, on UNIX SEQPACKET sockets.

`reader` and `uploader` listen; the screen process connects to both, the command line to the uploader. A
message is one packet of UTF-8 JSON of at most 64 KiB: `v`, `type` and the fields of one class. What is
unknown, oversized, badly typed or of another version is refused with a `ChannelError`; the receiver logs its
text and goes on. The PIN alone travels as a binary frame, so that no text buffer ever holds it.

To add a message: a class in the module of its two ends and its name in the union there of those who receive
it; mypy then names the `match` that lacks it.
"""

import uuid
from typing import TypeVar

import msgspec

from kiosk.channel.base import ChannelError as ChannelError
from kiosk.channel.base import Message as Message
from kiosk.channel.changed import ChangedFile as ChangedFile
from kiosk.channel.changed import ChangedTold as ChangedTold
from kiosk.channel.changed import FromChanged as FromChanged
from kiosk.channel.changed import LeaveSettings as LeaveSettings
from kiosk.channel.changed import SettingChange as SettingChange
from kiosk.channel.changed import SettingFault as SettingFault
from kiosk.channel.changed import TakeSettings as TakeSettings
from kiosk.channel.commands import AskAudit as AskAudit
from kiosk.channel.commands import AskLookUps as AskLookUps
from kiosk.channel.commands import AskRecords as AskRecords
from kiosk.channel.commands import AskSealed as AskSealed
from kiosk.channel.commands import AskStatus as AskStatus
from kiosk.channel.commands import AuditRow as AuditRow
from kiosk.channel.commands import AuditRows as AuditRows
from kiosk.channel.commands import Done as Done
from kiosk.channel.commands import ForCommandLine as ForCommandLine
from kiosk.channel.commands import FromCommandLine as FromCommandLine
from kiosk.channel.commands import LookUpLine as LookUpLine
from kiosk.channel.commands import LookUpLines as LookUpLines
from kiosk.channel.commands import RecordLine as RecordLine
from kiosk.channel.commands import Records as Records
from kiosk.channel.commands import RecordState as RecordState
from kiosk.channel.commands import RetryNow as RetryNow
from kiosk.channel.commands import SealedRecord as SealedRecord
from kiosk.channel.commands import StartLookUp as StartLookUp
from kiosk.channel.commands import Status as Status
from kiosk.channel.counts import AskDay as AskDay
from kiosk.channel.counts import DayCounts as DayCounts
from kiosk.channel.counts import HourCounts as HourCounts
from kiosk.channel.counts import StaffWasCalled as StaffWasCalled
from kiosk.channel.counts import StageCounts as StageCounts
from kiosk.channel.desk import AnswerSeen as AnswerSeen
from kiosk.channel.desk import AskCheck as AskCheck
from kiosk.channel.desk import AskDesk as AskDesk
from kiosk.channel.desk import CheckItem as CheckItem
from kiosk.channel.desk import CheckTold as CheckTold
from kiosk.channel.desk import DeskBoard as DeskBoard
from kiosk.channel.desk import DrillTold as DrillTold
from kiosk.channel.desk import ForDesk as ForDesk
from kiosk.channel.desk import FromDesk as FromDesk
from kiosk.channel.desk import LateAnswer as LateAnswer
from kiosk.channel.desk import PreferencesTold as PreferencesTold
from kiosk.channel.desk import RunDrill as RunDrill
from kiosk.channel.desk import SetFallback as SetFallback
from kiosk.channel.desk import SetPreferences as SetPreferences
from kiosk.channel.reader import ArmReader as ArmReader
from kiosk.channel.reader import AskReader as AskReader
from kiosk.channel.reader import BeginContact as BeginContact
from kiosk.channel.reader import ContactFailed as ContactFailed
from kiosk.channel.reader import EndContact as EndContact
from kiosk.channel.reader import Evidence as Evidence
from kiosk.channel.reader import FromReader as FromReader
from kiosk.channel.reader import OtherDeviceSeen as OtherDeviceSeen
from kiosk.channel.reader import Presented as Presented
from kiosk.channel.reader import ReaderHealth as ReaderHealth
from kiosk.channel.reader import ReaderState as ReaderState
from kiosk.channel.reader import Recognised as Recognised
from kiosk.channel.reader import Removed as Removed
from kiosk.channel.reader import SignDigests as SignDigests
from kiosk.channel.reader import StageDone as StageDone
from kiosk.channel.reader import StageHistogram as StageHistogram
from kiosk.channel.reader import StageTime as StageTime
from kiosk.channel.reader import ToReader as ToReader
from kiosk.channel.reader import WrongTokenSeen as WrongTokenSeen
from kiosk.channel.update import AskUpdate as AskUpdate
from kiosk.channel.update import CloseUpdate as CloseUpdate
from kiosk.channel.update import FromUpdater as FromUpdater
from kiosk.channel.update import RestartKiosk as RestartKiosk
from kiosk.channel.update import StartUpdate as StartUpdate
from kiosk.channel.update import StopUpdate as StopUpdate
from kiosk.channel.update import UpdateFault as UpdateFault
from kiosk.channel.update import UpdateOffer as UpdateOffer
from kiosk.channel.update import UpdatePhase as UpdatePhase
from kiosk.channel.update import UpdateSource as UpdateSource
from kiosk.channel.update import UpdateTold as UpdateTold
from kiosk.channel.uploader import AboutVisits as AboutVisits
from kiosk.channel.uploader import Answered as Answered
from kiosk.channel.uploader import AskChallenge as AskChallenge
from kiosk.channel.uploader import AuditNote as AuditNote
from kiosk.channel.uploader import ChallengeGiven as ChallengeGiven
from kiosk.channel.uploader import CommitRecord as CommitRecord
from kiosk.channel.uploader import CommitRefused as CommitRefused
from kiosk.channel.uploader import Committed as Committed
from kiosk.channel.uploader import Deferred as Deferred
from kiosk.channel.uploader import FromScreen as FromScreen
from kiosk.channel.uploader import LineState as LineState
from kiosk.channel.uploader import OutboxState as OutboxState
from kiosk.channel.uploader import SealingKeys as SealingKeys
from kiosk.channel.uploader import VisitEnded as VisitEnded

M = TypeVar("M")

MAX_MESSAGE = 64 * 1024
READER_SOCKET, UPLOADER_SOCKET = "reader.sock", "uploader.sock"  #: in the settings' run folder
PIN_MARK = b"\x01"  #: no JSON text begins with it
_PIN_HEAD = 17  #: the mark and the visit's 16 bytes

ToUploader = FromScreen | FromDesk | FromUpdater | FromChanged | FromCommandLine
ForScreen = AboutVisits | ForDesk | UpdateTold | ChangedTold
FromUploader = ForScreen | ForCommandLine

_ENCODER = msgspec.json.Encoder()
READER_INBOX = msgspec.json.Decoder(ToReader)
READER_OUTBOX = msgspec.json.Decoder(FromReader)
UPLOADER_INBOX = msgspec.json.Decoder(ToUploader)
SCREEN_INBOX = msgspec.json.Decoder(ForScreen)
UPLOADER_OUTBOX = msgspec.json.Decoder(FromUploader)


def encode(message: Message) -> bytes:
    """Return the packet; raises ChannelError when it would exceed what the other end accepts."""
    packet = _ENCODER.encode(message)
    if len(packet) > MAX_MESSAGE:
        raise ChannelError(f"a message of {len(packet)} bytes exceeds {MAX_MESSAGE}")
    return packet


def decode(packet: bytes, inbox: "msgspec.json.Decoder[M]") -> M:
    """Read a packet as one of the messages that `inbox` takes."""
    if len(packet) > MAX_MESSAGE:
        raise ChannelError(f"a packet of more than {MAX_MESSAGE} bytes was refused")
    try:
        return inbox.decode(packet)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise ChannelError(f"a packet was refused: {type(fault).__name__}") from None


def pin_frame(visit: str, pin: bytearray) -> bytearray:
    """Return the binary frame that carries a PIN; the caller wipes both buffers after sending."""
    return bytearray(PIN_MARK + uuid.UUID(visit).bytes) + pin


def read_pin_frame(packet: bytearray) -> tuple[str, bytearray]:
    """Split a PIN frame into the visit and the four ASCII digits; the caller wipes `packet`."""
    digits = packet[_PIN_HEAD:]
    if len(digits) != 4 or not digits.isdigit():
        digits[:] = bytes(len(digits))
        raise ChannelError("a PIN frame was refused: not four digits")
    return str(uuid.UUID(bytes=bytes(packet[1:_PIN_HEAD]))), digits
