"""The JPKI application (公的個人認証AP) as card, Android phone and iPhone carry it.

Sources: OpenSC `card-jpki.c`, `pkcs15-jpki.c`; jpki/myna `src/jpki.rs`; soltia48/myna-card
`src/ap/jpki.rs`, all reverse-engineered: no command specification is public. What is in no source is
marked GUESS.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import Enum
from typing import assert_never

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo, Prehashed

from kiosk.simulator.tokens.card import ApduLog, CardAnswer, Command, SansIoCard

AID = bytes.fromhex("D392F000260100000001")

EF_SIGNATURE_CERTIFICATE = 0x0001
EF_SIGNATURE_CA = 0x0002
EF_TOKEN_INFO = 0x0006
EF_PRESENT = 0x0008
EF_AUTHENTICATION_CERTIFICATE = 0x000A
EF_AUTHENTICATION_CA = 0x000B
EF_AUTHENTICATION_KEY = 0x0017
EF_AUTHENTICATION_PIN = 0x0018
EF_SIGNATURE_KEY = 0x001A
EF_SIGNATURE_PASSWORD = 0x001B

OK = b"\x90\x00"
END_OF_FILE = b"\x62\x82"
WRONG_LENGTH = b"\x67\x00"
INCOMPATIBLE_FILE = b"\x69\x81"
SECURITY_STATUS = b"\x69\x82"
BLOCKED = b"\x69\x84"
CONDITIONS = b"\x69\x85"
NO_EF = b"\x69\x86"
WRONG_DATA = b"\x6a\x80"
NOT_FOUND = b"\x6a\x82"
WRONG_P1P2 = b"\x6a\x86"
OFFSET_PAST_END = b"\x6b\x00"
UNKNOWN_INS = b"\x6d\x00"
UNKNOWN_CLA = b"\x6e\x00"

SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
"""DigestInfo of SHA-256 up to the digest (RFC 8017 9.2 note 1)."""


class TokenKind(Enum):
    """Which of the three answers; the value is the name in EF 0006."""

    CARD = "JPKIAPICCTOKEN2"
    ANDROID = "JPKIAPGPSETOKEN"
    IPHONE = "JPKIAPIOSTOKEN"


@dataclass(frozen=True)
class Identity:
    """Key and certificates (DER) of one purpose: authentication or signature."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: bytes
    ca_certificate: bytes


@dataclass(frozen=True)
class Behaviour:
    """How this token answers where tokens differ or nobody knows."""

    short_ef_identifiers: bool = True
    """SFI forms of READ, VERIFY and SIGN (myna-card, real cards; not known for phones)."""
    verified_counter_is_9000: bool = False
    """Empty VERIFY after a right PIN: 9000 as some cards do, else the counter (OpenSC wants the counter)."""
    forgets_on_deselect: bool = False
    forgets_on_field_off: bool = False
    """The phone's own authentication ends with the session (kormax: so do several of Apple's applets)."""


@dataclass(frozen=True)
class ComputingTime:
    """Seconds a real token would take. Nobody has published figures; 0.4 and 0.06 are the plan's."""

    sign_s: float = 0.4
    verify_s: float = 0.06
    other_s: float = 0.0


@dataclass
class PinState:
    """A PIN and its tries. Never printed: the value stays out of `repr`."""

    value: bytes = field(repr=False)
    most: int = 3
    left: int = 3
    verified: bool = False
    presented: int = 0
    """How many VERIFY with data arrived, over the token's whole life."""

    def present(self, value: bytes) -> bytes:
        self.presented += 1
        if self.left == 0:
            return BLOCKED
        if value == self.value:
            self.left, self.verified = self.most, True
            return OK
        self.left, self.verified = self.left - 1, False
        return self.tries()

    def tries(self) -> bytes:
        """63Cx. At none left 63C0; 6984 is what VERIFY with data gets then."""
        return bytes([0x63, 0xC0 | self.left])


def token_info(kind: TokenKind) -> bytes:
    """EF 0006: CK_TOKEN_INFO with 32-bit big-endian numbers, 160 bytes (PKCS#11 v2.01 9.2; layout:
    myna-card).
    """
    text = [(kind.value, 32), ("JPKI virtual", 32), ("virtual", 16), ("0000000000000001", 16)]
    strings = b"".join(word.encode().ljust(size) for word, size in text)
    unavailable = 0xFFFFFFFF
    flags = 0x0000040D  # RNG, login required, user PIN initialised, token initialised
    numbers = struct.pack(
        ">11I", flags, 1, 0, 1, 0, 16, 4, unavailable, unavailable, unavailable, unavailable
    )
    return strings + numbers + b"\x01\x00\x01\x00" + b" " * 16


class JpkiToken(SansIoCard):
    """One token with the JPKI application. The same class lies on the field, in a vpcd and in tests.

    `pin` is handed in so that its tries outlive this object, as they outlive a tap; by default a fresh
    1234, and for the signature password (6 to 16 characters, five tries) ABC123. `authenticated` is the
    iPhone's Face ID or Touch ID, done before it is held to the reader.
    """

    def __init__(
        self,
        kind: TokenKind,
        authentication: Identity,
        signature: Identity,
        *,
        pin: PinState | None = None,
        password: PinState | None = None,
        authenticated: bool = True,
        behaviour: Behaviour | None = None,
        time: ComputingTime | None = None,
        log: ApduLog | None = None,
    ) -> None:
        super().__init__(log)
        self.kind = kind
        self.authenticated = authenticated
        self.ended = False
        self.pin = pin or PinState(b"1234")
        self._password = password or PinState(b"ABC123", 5, 5)
        self._keys = {
            EF_AUTHENTICATION_KEY: authentication.key,
            EF_SIGNATURE_KEY: signature.key,
        }
        self._files = {
            EF_SIGNATURE_CERTIFICATE: signature.certificate,
            EF_SIGNATURE_CA: signature.ca_certificate,
            EF_TOKEN_INFO: token_info(kind),
            EF_PRESENT: b"\x8f\x8f\x00",
            EF_AUTHENTICATION_CERTIFICATE: authentication.certificate,
            EF_AUTHENTICATION_CA: authentication.ca_certificate,
        }
        self._pins = {EF_AUTHENTICATION_PIN: self.pin, EF_SIGNATURE_PASSWORD: self._password}
        self._behaviour = behaviour or Behaviour()
        self._time = time or ComputingTime()
        self._active = False
        self._selected = False
        self._ef: int | None = None

    # -- power and session -------------------------------------------------------------------------

    def power_on(self) -> None:
        self._drop()
        self._active = True

    def power_off(self) -> None:
        if self._active and self._behaviour.forgets_on_field_off:
            self.authenticated = False
        self._drop()

    def deselected(self) -> None:
        if self._active and self._behaviour.forgets_on_deselect:
            self.authenticated = False
        self._drop()

    def _drop(self) -> None:
        self._active = self._selected = False
        self._ef = None
        self._log_out()

    def _log_out(self) -> None:
        for pin in self._pins.values():
            pin.verified = False

    # -- commands ----------------------------------------------------------------------------------

    def answer(self, command: Command) -> CardAnswer:
        match command.cla, command.ins:
            case 0x00, 0xA4:
                return self._timed(self._select(command))
            case 0x00, 0xB0:
                return self._timed(self._read(command))
            case 0x00, 0x20:
                response = self._verify(command)
                return CardAnswer(response, self._time.verify_s if command.data else self._time.other_s)
            case 0x80, 0x2A:
                response = self._sign(command)
                return CardAnswer(response, self._time.sign_s if len(response) > 2 else self._time.other_s)
            case 0x80, 0xFC:
                return self._timed(self._end(command))
            case ((0x00 | 0x80), _):
                return self._timed(UNKNOWN_INS)
            case _:
                return self._timed(UNKNOWN_CLA)

    def _timed(self, response: bytes) -> CardAnswer:
        return CardAnswer(response, self._time.other_s)

    def _select(self, command: Command) -> bytes:
        if command.p2 not in (0x00, 0x0C):
            return WRONG_P1P2
        match command.p1:
            case 0x04:
                return self._select_application(command)
            case 0x02:
                return self._select_file(command)
            case _:
                return WRONG_P1P2

    def _select_application(self, command: Command) -> bytes:
        if command.data != AID:
            return NOT_FOUND  # what was selected stays so
        self._selected, self._ef = True, None
        self._log_out()
        if command.p2 == 0x0C:
            return OK
        name = bytes([0x84, len(AID)]) + AID
        return bytes([0x6F, len(name)]) + name + OK

    def _select_file(self, command: Command) -> bytes:
        if len(command.data) != 2:
            return WRONG_LENGTH
        wanted = int.from_bytes(command.data, "big")
        if not self._selected or not self._known(wanted):
            return NOT_FOUND
        self._ef = wanted
        return OK

    def _known(self, ef: int) -> bool:
        return ef in self._files or ef in self._keys or ef in self._pins

    def _addressed(self, short: int) -> int | bytes:
        """The EF meant by a short identifier (0: the selected one), or the status word that refuses."""
        if not self._selected:
            return NO_EF
        if short == 0:
            return NO_EF if self._ef is None else self._ef
        if not self._behaviour.short_ef_identifiers:
            return WRONG_P1P2
        if not self._known(short):
            return NOT_FOUND
        self._ef = short
        return short

    def _read(self, command: Command) -> bytes:
        by_short = bool(command.p1 & 0x80)
        if by_short and command.p1 & 0x60:
            return WRONG_P1P2
        ef = self._addressed(command.p1 & 0x1F if by_short else 0)
        if isinstance(ef, bytes):
            return ef
        content = self._files.get(ef)
        if content is None:
            return INCOMPATIBLE_FILE
        if not self._readable(ef):
            return SECURITY_STATUS
        offset = command.p2 if by_short else command.p1 << 8 | command.p2
        if offset >= len(content):
            return OFFSET_PAST_END
        part = content[offset : offset + command.expected]
        asked_for_all = command.expected in (256, 65536)  # Le 00 or 0000: as much as there is
        return part + (OK if asked_for_all or len(part) == command.expected else END_OF_FILE)

    def _readable(self, ef: int) -> bool:
        if ef == EF_SIGNATURE_CERTIFICATE:
            return self._password.verified
        if ef != EF_AUTHENTICATION_CERTIFICATE:
            return True
        match self.kind:
            case TokenKind.CARD:
                return True
            case TokenKind.ANDROID | TokenKind.IPHONE:
                return self._entitled()
            case _:
                assert_never(self.kind)

    def _entitled(self) -> bool:
        return self.authenticated if self.kind is TokenKind.IPHONE else self.pin.verified

    def _verify(self, command: Command) -> bytes:
        if command.p1 != 0 or not command.p2 & 0x80 or command.p2 & 0x60:
            return WRONG_P1P2
        ef = self._addressed(command.p2 & 0x1F)
        if isinstance(ef, bytes):
            return ef
        pin = self._pins.get(ef)
        if pin is None:
            return INCOMPATIBLE_FILE
        if self.kind is TokenKind.IPHONE and pin is self.pin:
            return self._verify_on_iphone(command, pin)
        if command.data:
            return pin.present(command.data)
        return OK if pin.verified and self._behaviour.verified_counter_is_9000 else pin.tries()

    def _verify_on_iphone(self, command: Command, pin: PinState) -> bytes:
        """GUESS: no public source has what an iPhone answers here. The PIN is never compared."""
        if command.data:
            pin.presented += 1
            return CONDITIONS
        return OK if self.authenticated else SECURITY_STATUS

    def _sign(self, command: Command) -> bytes:
        if not command.p2 & 0x80 or command.p2 & 0x60:
            return WRONG_P1P2
        ef = self._addressed(command.p2 & 0x1F)
        if isinstance(ef, bytes):
            return ef
        key = self._keys.get(ef)
        if key is None:
            return INCOMPATIBLE_FILE
        allowed = self._entitled() if ef == EF_AUTHENTICATION_KEY else self._password.verified
        if not allowed:
            return SECURITY_STATUS
        match key:
            case rsa.RSAPrivateKey():
                return _sign_rsa(key, command)
            case ec.EllipticCurvePrivateKey():
                return _sign_ec(key, command)
            case _:
                assert_never(key)

    def _end(self, command: Command) -> bytes:
        if self.kind is not TokenKind.IPHONE or command.p1 or command.p2 or command.data:
            return WRONG_LENGTH
        self.ended = True
        return OK


def _sign_rsa(key: rsa.RSAPrivateKey, command: Command) -> bytes:
    """Scheme P1 00: data as given, 1 to 245 bytes; 02: a SHA-256 digest, the token adds DigestInfo
    (myna-card).
    """
    match command.p1:
        case 0x00:
            data = command.data
        case 0x02:
            if len(command.data) != 32:
                return WRONG_DATA
            data = SHA256_PREFIX + command.data
        case _:
            return WRONG_P1P2
    if not 1 <= len(data) <= key.key_size // 8 - 11:
        return WRONG_LENGTH
    return key.sign(data, padding.PKCS1v15(), NoDigestInfo()) + OK


def _sign_ec(key: ec.EllipticCurvePrivateKey, command: Command) -> bytes:
    """GUESS: the next card's commands are not public. P1 00 takes the SHA-384 digest, the answer is DER
    (RFC 3279).
    """
    if command.p1 != 0x00:
        return WRONG_P1P2
    if len(command.data) != 48:
        return WRONG_DATA
    return key.sign(command.data, ec.ECDSA(Prehashed(hashes.SHA384()))) + OK
