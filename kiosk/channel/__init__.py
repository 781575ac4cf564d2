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
from kiosk.channel.changed_settings_messages import CardSettings as CardSettings
from kiosk.channel.changed_settings_messages import ChangedFile as ChangedFile
from kiosk.channel.changed_settings_messages import FromChanged as FromChanged
from kiosk.channel.changed_settings_messages import LeaveSettings as LeaveSettings
from kiosk.channel.changed_settings_messages import SettingChange as SettingChange
from kiosk.channel.changed_settings_messages import SettingFault as SettingFault
from kiosk.channel.changed_settings_messages import TakeSettings as TakeSettings
from kiosk.channel.command_line_messages import AskAudit as AskAudit
from kiosk.channel.command_line_messages import AskLookUps as AskLookUps
from kiosk.channel.command_line_messages import AskRecords as AskRecords
from kiosk.channel.command_line_messages import AskSealed as AskSealed
from kiosk.channel.command_line_messages import AskStatus as AskStatus
from kiosk.channel.command_line_messages import AuditRow as AuditRow
from kiosk.channel.command_line_messages import AuditRows as AuditRows
from kiosk.channel.command_line_messages import CommandDone as CommandDone
from kiosk.channel.command_line_messages import ForCommandLine as ForCommandLine
from kiosk.channel.command_line_messages import FromCommandLine as FromCommandLine
from kiosk.channel.command_line_messages import LookUpLine as LookUpLine
from kiosk.channel.command_line_messages import LookUpLines as LookUpLines
from kiosk.channel.command_line_messages import RecordLine as RecordLine
from kiosk.channel.command_line_messages import Records as Records
from kiosk.channel.command_line_messages import RecordState as RecordState
from kiosk.channel.command_line_messages import RetryNow as RetryNow
from kiosk.channel.command_line_messages import SealedRecord as SealedRecord
from kiosk.channel.command_line_messages import StartLookUp as StartLookUp
from kiosk.channel.command_line_messages import Status as Status
from kiosk.channel.day_messages import AskDay as AskDay
from kiosk.channel.day_messages import DayCounts as DayCounts
from kiosk.channel.day_messages import HourCounts as HourCounts
from kiosk.channel.day_messages import StaffWasCalled as StaffWasCalled
from kiosk.channel.day_messages import StageCounts as StageCounts
from kiosk.channel.reader_messages import ArmReader as ArmReader
from kiosk.channel.reader_messages import AskReader as AskReader
from kiosk.channel.reader_messages import BeginContact as BeginContact
from kiosk.channel.reader_messages import ContactFailed as ContactFailed
from kiosk.channel.reader_messages import EndContact as EndContact
from kiosk.channel.reader_messages import Evidence as Evidence
from kiosk.channel.reader_messages import FromReader as FromReader
from kiosk.channel.reader_messages import OtherDeviceSeen as OtherDeviceSeen
from kiosk.channel.reader_messages import Presented as Presented
from kiosk.channel.reader_messages import ReaderHealth as ReaderHealth
from kiosk.channel.reader_messages import ReaderState as ReaderState
from kiosk.channel.reader_messages import Recognised as Recognised
from kiosk.channel.reader_messages import Removed as Removed
from kiosk.channel.reader_messages import SignDigests as SignDigests
from kiosk.channel.reader_messages import StageDone as StageDone
from kiosk.channel.reader_messages import StageHistogram as StageHistogram
from kiosk.channel.reader_messages import StageTime as StageTime
from kiosk.channel.reader_messages import ToReader as ToReader
from kiosk.channel.reader_messages import WrongTokenSeen as WrongTokenSeen
from kiosk.channel.staff_messages import AnswerSeen as AnswerSeen
from kiosk.channel.staff_messages import AskCheck as AskCheck
from kiosk.channel.staff_messages import AskWaitingList as AskWaitingList
from kiosk.channel.staff_messages import CheckItem as CheckItem
from kiosk.channel.staff_messages import CheckResult as CheckResult
from kiosk.channel.staff_messages import DrillProgress as DrillProgress
from kiosk.channel.staff_messages import ForStaffPages as ForStaffPages
from kiosk.channel.staff_messages import FromStaffPages as FromStaffPages
from kiosk.channel.staff_messages import LateAnswer as LateAnswer
from kiosk.channel.staff_messages import RunDrill as RunDrill
from kiosk.channel.staff_messages import SetFallback as SetFallback
from kiosk.channel.staff_messages import SetPreferences as SetPreferences
from kiosk.channel.staff_messages import StaffPreferences as StaffPreferences
from kiosk.channel.staff_messages import WaitingList as WaitingList
from kiosk.channel.update_messages import AskUpdate as AskUpdate
from kiosk.channel.update_messages import CloseUpdate as CloseUpdate
from kiosk.channel.update_messages import FromUpdater as FromUpdater
from kiosk.channel.update_messages import RestartKiosk as RestartKiosk
from kiosk.channel.update_messages import StartUpdate as StartUpdate
from kiosk.channel.update_messages import StopUpdate as StopUpdate
from kiosk.channel.update_messages import UpdateFault as UpdateFault
from kiosk.channel.update_messages import UpdateOffer as UpdateOffer
from kiosk.channel.update_messages import UpdatePhase as UpdatePhase
from kiosk.channel.update_messages import UpdateSource as UpdateSource
from kiosk.channel.update_messages import UpdateStatus as UpdateStatus
from kiosk.channel.visit_messages import AboutVisits as AboutVisits
from kiosk.channel.visit_messages import AskChallenge as AskChallenge
from kiosk.channel.visit_messages import AuditNote as AuditNote
from kiosk.channel.visit_messages import ChallengeGiven as ChallengeGiven
from kiosk.channel.visit_messages import CommitRecord as CommitRecord
from kiosk.channel.visit_messages import CommitRefused as CommitRefused
from kiosk.channel.visit_messages import Committed as Committed
from kiosk.channel.visit_messages import Deferred as Deferred
from kiosk.channel.visit_messages import FromScreen as FromScreen
from kiosk.channel.visit_messages import LineState as LineState
from kiosk.channel.visit_messages import OutboxState as OutboxState
from kiosk.channel.visit_messages import SealingKeys as SealingKeys
from kiosk.channel.visit_messages import ServiceAnswered as ServiceAnswered
from kiosk.channel.visit_messages import VisitEnded as VisitEnded

M = TypeVar("M")

MAX_MESSAGE = 64 * 1024
READER_SOCKET, UPLOADER_SOCKET = "reader.sock", "uploader.sock"  #: in the settings' run folder
PIN_MARK = b"\x01"  #: no JSON text begins with it
_PIN_HEAD = 17  #: the mark and the visit's 16 bytes

ToUploader = FromScreen | FromStaffPages | FromUpdater | FromChanged | FromCommandLine
ForScreen = AboutVisits | ForStaffPages | UpdateStatus | CardSettings
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
