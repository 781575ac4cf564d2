"""What lies on the reader, and what the air does to frames: tokens, collisions, losses, removal.

No I/O and no sleeping: an exchange returns what came back and how long it took; the chip waits.
`Placement`s are changed under `RadioField.lock`, by the control side and by the chip's own thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from random import Random

from kiosk.simulator.radio.airtime import RadioModel, Technology
from kiosk.simulator.radio.isodep_target import Reply, is_information
from kiosk.simulator.radio.meter import RadioMeter
from kiosk.simulator.radio.picc import Picc, PiccState


class Arrival(Enum):
    """What the reader gets of a token's frame. (A token ignores spoilt ones: loss is silence.)"""

    SOUND = "sound"
    LOST = "lost"
    GARBLED = "garbled"


@dataclass
class FrameLoss:
    """Which block frames get lost. Counted are frames between reader and an activated token (not polls, RATS,
    ATTRIB), both directions, from 1 at the time this rule was set: with nothing lost, odd ones are the
    reader's.
    """

    every: int = 0
    numbers: frozenset[int] = frozenset()
    probability: float = 0.0
    damage: Arrival = Arrival.LOST
    random: Random = field(default_factory=lambda: Random(0))  # noqa: S311 (a seeded fault, not a secret)
    seen: int = 0

    def strikes(self) -> bool:
        """Count one frame; True if it does not arrive."""
        self.seen += 1
        if self.every and self.seen % self.every == 0:
            return True
        return self.seen in self.numbers or (self.probability > 0 and self.random.random() < self.probability)


@dataclass(frozen=True)
class Departure:
    """When a token goes by itself. Counted from its placement; None never.

    `after_frames` counts block frames of both directions: after an odd one the token has got the reader's
    frame and acted on it, but its answer never arrives.
    """

    after_apdus: int | None = None
    after_frames: int | None = None


@dataclass
class Placement:
    """A token on the reader, since `since` (seconds of CLOCK_MONOTONIC)."""

    picc: Picc
    name: str
    since: float
    departure: Departure = Departure()
    twin: Placement | None = field(default=None, repr=False, compare=False)
    """The same phone by its other radio type: it comes and goes with this one."""
    successor: Callable[[], Placement] | None = None
    """Makes the token that takes this one's place when it departs by itself (a swap between APDUs)."""
    frames: int = 0
    apdus_before: int = 0

    @property
    def apdus(self) -> int:
        return self.apdus_before + self.picc.apdus_answered


@dataclass(frozen=True)
class Responded:
    """One token answered; `block`: an activated one. `RadioField.arrive` decides what arrives of it."""

    placement: Placement
    reply: Reply
    block: bool
    air_s: float = 0.0


@dataclass(frozen=True)
class Collided:
    """Several answered at once."""

    seconds: float


@dataclass(frozen=True)
class NoResponse:
    """Nobody answered; the reader's own frame took `air_s`."""

    air_s: float


Outcome = Responded | Collided | NoResponse


class RadioField:
    """The reader's field. `clock` is CLOCK_MONOTONIC in seconds."""

    def __init__(self, model: RadioModel, meter: RadioMeter, clock: Callable[[], float]) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.model = model
        self.meter = meter
        self.loss = FrameLoss()
        self.clock = clock
        self.on_since: float | None = None
        self.presented_at: float | None = None
        self.departed_at: float | None = None  # by itself
        self._placements: list[Placement] = []

    # -- what lies there ---------------------------------------------------------------------------

    @property
    def placements(self) -> tuple[Placement, ...]:
        return tuple(self._placements)

    def place(self, placement: Placement, *, beside: bool = False) -> None:
        """Lay a token down: alone, or beside what is there."""
        with self.lock:
            if not beside:
                self.clear()
            self._put(placement)

    def _put(self, placement: Placement) -> None:
        self._placements.append(placement)
        self.presented_at = placement.since
        if self.on_since is not None:
            placement.picc.field_on()
        if placement.twin is not None and not self.lies(placement.twin):
            self._put(placement.twin)
        self.changed.notify_all()

    def remove(self, placement: Placement) -> None:
        """Take this token away; nothing happens if it has gone already."""
        with self.lock:
            if placement in self._placements:
                self._placements.remove(placement)
                placement.picc.field_off()
                if placement.twin is not None:
                    self.remove(placement.twin)
                self.changed.notify_all()

    def clear(self) -> None:
        """Take everything away."""
        for placement in self.placements:
            self.remove(placement)

    def lies(self, placement: Placement) -> bool:
        return placement in self._placements

    def depart_if_due(self, placement: Placement, *, new_command: bool = False) -> bool:
        """Apply the token's own departure rule to what has been counted; True if it has left.

        `new_command`: an APDU is about to arrive, which a token that goes after 0 APDUs does not live to see.
        """
        rule = placement.departure
        least = 0 if new_command else 1
        due = (rule.after_apdus is not None and placement.apdus >= max(least, rule.after_apdus)) or (
            rule.after_frames is not None and placement.frames >= rule.after_frames
        )
        if due and self.lies(placement):
            self.departed_at = self.clock()
            self.remove(placement)
            if placement.successor is not None:
                self._put(placement.successor())
        return due

    # -- the carrier -------------------------------------------------------------------------------

    def switch_on(self) -> None:
        with self.lock:
            if self.on_since is None:
                self.on_since = self.clock()
                for placement in self._placements:
                    placement.picc.field_on()

    def switch_off(self) -> None:
        with self.lock:
            self.on_since = None
            for placement in self._placements:
                placement.apdus_before = placement.apdus
                placement.picc.field_off()

    def waking_s(self) -> float:
        """Seconds until every token that lies here has had the field long enough to answer."""
        if self.on_since is None or not self._placements:
            return 0.0
        fed_since = max(self.on_since, *(placement.since for placement in self._placements))
        return max(0.0, fed_since + self.model.wake_s - self.clock())

    def of_type(self, technology: Technology) -> list[Placement]:
        return [placement for placement in self._placements if placement.picc.technology == technology]

    def _awake(self, placement: Placement) -> bool:
        if placement.picc.state is not PiccState.IDLE or self.on_since is None:
            return True
        return self.clock() - max(self.on_since, placement.since) >= self.model.wake_s

    # -- frames ------------------------------------------------------------------------------------

    def transmit(self, technology: Technology, frame: bytes, *, bits: int = 8, speed: int = 0) -> Outcome:
        """One frame of the reader (without CRC) and what answers it."""
        self.meter.radio_frames += 1
        alone = self.model.lone_frame_s(technology, len(frame), speed)
        if self.on_since is None:
            return NoResponse(alone)
        deliveries = [
            self._deliver(placement, technology, frame, bits, speed) for placement in self.placements
        ]
        answers = [answer for answer in deliveries if answer is not None]
        self.meter.radio_frames += len(answers)
        if not answers:
            return NoResponse(alone)
        longest = max(len(answer.reply.frame) for answer in answers)
        air_s = self.model.exchange_s(technology, len(frame), longest, speed)
        return Collided(air_s) if len(answers) > 1 else replace(answers[0], air_s=air_s)

    def _deliver(
        self, placement: Placement, technology: Technology, frame: bytes, bits: int, speed: int
    ) -> Responded | None:
        picc = placement.picc
        if picc.technology != technology or picc.speed != speed or not self._awake(placement):
            return None
        if picc.activated:
            return self._deliver_block(placement, frame)
        activations = picc.activations
        reply = picc.receive(frame, bits)
        self.meter.activations += picc.activations - activations
        return None if reply is None else Responded(placement, reply, block=False)

    def _deliver_block(self, placement: Placement, frame: bytes) -> Responded | None:
        if self.depart_if_due(placement, new_command=is_information(frame)):
            return None
        self.meter.radio_blocks += 1
        placement.frames += 1
        if self.loss.strikes():
            self.meter.lost_frames += 1
            self.depart_if_due(placement)
            return None
        before = placement.apdus
        reply = placement.picc.receive(frame)
        if not placement.picc.activated:
            placement.apdus_before = before
        if reply is None:
            self.depart_if_due(placement)
            return None
        return Responded(placement, reply, block=True)

    def arrive(self, answer: Responded) -> Arrival:
        """What reaches the reader of an answer, asked after the token's computing time.

        Counts the frame, and lets the token depart if that is due.
        """
        placement = answer.placement
        if not self.lies(placement):
            return Arrival.LOST
        if not answer.block:
            return Arrival.SOUND
        rule = placement.departure.after_frames
        if rule is not None and placement.frames >= rule:
            self.depart_if_due(placement)
            return Arrival.LOST
        placement.frames += 1
        arrival = self.loss.damage if self.loss.strikes() else Arrival.SOUND
        self.meter.lost_frames += arrival is not Arrival.SOUND
        self.depart_if_due(placement)
        return arrival
