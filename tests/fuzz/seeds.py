"""Where the fuzzer begins: a script for each known misdeed of tokens, and what earlier runs kept.

`seeds/TARGET.hex` holds inputs that reached something new, one per line; `cases/TARGET.hex` holds those that
broke a promise once, with a note on what was mended. No certificate is among them: where one is wanted it is
made when the run begins, for an invented token.
"""

import struct
import uuid
from collections.abc import Iterator
from pathlib import Path

from kiosk.channel import ArmReader, BeginContact, EndContact, Message, SignDigests, encode, pin_frame
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication
from kiosk.simulator.tokens.jpki_token import TokenKind
from tests.fuzz.harness import ORDERS, opening
from tests.fuzz.script import Do, Lie, write
from tests.fuzz.world import DIGESTS, World

HERE = Path(__file__).parent
BLOCK = 251  #: what a READ of the dialogue asks for
BEFORE_APDUS = 4  #: look, look for a second token, ask whether it is there, activate: so many frames at least


def kept(kind: str, target: str) -> list[bytes]:
    """The inputs of `seeds/TARGET.hex` or `cases/TARGET.hex`."""
    path = HERE / kind / f"{target}.hex"
    lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    return [bytes.fromhex(line.partition("#")[0]) for line in lines if line.partition("#")[0].strip()]


def made(target: str, world: World) -> list[bytes]:
    """The inputs that are made here."""
    match target:
        case "token":
            return list(_token(world))
        case "parsers":
            return list(_parsers(world))
        case "channel":
            return list(_channel())
        case _:
            raise ValueError(f"there is no target {target}")


def _token(world: World) -> Iterator[bytes]:
    kinds = (TokenKind.CARD, TokenKind.ANDROID, TokenKind.IPHONE, TokenKind.CARD)
    for order, kind in enumerate(kinds):
        for type_a in (False, True):
            yield opening(kind, order, type_a=type_a)
            yield bytes([opening(kind, order, type_a=type_a)[0] | 0x40, 0])  # EC key
            yield bytes([opening(kind, order, type_a=type_a)[0] | 0x20, 0])  # no short EF identifiers
            yield bytes([opening(kind, order, type_a=type_a)[0] | 0x80, 0])  # a look without PIN
            yield bytes([opening(kind, order, type_a=type_a)[0], 0x80])  # a transit card beside it
    yield opening(None, 0)
    card = opening(TokenKind.CARD, 0)
    for number in range(1, 30):
        for lie in _lies():
            yield card + write(number, lie)
    for block in _as_blocks(world.identity(ec=True).certificate):
        yield card + write(BEFORE_APDUS + 2, *block)


def _lies() -> tuple[Lie, ...]:
    return (
        Lie(Do.SILENCE),
        Lie(Do.GONE),
        Lie(Do.DAMAGE),
        Lie(Do.EXTENSION, b"\x01"),
        Lie(Do.EXTENSION, b"\x3b"),
        Lie(Do.EXTENSION, b"\xff"),
        Lie(Do.ACKNOWLEDGE, b"\x00"),
        Lie(Do.ACKNOWLEDGE, b"\x01"),
        Lie(Do.CHAIN),
        Lie(Do.CUT, b"\x01"),
        Lie(Do.REFUSE, b"\x63\xc1"),
        Lie(Do.REFUSE, b"\x6c\x10"),
        Lie(Do.REFUSE, b"\x61\x10"),
        Lie(Do.REFUSE, b"\x69\x82"),
        Lie(Do.REFUSE, b"\x6a\x86"),
        Lie(Do.STATUS, b"\x62\x82"),
        Lie(Do.SPOIL, b"\x00\x05\x01"),
        Lie(Do.LENGTHEN, b"\x00"),
        Lie(Do.DATA, b"\x30\x82\x1f\xf0"),
        Lie(Do.LITERAL, b"\x00"),
        Lie(Do.LITERAL, b"\x50" + bytes(11)),
    )


def _as_blocks(certificate: bytes) -> Iterator[list[Lie | int]]:
    """The certificate as a token would say it, whole and with what parsers have stumbled over."""
    for content in (
        certificate,
        certificate.replace(b"\x06\x03\x55\x1d", b"\x06\x03\x55\x1e"),
        certificate.replace(b"\x02\x01\x02", b"\x02\x01\x03"),
        certificate[: len(certificate) // 2] + bytes(len(certificate) - len(certificate) // 2),
    ):
        parts = [content[at : at + BLOCK] for at in range(0, len(content), BLOCK)]
        yield [Lie(Do.DATA, part) for part in parts]


def _parsers(world: World) -> Iterator[bytes]:
    yield from (world.identity(ec=ec).certificate for ec in (False, True))
    yield world.identity(ec=False).ca_certificate
    yield b"\x30\x03\x02\x01\x05" + b"\x7f\x21\x81\x02\x04\x00"
    yield b"\x06\x78\x80\x70\x02\x00"  # an ATS
    yield bytes.fromhex("5008010203000000 41b381a1".replace(" ", ""))  # an ATQB
    yield b"JPKIAPICCTOKEN2".ljust(32)


def _channel() -> Iterator[bytes]:
    visit, other = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
    messages: tuple[Message, ...] = (
        BeginContact(visit=visit),
        *(
            ArmReader(visit=visit, device=order.device or Device.CARD, authentication=way)
            for order in ORDERS
            for way in Authentication
        ),
        SignDigests(visit=visit, digests=DIGESTS),
        SignDigests(visit=other, digests=DIGESTS),
        EndContact(visit=visit),
    )
    packets = [encode(message) for message in messages]
    packets += [bytes(pin_frame(visit, bytearray(b"1234"))), bytes(pin_frame(other, bytearray(b"12a4")))]
    packets += [b"", b"{}", b"[" * 64, b"\x01", b"\xff"]
    framed = [struct.pack(">H", len(packet)) + packet for packet in packets]
    yield from framed
    yield b"".join(framed)
