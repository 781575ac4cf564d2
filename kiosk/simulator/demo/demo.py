"""Everything on one desk: the three processes of the kiosk, the virtual field and the simulated service."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kiosk.qualification.terms import Mode
from kiosk.simulator.demo.demo_folder import (
    ACTIVATION_CODE,
    INSTITUTION,
    TERMINAL,
    DemoFolder,
    enrol,
    kiosk_argv,
)
from kiosk.simulator.demo.hand import Hand
from kiosk.simulator.demo.household import Household
from kiosk.simulator.demo.screen_hand import ScreenHand
from kiosk.simulator.field.field_client import FieldAbsentError, FieldClient
from kiosk.simulator.service.service_control import ServiceControl

START_S = 30.0  #: the slowest of machines, keys made for the first time


@dataclass(frozen=True)
class Speed:
    """How much the simulated world takes its time."""

    sign_ms: float = 400.0
    verify_ms: float = 60.0
    usb_ms: float = 0.5


class Demo:
    """Starts everything in the order that a clinic would, and ends it. A context manager."""

    def __init__(
        self, place: DemoFolder, speed: Speed, screen: Mapping[str, str], *, open_door: bool = False
    ) -> None:
        """`screen` is the environment of the screen process; with `open_door`, card programs of others may
        lie on the field (`vpcd_port`)."""
        self.place, self._speed, self._screen = place, speed, dict(screen)
        self._open_door = open_door
        self.household = Household(place.folder)
        self.service = ServiceControl(place.service_control)
        self.mode: Mode | None = None

    def __enter__(self) -> "Demo":
        return self

    def __exit__(self, *_: object) -> None:
        self.household.close()

    def open_shop(self, mode: Mode) -> None:
        """Field, service, enrolment, reader, uploader, screen."""
        self._start_field()
        port, enrol_port, ca = self._start_service()
        self.place.write_settings(port)
        enrol(self.place, ca, enrol_port)
        config = str(self.place.settings(mode))
        self.household.start("reader", kiosk_argv("reader", "--config", config))
        self.household.start("uploader", kiosk_argv("uploader", "--config", config))
        self.set_mode(mode)

    def set_mode(self, mode: Mode) -> None:
        """Start the screen process for this mode, in place of the one that runs."""
        if self.mode is mode:
            return
        if self.mode is not None:
            self.household.stop("screen")
        self.mode = mode
        argv = [
            kiosk_argv()[0],
            "-m",
            "kiosk.simulator.demo.demo_screen",
            "--config",
            str(self.place.settings(mode)),
            "--folder",
            str(self.place.folder),
        ]
        self.household.start("screen", argv, self._screen)

    def _start_field(self) -> None:
        speed = self._speed
        self.household.start(
            "field",
            kiosk_argv(
                "simulate",
                "field",
                "--socket",
                str(self.place.field),
                "--usb-ms",
                str(speed.usb_ms),
                "--card-sign-ms",
                str(speed.sign_ms),
                "--card-verify-ms",
                str(speed.verify_ms),
                *(("--vpcd", "0") if self._open_door else ()),
            ),
        )

    @property
    def vpcd_port(self) -> int:
        """Where card programs may lie on the field."""
        self.field().close()  # it listens when it answers
        told = re.findall(r"card programs at [0-9.]+:(\d+)", self.household.log_of("field"))
        if not told:
            raise RuntimeError("the field was started without a door for card programs")
        return int(told[-1])  # of its present life

    def _start_service(self) -> tuple[int, int, Path]:
        place = self.place
        self.household.start(
            "service",
            kiosk_argv(
                "simulate",
                "service",
                "--folder",
                str(place.service_folder),
                "--control",
                str(place.service_control),
                "--name",
                place.service_name,
                "--token-trust",
                str(place.trust),
                "--institution",
                INSTITUTION,
                "--activation-code",
                ACTIVATION_CODE,
                "--allow-visual",
                TERMINAL,
            ),
        )
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            for line in self.household.log_of("service").splitlines():
                if line.startswith('{"ready"'):
                    ready = json.loads(line)
                    return ready["port"], ready["enrol_port"], Path(ready["ca"])
            time.sleep(0.01)
        raise RuntimeError(f"the simulated service did not start: {self.household.log_of('service')[-500:]}")

    def field(self) -> FieldClient:
        """A new hand at the virtual field, as soon as it is there."""
        end = time.monotonic() + START_S
        while True:
            try:
                return FieldClient(self.place.field)
            except FieldAbsentError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)

    def hand(self, client: ScreenHand, field: FieldClient) -> Hand:
        """What a scenario is played with."""
        if self.mode is None:
            raise AssertionError("the demo is not open")
        return Hand(self.mode, self.place, client, field, self.service, self.household)
