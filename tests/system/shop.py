"""One demo for a whole test module: opened once, found at the start screen by each test."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.channel import UPLOADER_OUTBOX, Committed, ServiceAnswered, decode
from kiosk.channel.seqpacket import Peer, connect
from kiosk.qualification.terms import Mode
from kiosk.simulator.demo.demo import Demo
from kiosk.simulator.demo.demo_command import STORY_SPEED
from kiosk.simulator.demo.demo_folder import QUICK, prepare
from kiosk.simulator.demo.hand import Hand, board_path
from kiosk.simulator.demo.screen_hand import ScreenHand
from kiosk.simulator.field.field_client import FieldClient

PROCESSES = ("reader", "uploader", "screen")
#: Long enough for a process to come back on a busy machine, so that a visit may go on.
PATIENT: Mapping[str, float] = {**QUICK, "reader_grace_s": 5.0}


@dataclass
class Ear:
    """Hears what the uploader tells everybody: every acknowledgement, for as long as anybody listens."""

    path: Path
    committed: dict[str, str] = field(default_factory=dict)  #: visit -> receipt
    answered: dict[str, str] = field(default_factory=dict)  #: visit -> outcome
    _closing: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._listen, name="ear", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        peer: Peer | None = None
        while not self._closing.wait(0.002):
            if peer is None or not peer.open:
                peer = connect(self.path)
                continue
            while (packet := peer.receive()) is not None:
                match decode(bytes(packet), UPLOADER_OUTBOX):
                    case Committed(visit=visit, receipt=receipt):
                        self.committed[visit] = receipt
                    case ServiceAnswered(visit=visit, outcome=outcome):
                        self.answered[visit] = outcome.value
                    case _:
                        pass
        if peer is not None:
            peer.close()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()


@dataclass
class Shop:
    """The open demo with its hands, and an ear at the uploader."""

    demo: Demo
    client: ScreenHand
    field: FieldClient
    ear: Ear

    def hand(self, mode: Mode = Mode.HOME_CONSENT) -> Hand:
        """The hand in this mode, at the start screen, with a sound field and a sound service."""
        if self.demo.mode is not mode:
            met = self.client.sessions
            self.demo.set_mode(mode)
            self.client.wait_for_another(met)
        self.client.resume()
        hand = self.demo.hand(self.client, self.field)
        hand.mend()
        hand.walk_out()
        self.client.forget()
        return hand

    def starts(self) -> dict[str, int]:
        """How often each process of the kiosk has been started."""
        return {name: self.demo.household.starts(name) for name in PROCESSES}

    def logs(self) -> str:
        """All that the kiosk's processes have written."""
        return "".join(self.demo.household.log_of(name) for name in PROCESSES)

    def wait_for_starts(self, wanted: dict[str, int], seconds: float = 20.0) -> None:
        """Until the service manager's part has been done; fails if it did something else."""
        end = time.monotonic() + seconds
        while self.starts() != wanted and time.monotonic() < end:
            time.sleep(0.01)
        assert self.starts() == wanted


@contextmanager
def open_shop(
    folder: Path, timing: Mapping[str, float] = PATIENT, *, open_door: bool = False
) -> Iterator[Shop]:
    """Open a demo without a display in this folder, and close it in the end."""
    place = prepare(folder, board_path(), timing)
    with Demo(place, STORY_SPEED, {"SDL_VIDEODRIVER": "dummy"}, open_door=open_door) as demo:
        demo.open_shop(Mode.HOME_CONSENT)
        client = ScreenHand(demo.place.story_socket)
        ear = Ear(demo.place.run / "uploader.sock")
        try:
            shop = Shop(demo, client, demo.field(), ear)
            yield shop
            shop.field.close()
        finally:
            ear.close()
            client.close()
