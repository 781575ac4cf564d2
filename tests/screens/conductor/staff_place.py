"""The screen process between two sockets, a display and two clocks that the test holds."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pygame

from kiosk import channel as ch
from kiosk.channel.seqpacket import Peer
from kiosk.qualification.sealing import SuiteName
from kiosk.qualification.terms import Mode
from kiosk.screens.app import ScreenApp
from kiosk.screens.conductor.case_file import CaseFile, WallTime
from kiosk.screens.conductor.conductor import Conductor
from kiosk.screens.conductor.page_speech import PageSpeech
from kiosk.screens.conductor.passcode_check import PasscodeCheck
from kiosk.screens.conductor.process_link import ProcessLink
from kiosk.screens.conductor.staff_side import Box, StaffSide
from kiosk.screens.drawing.display import Down, Input, Up
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.drawing.loudspeaker import Loudspeaker
from kiosk.screens.drawing.painter import Painter
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.touch import DigitTouch, Touch
from kiosk.screens.pages.layout import lay_out
from kiosk.screens.warmup import Warmup
from kiosk.visit.events import (
    Action,
    Knocked,
    NumberTyped,
    Pressed,
    TouchEvent,
)
from kiosk.visit.keys import Key
from kiosk.visit.rules import Rules
from kiosk.visit.states import (
    Kiosk,
    OutboxCondition,
    ReaderCondition,
)

VISIT = "01980000-0000-7000-8000-000000000001"
STAFF, PASSCODE = "1001", b"246810"
JST = timezone(timedelta(hours=9))
MORNING = datetime(2026, 11, 22, 8, 5, tzinfo=JST)
HEADER = (100.0, 20.0)
KEYS = ch.SealingKeys(
    service="simulator",
    key_id="k1",
    suite=next(iter(SuiteName)).value,
    public=bytes(32),
    response_key_id="r1",
    response_key=bytes(32),
)
ALL_WELL = ch.CheckResult(
    parts=tuple(ch.CheckItem(part=part) for part in ("line", "clock", "outbox", "disk"))
)


@dataclass
class Other:
    """One of the other processes: a socket whose far end the test holds."""

    peer: Peer | None = None
    far: socket.socket | None = None
    absent: bool = False

    def connect(self, _: Path) -> Peer | None:
        if self.absent:
            return None
        near, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.far.setblocking(False)
        self.peer = Peer(near)
        return self.peer

    def sends(self, *messages: ch.Message) -> None:
        assert self.far is not None
        for message in messages:
            self.far.send(ch.encode(message))

    def drain(self) -> None:
        """Throw away what came."""
        while self.far is not None:
            try:
                self.far.recv(65536)
            except BlockingIOError:
                break

    def heard(self, inbox: msgspec.json.Decoder[Any] = ch.UPLOADER_INBOX) -> list[Any]:
        """What came since the last call; of the uploader, if nothing else is said."""
        found = []
        while self.far is not None:
            try:
                found.append(ch.decode(self.far.recv(65536), inbox))
            except BlockingIOError:
                break
        return found


@dataclass
class Now:
    """Both clocks, moved by the test."""

    monotonic: float = 1000.0
    wall: datetime = MORNING
    trusted: bool = True

    def passes(self, seconds: float) -> None:
        self.monotonic += seconds
        self.wall += timedelta(seconds=seconds)


@dataclass
class Fingers:
    """A display whose touches the test makes."""

    inputs: list[Input] = field(default_factory=list)
    size: tuple[int, int] = (800, 480)
    surface: pygame.Surface = field(default_factory=lambda: pygame.Surface((800, 480)))

    presented: list[Sequence[Rect] | None] = field(default_factory=list)

    def present(self, rects: Sequence[Rect] | None = None) -> None:
        self.presented.append(rects)

    def events(self) -> Sequence[Input]:
        taken, self.inputs = self.inputs, []
        return taken

    def close(self) -> None: ...


@dataclass
class BoxKeys:
    """The two keys of the box."""

    pressed: list[Key] = field(default_factory=list)

    def take(self) -> Sequence[Key]:
        taken, self.pressed[:] = list(self.pressed), []
        return taken


class Nothing:
    """No lamps and no service manager."""

    def update(self, kiosk: Kiosk) -> None: ...

    def close(self) -> None: ...

    def ready(self) -> None: ...

    def alive(self) -> None: ...


@dataclass
class Place:
    """The screen process between the two others."""

    app: ScreenApp
    conductor: Conductor
    uploader: Other
    reader: Other
    now: Now
    fingers: Fingers
    box: list[bool]  #: audible
    look: Look
    keys: list[Key]  #: pressed on the box

    def step(self, *inputs: Input) -> None:
        self.fingers.inputs += inputs
        self.app.step()

    def wait(self, seconds: float) -> None:
        self.now.passes(seconds)
        self.step()

    @property
    def kiosk(self) -> Kiosk:
        return self.conductor.kiosk

    @property
    def screen(self) -> str:
        return self.kiosk.screen.name

    def press(self, *touches: TouchEvent | Action) -> None:
        for touch in touches:
            self.conductor.touch(Pressed(touch) if isinstance(touch, Action) else touch)

    def show(self, kiosk: Kiosk) -> None:
        """Have this state on the screen, for long enough to be touched."""
        self.conductor.kiosk = kiosk
        self.wait(1)
        self.wait(1)

    def touch(self, touch: Touch) -> None:
        """A finger on the target that means this, and off again."""
        targets = lay_out(self.kiosk, self.look).targets
        x, y = next(target.rect.middle for target in targets if target.touch == touch)
        self.step(Down(x, y))
        self.step(Up(x, y))

    def passcode(self, passcode: bytes = PASSCODE) -> None:
        """Number and passcode at the door, compared."""
        self.press(*(NumberTyped(digit) for digit in STAFF), Action.OK)
        self.compare(passcode)

    def compare(self, passcode: bytes = PASSCODE) -> None:
        """The passcode alone, compared."""
        for digit in passcode.decode():
            self.conductor.touch(DigitTouch(digit))
        self.press(Action.OK)
        for _ in range(600):  # the comparison is on a thread of its own; a step waits for at most a tick
            if self.screen not in ("door_passcode", "staff_passcode"):
                return
            self.step()
        raise AssertionError("the passcode was never compared")

    def enter(self) -> None:
        self.press(Knocked())
        self.passcode()
        assert self.screen == "staff_menu"
        self.uploader.heard()


@dataclass
class StaffSideAlone:
    staff_side: StaffSide
    now: Now


@contextmanager
def open_place(look: Look, fonts: FontBook, sound: Loudspeaker | None = None) -> Iterator[Place]:
    """The screen process at rest, both others well; silent, if nothing else is given."""
    sound = sound or Loudspeaker(False)
    uploader, reader, now, box = Other(), Other(), Now(), [True]
    staff_side = StaffSide(lambda: now.wall, lambda: now.trusted, Box(lambda: box[0]))
    links = (
        ProcessLink("reader", Path("r"), ch.READER_OUTBOX, reader.connect),
        ProcessLink("uploader", Path("u"), ch.SCREEN_INBOX, uploader.connect),
    )
    conductor = Conductor(
        Kiosk(Rules(Mode.HOME_CONSENT), "ja"),
        *links,
        case=CaseFile("T1", "1312345670", "s", WallTime(lambda: datetime.now(UTC), lambda: True)),
        staff_side=staff_side,
        passcode=PasscodeCheck(lambda number, typed: (number, bytes(typed)) == (STAFF, PASSCODE)),
        speech=PageSpeech(sound),
        monotonic=lambda: now.monotonic,
        new_visit_id=lambda: VISIT,
    )
    fingers, nothing, keys = Fingers(), Nothing(), BoxKeys()
    painter, rules = Painter(fonts), conductor.kiosk.rules
    app = ScreenApp(
        fingers,
        painter,
        look,
        conductor,
        links,
        nothing,
        sound,
        nothing,
        Warmup(painter, look, rules),
        rules.timing.touch_guard_s,
        lambda: now.monotonic,
        keys=keys.take,
    )
    made = Place(app, conductor, uploader, reader, now, fingers, box, look, keys.pressed)
    made.step()
    reader.sends(ch.ReaderState(condition=ReaderCondition.READY))
    uploader.sends(KEYS, ch.OutboxState(condition=OutboxCondition.READY))
    made.wait(1)
    made.wait(1)  # whoever touches what has only just come is not heeded
    assert made.screen == "start"
    yield made
    app.close()
    for other in (uploader, reader):
        if other.far is not None:
            other.far.close()
