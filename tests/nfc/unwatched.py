"""Readings and contacts that nobody watches or calls off."""

from kiosk.nfc.antenna import Antenna, Found, Several
from kiosk.nfc.presentation import (
    Attempt,
    ReadClocks,
    TokenConnection,
    TokenReader,
    carry_out,
    read_clocks,
    read_to_end,
)
from kiosk.nfc.protocol.budget import Budget
from kiosk.nfc.protocol.certificate import TrustStore
from kiosk.nfc.protocol.secret import Pin
from kiosk.nfc.protocol.token_contact import Contact, Order, Outcome
from kiosk.qualification.terms import SignatureAlgorithm

DIGESTS = {
    SignatureAlgorithm.RSA_PKCS1_SHA256: bytes(32),
    SignatureAlgorithm.ECDSA_P384_SHA384: bytes(48),
}


def read_unwatched(reader: TokenReader, antenna: Antenna, found: Found | Several, order: Order) -> Attempt:
    """Read what lies there, to the end."""
    return read_to_end(reader.read(antenna, found, order), DIGESTS)


def authenticate_unwatched(
    connection: TokenConnection, store: TrustStore, pin: Pin, order: Order, clocks: ReadClocks = read_clocks
) -> Outcome:
    """Hold one contact to its end; no date is judged."""
    budget = Budget(clocks())
    contact = Contact(store, None, pin, budget, clocks())
    return read_to_end(carry_out(contact.authenticate(order), connection, budget, clocks), DIGESTS)
