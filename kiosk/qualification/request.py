"""The qualification request: a signed transcript with the certificate that proves it."""

import base64
import json
from dataclasses import dataclass

import rfc8785

from kiosk.qualification.terms import SignatureAlgorithm

VERSION = 1


class RequestError(ValueError):
    """The bytes are not a qualification request."""


@dataclass(frozen=True)
class QualificationRequest:
    """What is sealed to the service.

    `signature` and `algorithm` are None for the visual check: possession of the key is then unproven, and the
    service accepts it only from terminals that are allowed to send such requests.
    """

    transcript: bytes
    certificate: bytes  #: DER, the authentication certificate (利用者証明用電子証明書)
    signature: bytes | None
    algorithm: SignatureAlgorithm | None
    response_key_id: str
    response_key: bytes  #: raw X25519 public key of the uploader's boot: answers are sealed to it

    @property
    def possession(self) -> str:
        """Whether the token proved that it holds its key."""
        return "proven" if self.signature is not None else "unproven"

    def encode(self) -> bytes:
        """Return the bytes to be sealed."""
        return rfc8785.dumps(
            {
                "v": VERSION,
                "transcript": base64.b64encode(self.transcript).decode(),
                "certificate": base64.b64encode(self.certificate).decode(),
                "signature": None if self.signature is None else base64.b64encode(self.signature).decode(),
                "algorithm": None if self.algorithm is None else self.algorithm.value,
                "possession": self.possession,
                "response_key_id": self.response_key_id,
                "response_key": base64.b64encode(self.response_key).decode(),
            }
        )


def decode(data: bytes) -> QualificationRequest:
    """Read a request back; raises RequestError when the bytes are anything else."""
    try:
        fields = json.loads(data)
        signature, algorithm = fields["signature"], fields["algorithm"]
        request = QualificationRequest(
            transcript=base64.b64decode(fields["transcript"], validate=True),
            certificate=base64.b64decode(fields["certificate"], validate=True),
            signature=None if signature is None else base64.b64decode(signature, validate=True),
            algorithm=None if algorithm is None else SignatureAlgorithm(algorithm),
            response_key_id=fields["response_key_id"],
            response_key=base64.b64decode(fields["response_key"], validate=True),
        )
        stated = fields["possession"]
    except (ValueError, KeyError, TypeError, RecursionError) as fault:
        raise RequestError(f"not a qualification request: {type(fault).__name__}") from None
    if stated != request.possession or (signature is None) != (algorithm is None):
        raise RequestError("not a qualification request: possession and signature disagree")
    return request
