"""A witness for contacts that are not watched."""

from kiosk.nfc.protocol.tokens import Token
from kiosk.qualification.terms import SignatureAlgorithm
from kiosk.visit.states import Stage


class Quiet:
    """A witness who gives digests and wants nothing."""

    def attend(self) -> None:
        pass

    def recognised(self, token: Token) -> None:
        pass

    def reached(self, stage: Stage) -> None:
        pass

    def digests(self) -> dict[SignatureAlgorithm, bytes] | None:
        return {
            SignatureAlgorithm.RSA_PKCS1_SHA256: bytes(32),
            SignatureAlgorithm.ECDSA_P384_SHA384: bytes(48),
        }
