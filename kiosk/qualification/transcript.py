"""What the token signs: the visit, the consent choices and the challenge in one canonical text.

Whoever changes one consent choice afterwards changes the transcript, and the token's signature no longer
fits it. The text is JSON in the canonical form of RFC 8785, after a prefix that keeps a signature made for
this purpose from being taken for another.
"""

import base64
import hashlib
import json
from dataclasses import dataclass

import rfc8785

from kiosk.qualification.consent import Consent, ConsentForm, ConsentItem
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, Mode, SignatureAlgorithm

PREFIX = b"maina-kiosk transcript v1\x00"
VERSION = 1


class TranscriptError(ValueError):
    """The bytes are not a transcript in canonical form."""


@dataclass(frozen=True)
class Transcript:
    """One visit as it is signed. `taken_at` is RFC 3339 in UTC with milliseconds."""

    service: str
    terminal: str
    institution: str
    visit: str
    mode: Mode
    device: Device
    authentication: Authentication
    consent: Consent
    taken_at: str
    clock_trusted: bool
    challenge: bytes | None  #: None: the service could not be asked before the token was recognised
    staff: str | None = None  #: personal staff number, with the visual check only

    def encode(self) -> bytes:
        """Return the canonical bytes, prefix included; two equal transcripts encode alike."""
        return PREFIX + rfc8785.dumps(
            {
                "v": VERSION,
                "service": self.service,
                "terminal": self.terminal,
                "institution": self.institution,
                "visit": self.visit,
                "mode": self.mode.value,
                "device": self.device.value,
                "authentication": self.authentication.value,
                "consent": {
                    "form": self.consent.form.value,
                    "agreed": [item.value for item in self.consent.agreed],
                },
                "taken_at": self.taken_at,
                "clock_trusted": self.clock_trusted,
                "challenge": None if self.challenge is None else base64.b64encode(self.challenge).decode(),
                "staff": self.staff,
            }
        )


def decode(data: bytes) -> Transcript:
    """Read a transcript back; raises TranscriptError unless the bytes are exactly what `encode` writes."""
    if not data.startswith(PREFIX):
        raise TranscriptError("not a transcript: the prefix is missing")
    try:
        fields = json.loads(data[len(PREFIX) :])
        challenge = fields["challenge"]
        transcript = Transcript(
            service=fields["service"],
            terminal=fields["terminal"],
            institution=fields["institution"],
            visit=fields["visit"],
            mode=Mode(fields["mode"]),
            device=Device(fields["device"]),
            authentication=Authentication(fields["authentication"]),
            consent=Consent(
                ConsentForm(fields["consent"]["form"]),
                tuple(ConsentItem(item) for item in fields["consent"]["agreed"]),
            ),
            taken_at=fields["taken_at"],
            clock_trusted=fields["clock_trusted"],
            challenge=None if challenge is None else base64.b64decode(challenge, validate=True),
            staff=fields["staff"],
        )
        canonical = transcript.encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise TranscriptError(f"not a transcript: {type(fault).__name__}") from None
    if canonical != data:
        raise TranscriptError("not a transcript: not in canonical form")
    return transcript


def digests(encoded: bytes) -> dict[SignatureAlgorithm, bytes]:
    """The digest that each algorithm signs; the reader takes the one that fits the certificate's key."""
    return {
        SignatureAlgorithm.RSA_PKCS1_SHA256: hashlib.sha256(encoded).digest(),
        SignatureAlgorithm.ECDSA_P384_SHA384: hashlib.sha384(encoded).digest(),
    }
