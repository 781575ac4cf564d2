"""What a scenario may do: a patient's and a staff member's hands, and a look behind the counter."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.channel import UPLOADER_OUTBOX, AskRecords, RecordLine, Records, decode, encode
from kiosk.channel.seqpacket import connect
from kiosk.qualification.terms import Mode
from kiosk.simulator.demo.demo_folder import PIN, STAFF_NUMBER, STAFF_PASSCODE, DemoFolder
from kiosk.simulator.demo.household import Household
from kiosk.simulator.demo.screen_hand import PATIENCE_S, ScreenHand, StoryError
from kiosk.simulator.field.field_client import FieldClient
from kiosk.simulator.service.service_control import ServiceControl

RESULTS = ("verified", "not_confirmed", "recorded", "staff_called")


@dataclass
class Hand:
    """The demo as one scenario has it."""

    mode: Mode
    place: DemoFolder
    screen: ScreenHand
    field: FieldClient
    service: ServiceControl
    household: Household

    # ---- the patient -------------------------------------------------------------------------------------

    def begin(self, consent: str = "all") -> None:
        """Touch the start screen and answer the first question of the mode."""
        self.screen.touch("start", on="start")
        if self.mode is Mode.HOME_CONSENT:
            self.screen.touch(consent, on="consent")
        else:
            self.screen.touch("own", on="method")

    def choose(self, device: str) -> None:
        """Say what will be held to the reader."""
        self.screen.touch(device, on="device")

    def type(self, digits: str, on: str) -> None:
        """Type on a pad, then OK."""
        for digit in digits:
            self.screen.wait_for(on)
            seen = len(self.screen.shown)
            self.screen.touch(f"digit_{digit}", on=on, changes_picture=True)
            self.wait_until("the digit is shown", lambda seen=seen: len(self.screen.shown) > seen)  # type: ignore[misc]
        self.screen.touch("ok", on=on)

    def pin(self, digits: str = PIN) -> None:
        """Type the PIN."""
        self.type(digits, "pin")

    def tap(self, token: str, **order: Any) -> None:
        """Lay a token on the reader."""
        self.field.tap(token, **order)

    def remove(self) -> None:
        """Take it away."""
        self.field.remove()

    def read(self, token: str, *, pin: str | None = PIN, **order: Any) -> None:
        """From the device question to the token on the reader."""
        self.choose(token)
        if token != "iphone":
            self.pin(pin or PIN)
        self.screen.wait_for("hold")
        self.tap(token, **order)

    def ends(self, *names: str) -> str:
        """Wait for the result; returns its name."""
        return self.screen.wait_for(*(names or RESULTS)).name

    def leave(self) -> None:
        """Take the token and go: the next patient finds the start screen."""
        self.remove()
        if self.screen.shown[-1].name in RESULTS:
            self.screen.touch("finish")
        self.screen.wait_for("start")
        self.settle()

    def settle(self) -> None:
        """Until the reader has looked at the empty field: to the next patient nothing lies there."""
        polls = int(self.field.counters()["empty_polls"])
        self.field.wait("polls", polls + 1, seconds=PATIENCE_S)

    # ---- staff -------------------------------------------------------------------------------------------

    def visual_check(self) -> None:
        """Staff vouch for the person with number and passcode."""
        self.screen.touch("staff_here", on="visual_check")
        self.type(STAFF_NUMBER, "staff_number")
        self.type(STAFF_PASSCODE, "staff_passcode")
        self.screen.wait_for("hold")

    # ---- behind the counter ------------------------------------------------------------------------------

    def records(self, before: int | None = None) -> tuple[RecordLine, ...]:
        """The newest records (before this sequence number), as `kiosk outbox list` shows them."""
        peer = connect(self.place.run / "uploader.sock")
        if peer is None:
            return ()
        peer.send(encode(AskRecords(before=before)))
        end = time.monotonic() + PATIENCE_S
        try:
            while time.monotonic() < end and peer.open:
                packet = peer.receive()
                if packet is None:
                    time.sleep(0.002)
                    continue
                message = decode(bytes(packet), UPLOADER_OUTBOX)
                if isinstance(message, Records):
                    return message.records
        finally:
            peer.close()
        return ()

    def all_records(self) -> tuple[RecordLine, ...]:
        """All that the outbox holds, the newest last."""
        records = page = self.records()
        while page:
            page = self.records(before=page[0].seq)
            records = page + records
        return records

    def last_record(self) -> RecordLine:
        """The newest record."""
        records = self.records()
        if not records:
            raise StoryError("the outbox holds no record")
        return records[-1]

    def wait_until(self, what: str, reached: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
        """Wait for something that no picture shows."""
        end = time.monotonic() + seconds
        while not reached():
            self.screen.check()
            if time.monotonic() > end:
                raise StoryError(f"waited in vain until {what}")
            time.sleep(0.01)

    def walk_out(self) -> None:
        """Politely to the start screen from wherever this is: finish, or call staff and finish."""
        self.remove()
        end = time.monotonic() + PATIENCE_S
        while (now := self.screen.present()).name != "start":
            way = next((target for target in ("finish", "help") if target in now.targets), None)
            if way is not None and now.name not in ("out_of_service", "starting"):
                self.screen.send(touch=way)
            if not self.screen.changed_since(now, seconds=1.0) and time.monotonic() > end:
                raise StoryError(f"the screen stays {now.name}")
        self.settle()

    def mend(self) -> None:
        """Put everything right after a scenario that went wrong, so that the next one is judged by itself."""
        self.field.reset()
        self.service.clear()
        self.service.open()

    def claim(self, what: str, holds: bool) -> None:
        """Something that must be so."""
        if not holds:
            raise StoryError(f"it should be so, and is not: {what}")


def board_path() -> Path:
    """The repository's pin map; the demo runs from a checkout."""
    return Path(__file__).resolve().parents[3] / "firmware" / "board.toml"
