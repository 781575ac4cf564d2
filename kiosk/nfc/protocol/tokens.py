"""The one table of My Number tokens. A fourth: its `Device`, and one row here.

All answer the same AID; EF 0006 names which it is (docs/facts/card.md, with its sources; no official
command specification is public, and what phones do beyond this was not checked on a real one).
"""

from dataclasses import dataclass
from enum import Enum, auto

from kiosk.nfc.protocol.apdu import CommandApdu
from kiosk.qualification.devices import Device, OwnersProof

AID = bytes.fromhex("D392F000260100000001")  #: 公的個人認証AP; OpenSC jpki.h, jpki/myna src/jpki.rs

EF_TOKEN = 0x06  #: token info; its first 32 bytes are the name
EF_CERTIFICATE = 0x0A  #: 利用者証明用電子証明書
EF_KEY = 0x17  #: 利用者証明用 private key
EF_PIN = 0x18  #: 利用者証明用 PIN

NAME_SIZE = 32  #: CK_TOKEN_INFO.label, space padded


class Readable(Enum):
    """When the certificate can be read."""

    FREELY = auto()
    AFTER_PROOF = auto()  #: after VERIFY, or after the phone's own authentication


@dataclass(frozen=True)
class Token:
    """How one kind of token is treated."""

    name: str
    device: Device
    certificate: Readable
    last: CommandApdu | None = None  #: sent at the very end, status ignored

    @property
    def proof(self) -> OwnersProof:
        """What it wants before it signs; PHONE: VERIFY is never sent."""
        return self.device.proof


TOKENS = (
    Token("JPKIAPICCTOKEN2", Device.CARD, Readable.FREELY),
    Token("JPKIAPGPSETOKEN", Device.ANDROID, Readable.AFTER_PROOF),
    # 80 FC 00 00 "belongs to the iPhone JPKI-token profile" (myna-card src/ap/jpki.rs, single source)
    Token("JPKIAPIOSTOKEN", Device.IPHONE, Readable.AFTER_PROOF, CommandApdu(0x80, 0xFC, 0, 0)),
)


def find(label: bytes) -> Token | None:
    """Return the token that EF 0006 names, None for a name newer than this table."""
    text = label[:NAME_SIZE].rstrip(b" \x00")
    return next((token for token in TOKENS if token.name.encode("ascii") == text), None)
