"""Counters that a benchmark reads: what was done, and how much modelled time it took."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields


@dataclass
class RadioMeter:
    """Sums since the field began or since the last `clear`. Seconds are those of the model, not measured
    ones.
    """

    commands: int = 0
    """Host commands to the chip."""
    usb_transfers: int = 0
    """Bulk transfers: each frame either way is one (a zero-length packet after a full one is not counted)."""
    radio_frames: int = 0
    """Frames in the air, both directions, polls and lost ones included."""
    radio_blocks: int = 0
    """ISO-DEP blocks the reader sent to an activated token (its answer is not counted again)."""
    activations: int = 0
    empty_polls: int = 0
    lost_frames: int = 0
    usb_s: float = 0.0
    air_s: float = 0.0
    card_s: float = 0.0
    poll_s: float = 0.0
    """Polls that found nothing."""
    silence_s: float = 0.0
    """Waiting in vain for a token's answer."""

    def values(self) -> dict[str, float]:
        return asdict(self)

    def clear(self) -> None:
        for counter in fields(self):
            setattr(self, counter.name, counter.default)
