"""The dialogue with a token, stage by stage. No I/O.

Each stage is a generator that yields `CommandApdu`, is sent `ResponseApdu`, and returns what it found out.

The commands and status words are those of public readers of the JPKI application (docs/facts/card.md).
VERIFY (ISO/IEC 7816-4:2020, 11.6.6) is written in one place, `verify`, and that place demands a `PinCounter`:
the answer of this very token, in this activation, that it has two tries left at least, together with the
way of addressing the PIN that gave the answer. There is no other way to it.

Short EF identifiers spare a SELECT per file. Whether a token takes them is learnt from its first answer to
one (`Dialect`); where it does not, SELECT EF comes first. Neither is ever mixed within VERIFY.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TypeVar

from kiosk.nfc.protocol import status_words as status
from kiosk.nfc.protocol import tlv, tokens
from kiosk.nfc.protocol.apdu import (
    INS_GET_RESPONSE,
    INS_READ_BINARY,
    INS_SELECT,
    INS_VERIFY,
    CommandApdu,
    ResponseApdu,
)
from kiosk.nfc.protocol.status_words import SW
from kiosk.qualification.terms import SignatureAlgorithm

R = TypeVar("R")
Dialogue = Generator[CommandApdu, ResponseApdu, R]

BLOCK = 251  #: with SW, PCB and CRC it fills one frame of 256 bytes; 256 would take two
MOST_CERTIFICATE = 8192  #: a real one has 1573 bytes
LEAST_TRIES = 2  #: the kiosk never spends the last one

#: DigestInfo of SHA-256 up to the digest (RFC 8017, 9.2 note 1)
SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")

PPSE = b"2PAY.SYS.DDF01"  #: EMV Contactless Book B, 3.3.2: every payment card has it
TRANSIT_NAMES = (b"1TIC.ICA",)  #: Calypso


@dataclass(frozen=True)
class Dialect:
    """What this token has shown to understand in this activation."""

    short_ef: bool


@dataclass(frozen=True)
class CommandRefused:
    """The token refused; the status word is all that is known."""

    sw: int

    def __str__(self) -> str:
        return status.name(self.sw)


@dataclass(frozen=True)
class NotAuthenticated:
    """The phone's owner has not authenticated, or the proof is gone."""


@dataclass(frozen=True)
class Blocked:
    """No tries are left; only a municipal office can unblock the PIN."""


@dataclass(frozen=True)
class Unusable:
    """The answer has the right status word and the wrong content."""

    reason: str


# ---- select ----------------------------------------------------------------------------------------------


def select() -> Dialogue[bool]:
    """Select the JPKI application; True if it is there."""
    response = yield CommandApdu(0x00, INS_SELECT, 0x04, 0x0C, tokens.AID)
    return response.ok


def payment() -> Dialogue[bool]:
    """Ask whether this is a payment card."""
    response = yield CommandApdu(0x00, INS_SELECT, 0x04, 0x00, PPSE, 256)
    return response.ok


def transit() -> Dialogue[bool]:
    """Ask whether this is a transit card."""
    for name in TRANSIT_NAMES:
        response = yield CommandApdu(0x00, INS_SELECT, 0x04, 0x00, name, 256)
        if response.ok:
            return True
    return False


def _select_ef(ef: int, *, patient: bool = False) -> CommandApdu:
    return CommandApdu(0x00, INS_SELECT, 0x02, 0x0C, ef.to_bytes(2, "big"), patient=patient)


# ---- token -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TokenName:
    """The name in EF 0006 as bytes, and how it was got."""

    name: bytes
    dialect: Dialect


def token_name(*, try_short_ef: bool = True) -> Dialogue[TokenName | CommandRefused | Unusable]:
    """Read the token's name; the first short EF identifier shows whether the token takes them.

    Without `try_short_ef` it is not asked, and SELECT EF is used throughout this activation.
    """
    wanted = tokens.NAME_SIZE
    short_ef = False
    if try_short_ef:
        response = yield CommandApdu(0x00, INS_READ_BINARY, 0x80 | tokens.EF_TOKEN, 0, ne=wanted)
        short_ef = response.ok
    if not short_ef:
        selected = yield _select_ef(tokens.EF_TOKEN)
        if not selected.ok:
            return CommandRefused(selected.sw)
        response = yield CommandApdu(0x00, INS_READ_BINARY, 0, 0, ne=wanted)
        if not response.ok:
            return CommandRefused(response.sw)
    if len(response.data) != wanted:
        return Unusable(f"EF 0006 gave {len(response.data)} bytes of {wanted}")
    return TokenName(response.data, Dialect(short_ef))


# ---- counter ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PinCounter:
    """The tries left by the token's own answer, and the P2 of VERIFY that reached its PIN."""

    left: int
    p2: int


def pin_counter(dialect: Dialect) -> Dialogue[PinCounter | Blocked | CommandRefused]:
    """Ask for the PIN's counter by an empty VERIFY, which spends nothing (JICSAP V1.1, 6.4.9(5))."""
    if dialect.short_ef:
        tries = _tries_left((yield _empty_verify(0x80 | tokens.EF_PIN)), 0x80 | tokens.EF_PIN)
        if not isinstance(tries, CommandRefused) or tries.sw not in status.ADDRESSING_REFUSED:
            return tries
    selected = yield _select_ef(tokens.EF_PIN)
    if not selected.ok:
        return CommandRefused(selected.sw)
    return _tries_left((yield _empty_verify(0x80)), 0x80)


def _empty_verify(p2: int) -> CommandApdu:
    return CommandApdu(0x00, INS_VERIFY, 0x00, p2)


def _tries_left(response: ResponseApdu, p2: int) -> PinCounter | Blocked | CommandRefused:
    if response.sw in status.BLOCKED_WORDS:
        return Blocked()
    left = status.tries(response.sw)
    return CommandRefused(response.sw) if left is None else PinCounter(left, p2)


# ---- verify ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PinAccepted:
    """The token took the PIN."""


@dataclass(frozen=True)
class WrongPin:
    """The PIN was wrong; `left` is the token's own counter now."""

    left: int


def verify(
    pin: bytearray, counter: PinCounter
) -> Dialogue[PinAccepted | WrongPin | Blocked | CommandRefused]:
    """Present the PIN, once, the way its counter was asked for. ValueError below two tries: that is a bug."""
    if counter.left < LEAST_TRIES:
        raise ValueError("VERIFY must not be sent with fewer than two tries left")
    response = yield CommandApdu(0x00, INS_VERIFY, 0x00, counter.p2, pin)
    if response.ok:
        return PinAccepted()
    if response.sw in status.BLOCKED_WORDS:
        return Blocked()
    left = status.tries(response.sw)
    return CommandRefused(response.sw) if left is None else WrongPin(left)


# ---- certificate -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CertificateRead:
    """The certificate's DER, not looked into yet."""

    der: bytes


def certificate(dialect: Dialect) -> Dialogue[CertificateRead | NotAuthenticated | CommandRefused | Unusable]:
    """Read EF 000A in blocks of one frame; the first one's DER header holds the size."""
    first = yield from _first_block(dialect)
    if not isinstance(first, bytes):
        return first
    try:
        head = tlv.header(first)
    except tlv.TlvError as fault:
        return Unusable(f"the certificate begins with {fault}")
    if head.tag != 0x30 or head.total > MOST_CERTIFICATE:
        return Unusable("EF 000A holds no certificate")
    der = bytearray(first[: head.total])
    while len(der) < head.total:
        offset, wanted = len(der), min(BLOCK, head.total - len(der))
        response = yield from _read(CommandApdu(0x00, INS_READ_BINARY, offset >> 8, offset & 0xFF, ne=wanted))
        if (refusal := _refusal(response)) is not None:
            return refusal
        if not 0 < len(response.data) <= wanted:
            return Unusable(f"the certificate ends after {offset} of {head.total} bytes")
        der += response.data
    return CertificateRead(bytes(der))


def _first_block(dialect: Dialect) -> Dialogue[bytes | NotAuthenticated | CommandRefused]:
    if dialect.short_ef:
        response = yield from _read(
            CommandApdu(0x00, INS_READ_BINARY, 0x80 | tokens.EF_CERTIFICATE, 0, ne=BLOCK)
        )
        if response.sw not in status.ADDRESSING_REFUSED:
            refusal = _refusal(response)
            return response.data if refusal is None else refusal
    selected = yield _select_ef(tokens.EF_CERTIFICATE)
    if (refusal := _refusal(selected)) is not None:
        return refusal
    response = yield from _read(CommandApdu(0x00, INS_READ_BINARY, 0, 0, ne=BLOCK))
    refusal = _refusal(response)
    return response.data if refusal is None else refusal


def _read(command: CommandApdu) -> Dialogue[ResponseApdu]:
    """One READ BINARY; 6Cxx (the right Le is xx) and 61xx (xx bytes wait) are followed once each."""
    response = yield command
    if response.sw & 0xFF00 == 0x6C00:
        response = yield replace(command, ne=response.sw & 0xFF or 256)
    if response.sw & 0xFF00 == 0x6100:
        rest = yield CommandApdu(0x00, INS_GET_RESPONSE, 0, 0, ne=response.sw & 0xFF or 256)
        response = ResponseApdu(response.data + rest.data, rest.sw)
    return response


def _refusal(response: ResponseApdu) -> NotAuthenticated | CommandRefused | None:
    if response.ok or response.sw == SW.END_OF_FILE:
        return None
    return (
        NotAuthenticated() if response.sw in status.NOT_AUTHENTICATED_WORDS else CommandRefused(response.sw)
    )


# ---- sign ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signed:
    """A signature that nobody has verified yet."""

    signature: bytes


def sign(
    dialect: Dialect, algorithm: SignatureAlgorithm, digest: bytes
) -> Dialogue[Signed | NotAuthenticated | CommandRefused]:
    """Let the token sign a digest: PERFORM SECURITY OPERATION, proprietary CLA, P1 00 = data as given."""
    data = _to_be_signed(algorithm, digest)
    if dialect.short_ef:
        response = yield _sign(0x80 | tokens.EF_KEY, data)
        if response.sw not in status.ADDRESSING_REFUSED:
            return _signature(response)
    selected = yield _select_ef(tokens.EF_KEY, patient=True)
    if not selected.ok:
        return _signature(selected)
    return _signature((yield _sign(0x80, data)))


def _sign(p2: int, data: bytes) -> CommandApdu:
    return CommandApdu(0x80, 0x2A, 0x00, p2, data, 256)


def _to_be_signed(algorithm: SignatureAlgorithm, digest: bytes) -> bytes:
    match algorithm:
        case SignatureAlgorithm.RSA_PKCS1_SHA256:
            return SHA256_DIGEST_INFO + digest
        case SignatureAlgorithm.ECDSA_P384_SHA384:
            return digest  # the next card's commands are not public; the plainest form is assumed


def _signature(response: ResponseApdu) -> Signed | NotAuthenticated | CommandRefused:
    refusal = _refusal(response)
    return Signed(response.data) if refusal is None else refusal


# ---- end -------------------------------------------------------------------------------------------------


def end(command: CommandApdu) -> Dialogue[None]:
    """Send the token's own last command; its status is ignored."""
    yield command
