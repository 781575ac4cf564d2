"""What the strip's keys do: tokens on and off the virtual reader, the line cut and mended."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import pygame

from kiosk.screens.kit.theme import Colour
from kiosk.simulator.demo.strip import ALARM, CHOSEN, KEY, Handle
from kiosk.simulator.field.field_client import FieldAbsentError, FieldClient, FieldRefusedError
from kiosk.simulator.service.service_control import ControlError, ServiceControl

log = logging.getLogger(__name__)

NOTHING = "none"
CARD: Mapping[str, str] = {"ja": "カード", "en": "Card"}
IPHONE: Mapping[str, str] = {"ja": "iPhone", "en": "iPhone"}
ANDROID: Mapping[str, str] = {"ja": "Android", "en": "Android"}
PAYMENT: Mapping[str, str] = {"ja": "ほかのカード", "en": "Other card"}
TAKE_OFF: Mapping[str, str] = {"ja": "はなす", "en": "Take off"}
LINE_UP: Mapping[str, str] = {"ja": "回線をきる", "en": "Cut the line"}
LINE_DOWN: Mapping[str, str] = {"ja": "回線をつなぐ", "en": "Mend the line"}


class Hands:
    """The hands at one demo; they remember what they did, to show it."""

    def __init__(self, field: Path, service: Path) -> None:
        self._field, self._service = field, ServiceControl(service)
        self._lies, self._line_up = NOTHING, True

    def handles(self) -> list[Handle]:
        """The keys of the strip, from left to right."""
        return [
            self._token("1", (pygame.K_1, pygame.K_KP1), "card", CARD),
            self._token("2", (pygame.K_2, pygame.K_KP2), "iphone", IPHONE),
            self._token("3", (pygame.K_3, pygame.K_KP3), "android", ANDROID),
            self._token("4", (pygame.K_4, pygame.K_KP4), "payment", PAYMENT),
            self._token("0", (pygame.K_0, pygame.K_KP0), NOTHING, TAKE_OFF),
            Handle(
                "S",
                (pygame.K_s,),
                lambda: LINE_UP if self._line_up else LINE_DOWN,
                self._turn_line,
                lambda: KEY if self._line_up else ALARM,
                wide=7,
            ),
        ]

    def _token(self, cap: str, keys: tuple[int, ...], token: str, label: Mapping[str, str]) -> Handle:
        def shade() -> Colour:
            return CHOSEN if token == self._lies != NOTHING else KEY

        return Handle(cap, keys, lambda: label, self._lay(token), shade, wide=6)

    def _lay(self, token: str) -> Callable[[], None]:
        def act() -> None:
            try:
                with FieldClient(self._field) as field:
                    field.remove()
                    self._lies = NOTHING
                    if token != NOTHING:
                        field.tap(token)
                        self._lies = token
            except (FieldAbsentError, FieldRefusedError) as fault:
                log.warning("demo: %s", fault)

        return act

    def _turn_line(self) -> None:
        try:
            if self._line_up:
                self._service.close()
            else:
                self._service.open()
        except (ControlError, OSError) as fault:
            log.warning("demo: %s", fault)
            return
        self._line_up = not self._line_up
