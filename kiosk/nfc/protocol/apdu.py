"""Command and response APDUs (ISO/IEC 7816-4:2020, 5.1 to 5.3), short and extended."""

from dataclasses import dataclass

SHORT_LC = 255
SHORT_NE = 256
EXTENDED_LC = 65535
EXTENDED_NE = 65536

INS_VERIFY = 0x20
INS_SELECT = 0xA4
INS_READ_BINARY = 0xB0
INS_GET_RESPONSE = 0xC0


class GarbledAnswer(Exception):  # noqa: N818  # what the token did, caught as an outcome
    """The token's answer is not a response APDU, or not what the command can have asked for."""


@dataclass(frozen=True, repr=False)
class CommandApdu:
    """What is sent to the token. `data` may be a buffer that its owner wipes; it is never printed."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes | bytearray = b""
    ne: int = 0  #: how many bytes of answer are wanted at most; 256 is Le 00
    patient: bool = False  #: wait as long as for the signature that comes next: one time-out for both

    def __post_init__(self) -> None:
        if not 0 <= len(self.data) <= EXTENDED_LC or not 0 <= self.ne <= EXTENDED_NE:
            raise ValueError("an APDU carries at most 65535 bytes and asks for at most 65536")

    @property
    def extended(self) -> bool:
        """Whether it needs the extended length fields."""
        return len(self.data) > SHORT_LC or self.ne > SHORT_NE

    @property
    def size(self) -> int:
        """How many bytes `encode` gives, without making a copy of the data."""
        lengths = (3 if self.data else 1) + 2 if self.extended else bool(self.data) + bool(self.ne)
        return 4 + len(self.data) + lengths

    def encode(self) -> bytearray:
        """Return the bytes to send, in a buffer that can be wiped."""
        out = bytearray((self.cla, self.ins, self.p1, self.p2))
        if self.extended:
            out.append(0)
            if self.data:
                out += len(self.data).to_bytes(2, "big") + self.data
            if self.ne:
                out += (self.ne % EXTENDED_NE).to_bytes(2, "big")
            return out
        if self.data:
            out.append(len(self.data))
            out += self.data
        if self.ne:
            out.append(self.ne % SHORT_NE)
        return out

    def __repr__(self) -> str:
        header = bytes((self.cla, self.ins, self.p1, self.p2)).hex(" ").upper()
        return f"<{header} Nc={len(self.data)} Ne={self.ne}>"


@dataclass(frozen=True, repr=False)
class ResponseApdu:
    """What the token answered; the data may be personal and is never printed."""

    data: bytes
    sw: int

    @classmethod
    def decode(cls, raw: bytes | bytearray) -> "ResponseApdu":
        """Split an answer into data and status word; raises GarbledAnswer."""
        if not 2 <= len(raw) <= EXTENDED_NE + 2:
            raise GarbledAnswer(f"an answer of {len(raw)} bytes is no response APDU")
        return cls(bytes(raw[:-2]), int.from_bytes(raw[-2:], "big"))

    @property
    def ok(self) -> bool:
        return self.sw == 0x9000

    def __repr__(self) -> str:
        return f"<{len(self.data)} bytes, SW {self.sw:04X}>"
