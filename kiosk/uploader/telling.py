"""What the uploader's peers were told last, so that only changes are sent."""

from dataclasses import dataclass

from kiosk.channel import LineState, OutboxState


@dataclass
class Told:
    """The last of each kind; `line_at`: when, on the monotonic clock."""

    line: LineState | None = None
    line_at: float = 0.0
    outbox: OutboxState | None = None


def but_age(line: LineState) -> tuple[object, ...]:
    """What makes a new line state worth telling at once."""
    return (line.online, line.waiting, line.fallback)
