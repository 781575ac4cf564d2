"""What the uploader can check of 「本日の点検」. The words are listed in channel/staff_messages.py."""

import os
from pathlib import Path

from kiosk.box import readings as box
from kiosk.box.clock import Moment
from kiosk.channel import CheckItem, CheckResult
from kiosk.uploader.delivery.line import LineView
from kiosk.uploader.identity.certificates import look_at
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.records import StoredState
from kiosk.uploader.service.tls import Credentials
from kiosk.uploader.staff.late_answers import held, unseen
from kiosk.uploader.store.named_values import NamedValues, ValueName

LOW_MB = (
    50.0  #: the outbox's cap of records needs some 3 MB; what is missing then is room for logs and updates
)
_HOUR_MS = 3_600_000


def check(
    outbox: Outbox | None, path: Path, most: int, line: LineView, credentials: Credentials, now: Moment
) -> CheckResult:
    """Look at everything. `path` is the outbox's file, `most` its count cap. Raises OutboxLost when the
    disk does not take the test write; asked again without the outbox, that is the answer.
    """
    certificate = look_at(credentials, now)
    return CheckResult(
        parts=(
            _line(line, now),
            _clock(now),
            CheckItem(part="certificate", fault=certificate.fault, value=certificate.days),
            CheckItem(part="outbox", fault="lost") if outbox is None else _outbox(outbox, most, now),
            _disk(path.parent),
            *_computer(),
        )
    )


def _line(line: LineView, now: Moment) -> CheckItem:
    ago = None if line.heard_s is None else now.mono_ms / 1000 - line.heard_s
    never = "not_asked_yet" if ago is None else None
    return CheckItem(part="line", fault=line.word or never, value=ago)


def _clock(now: Moment) -> CheckItem:
    if now.wall_ms < now.floor_ms:
        return CheckItem(part="clock", fault="behind", value=(now.floor_ms - now.wall_ms) / _HOUR_MS)
    return CheckItem(part="clock", fault=None if now.trusted else "untrusted")


def _outbox(outbox: Outbox, most: int, now: Moment) -> CheckItem:
    database = outbox.database
    NamedValues(database).put(ValueName.SELF_TEST, str(now.mono_ms))
    waiting = outbox.waiting()
    if waiting >= most:
        return CheckItem(part="outbox", fault="full", value=waiting)
    counted = (
        ("key_unknown", held(database)),
        ("quarantined", unseen(database, StoredState.QUARANTINED)),
        ("expired", unseen(database, StoredState.EXPIRED)),
    )
    fault = next(((word, n) for word, n in counted if n), None)
    if fault is not None:
        return CheckItem(part="outbox", fault=fault[0], value=fault[1])
    return CheckItem(part="outbox", value=waiting)


def _computer() -> tuple[CheckItem, ...]:
    """What the computer itself measures; nothing of what it has no sensor for."""
    celsius, weak = box.celsius(), box.undervoltage()
    heat = CheckItem(part="heat", fault="hot" if (celsius or 0) >= box.HOT_C else None, value=celsius)
    power = CheckItem(part="power", fault="undervoltage" if weak else None)
    return tuple(item for item, known in ((heat, celsius), (power, weak)) if known is not None)


def _disk(folder: Path) -> CheckItem:
    try:
        found = os.statvfs(folder)
    except OSError:
        return CheckItem(part="disk", fault="read_only")
    free_mb = found.f_bavail * found.f_frsize / 1e6
    if found.f_flag & os.ST_RDONLY:
        return CheckItem(part="disk", fault="read_only", value=free_mb)
    return CheckItem(part="disk", fault="low" if free_mb < LOW_MB else None, value=free_mb)
