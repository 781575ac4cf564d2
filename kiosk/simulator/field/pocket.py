"""The tokens of the virtual field: what may be ordered, and the pocket from which tokens are laid down.

A token keeps its PIN tries between taps, as a real one does, until an order names a `state`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from random import Random
from typing import Any, Literal, assert_never, get_args, get_type_hints

from kiosk.simulator.radio.airtime import Technology
from kiosk.simulator.radio.isodep_target import WtxHabit
from kiosk.simulator.radio.picc import Picc, RadioFace
from kiosk.simulator.radio.radio import Departure, Placement
from kiosk.simulator.tokens.card import ApduLog, Card
from kiosk.simulator.tokens.hierarchy import Hierarchy, KeyType
from kiosk.simulator.tokens.jpki_token import Behaviour, ComputingTime, JpkiToken, PinState, TokenKind
from kiosk.simulator.tokens.other_tokens import barren_card, payment_card, transit_card

TokenName = Literal["card", "iphone", "android", "payment", "transit"]
TokenState = Literal["normal", "expired", "one-left", "blocked", "not-authenticated"]

KINDS: Mapping[TokenName, TokenKind] = {
    "card": TokenKind.CARD,
    "iphone": TokenKind.IPHONE,
    "android": TokenKind.ANDROID,
}
TECHNOLOGIES: Mapping[TokenName, Technology] = {
    "card": "B",
    "iphone": "B",
    "android": "B",
    "payment": "A",
    "transit": "A",
}
"""The card is Type B (public); of the phones nothing is public, so B is a setting, not a fact."""


class BadOrderError(ValueError):
    """An order that cannot be carried out; the text is why."""


@dataclass(frozen=True)
class TokenOrder:
    """A token to lay down. None means: as before, or the token's usual."""

    token: TokenName
    state: TokenState | None = None
    pin: str | None = None
    technology: Technology | None = None
    both_types: bool = False
    """A phone that answers as the other radio type too, until one of its two faces has been activated."""
    application_on: Technology | None = None
    """On which of them the JPKI application is; None: on both."""
    key: KeyType = "rsa"
    beside: bool = False
    """Leave there what lies there."""
    remove_after_apdu: int | None = None
    """GoneError by itself after so many answered APDUs (0: as soon as it has been activated)."""
    remove_after_frame: int | None = None
    """GoneError by itself after so many block frames; an odd number: command taken, answer never seen."""
    then: TokenName | None = None
    """Which token takes its place when it goes by itself."""
    forgets: Literal["deselect", "field-off", "both", "never"] = "never"
    """When the iPhone forgets its authentication."""
    short_ef_identifiers: bool = True
    wtx_first: int = 0
    wtx_in_chain: int = 0
    fsci: int = 8
    fwi: int = 10
    sak: int = 0x20
    ats: str | None = None
    """Type A: literal ATS in hexadecimal."""
    uid: str | None = None
    """UID or PUPI in hexadecimal; None draws one at random whenever the field comes on."""
    sign_ms: float | None = None
    verify_ms: float | None = None

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TokenOrder:
        """Check and build; raises `BadOrderError` naming every fault."""
        known = {entry.name for entry in fields(cls)}
        hints = get_type_hints(cls)
        faults = [f"unknown setting {name}" for name in values if name not in known]
        faults += [
            f"{name} must not be {value!r}"
            for name, value in values.items()
            if name in known and not _fits(value, hints[name])
        ]
        if "token" not in values:
            faults.append("token is missing")
        if faults:
            raise BadOrderError("; ".join(faults))
        order = cls(**values)
        order.check()
        return order

    def check(self) -> None:
        """Raise `BadOrderError` if settings contradict each other."""
        if self.state == "not-authenticated" and self.token != "iphone":
            raise BadOrderError("only an iPhone can be not-authenticated")
        if self.state is not None and self.state != "normal" and self.token not in KINDS:
            raise BadOrderError(f"a {self.token} card has no state {self.state}")
        if self.pin is not None and not (self.pin.isascii() and self.pin.isdigit() and len(self.pin) == 4):
            raise BadOrderError("the PIN must be four digits")
        for name in ("ats", "uid"):
            _hexadecimal(name, getattr(self, name))


def _fits(value: object, hint: Any) -> bool:
    options = get_args(hint)
    if not options:
        return isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
    if hint.__class__ is type(Literal["x"]):
        return value in options
    return any(
        value is None
        if option is type(None)
        else _fits(value, option) or (option is float and type(value) is int)
        for option in options
    )


def _hexadecimal(name: str, text: str | None) -> bytes | None:
    try:
        return None if text is None else bytes.fromhex(text)
    except ValueError as fault:
        raise BadOrderError(f"{name} is not hexadecimal") from fault


@dataclass
class Pocket:
    """Holds the patient's tokens between taps, and lays them down."""

    hierarchy: Hierarchy
    time: ComputingTime
    clock: Callable[[], float]
    random: Random
    technologies: Mapping[TokenName, Technology] = field(default_factory=lambda: TECHNOLOGIES)
    log: ApduLog = field(default_factory=ApduLog)
    pins: dict[str, PinState] = field(default_factory=dict)

    def reset(self) -> None:
        """Forget what happened to the tokens."""
        self.pins.clear()
        self.log.clear()

    def presented(self) -> dict[str, int]:
        """How many VERIFY with data each token has got."""
        return {name: pin.presented for name, pin in self.pins.items()}

    def tries_left(self) -> dict[str, int]:
        return {name: pin.left for name, pin in self.pins.items()}

    def placement(self, order: TokenOrder) -> Placement:
        """The token, ready to be laid down now."""
        card, face = self._card(order), self._face(order)
        placement = self._placement(order, card, face)
        if order.both_types:
            other = replace(face, technology="A" if face.technology == "B" else "B")
            twin = self._placement(order, card, other)
            placement.twin, twin.twin = twin, placement
            placement.picc.other_face, twin.picc.other_face = twin.picc, placement.picc
        return placement

    def _placement(self, order: TokenOrder, card: Card, face: RadioFace) -> Placement:
        then = order.then
        if order.application_on not in (None, face.technology):
            card = barren_card(self.log)
        return Placement(
            Picc(card, face, self.random),
            order.token,
            self.clock(),
            Departure(order.remove_after_apdu, order.remove_after_frame),
            successor=None if then is None else lambda: self.placement(TokenOrder(then)),
        )

    def _face(self, order: TokenOrder) -> RadioFace:
        return RadioFace(
            technology=order.technology or self.technologies[order.token],
            sak=order.sak,
            uid=_hexadecimal("uid", order.uid),
            fsci=order.fsci,
            fwi=order.fwi,
            ats=_hexadecimal("ats", order.ats),
            wtx=WtxHabit(before_first=order.wtx_first, in_chain=order.wtx_in_chain),
        )

    def _card(self, order: TokenOrder) -> Card:
        match order.token:
            case "payment":
                return payment_card(self.log)
            case "transit":
                return transit_card(self.log)
            case "card" | "iphone" | "android":
                return self.jpki_token(order)
            case _:
                assert_never(order.token)

    def jpki_token(self, order: TokenOrder) -> JpkiToken:
        """The JPKI token of an order, with the tries that its earlier taps left."""
        kind = KINDS[order.token]
        pin = self._pin(order)
        return JpkiToken(
            kind,
            self.hierarchy.authentication(kind, key=order.key, expired=order.state == "expired"),
            self.hierarchy.signature,
            pin=pin,
            authenticated=order.state != "not-authenticated",
            behaviour=Behaviour(
                short_ef_identifiers=order.short_ef_identifiers,
                forgets_on_deselect=order.forgets in ("deselect", "both"),
                forgets_on_field_off=order.forgets in ("field-off", "both"),
            ),
            time=self._time(order),
            log=self.log,
        )

    def _pin(self, order: TokenOrder) -> PinState:
        pin = self.pins.setdefault(order.token, PinState(b"1234"))
        if order.pin is not None:
            pin.value = order.pin.encode("ascii")
        match order.state:
            case None:
                pass
            case "one-left":
                pin.left = 1
            case "blocked":
                pin.left = 0
            case "normal" | "expired" | "not-authenticated":
                pin.left = pin.most
            case _:
                assert_never(order.state)
        return pin

    def _time(self, order: TokenOrder) -> ComputingTime:
        time = self.time
        if order.sign_ms is not None:
            time = replace(time, sign_s=order.sign_ms / 1000)
        if order.verify_ms is not None:
            time = replace(time, verify_s=order.verify_ms / 1000)
        return time
