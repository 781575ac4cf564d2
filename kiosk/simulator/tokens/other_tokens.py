"""Tokens that patients hold to the reader by mistake: a payment card and a transit card."""

from __future__ import annotations

from kiosk.simulator.tokens.card import ApduLog, CardAnswer, Command, SansIoCard

PPSE = b"2PAY.SYS.DDF01"
"""Name of the Proximity Payment System Environment (EMV Contactless Book B 3.3.2)."""

TRANSIT = b"1TIC.ICA"
"""DF name of Calypso transit cards. Japanese transit cards are FeliCa, which the kiosk does not poll for."""


def _tlv(tag: bytes, value: bytes) -> bytes:
    return tag + bytes([len(value)]) + value


PPSE_FCI = _tlv(
    b"\x6f",
    _tlv(b"\x84", PPSE)
    + _tlv(
        b"\xa5",
        _tlv(
            b"\xbf\x0c",
            _tlv(b"\x61", _tlv(b"\x4f", bytes.fromhex("A0000000651010")) + _tlv(b"\x87", b"\x01")),
        ),
    ),
)
TRANSIT_FCI = _tlv(b"\x6f", _tlv(b"\x84", TRANSIT) + _tlv(b"\xa5", _tlv(b"\xbf\x0c", b"\xc7\x08" + bytes(8))))


class NamedApplicationCard(SansIoCard):
    """Knows one application by name, and nothing else: SELECT of any other name is 6A82."""

    def __init__(self, name: bytes, fci: bytes, log: ApduLog | None = None) -> None:
        super().__init__(log)
        self._name, self._fci = name, fci

    def answer(self, command: Command) -> CardAnswer:
        match command.cla, command.ins, command.p1:
            case 0x00, 0xA4, 0x04:
                return CardAnswer(self._fci + b"\x90\x00" if command.data == self._name else b"\x6a\x82")
            case 0x00, 0xA4, _:
                return CardAnswer(b"\x6a\x82")
            case 0x00, _, _:
                return CardAnswer(b"\x6d\x00")
            case _:
                return CardAnswer(b"\x6e\x00")


def payment_card(log: ApduLog | None = None) -> NamedApplicationCard:
    return NamedApplicationCard(PPSE, PPSE_FCI, log)


def transit_card(log: ApduLog | None = None) -> NamedApplicationCard:
    return NamedApplicationCard(TRANSIT, TRANSIT_FCI, log)


def barren_card(log: ApduLog | None = None) -> NamedApplicationCard:
    """What is behind a radio type on which a phone has no application of ours."""
    return NamedApplicationCard(b"none of ours", b"", log)
