"""Whether a qualification request is what it says: opened, bound to its sender, signed by its token."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kiosk.qualification import request as requests
from kiosk.qualification import transcript as transcripts
from kiosk.qualification.consent import ConsentForm
from kiosk.qualification.devices import Device
from kiosk.qualification.request import QualificationRequest, RequestError
from kiosk.qualification.sealing import Purpose, SealingInfo, SuiteName, UnsealError, unseal
from kiosk.qualification.terms import Authentication, Mode, SignatureAlgorithm
from kiosk.qualification.transcript import Transcript, TranscriptError
from kiosk.simulator.service.problems import ProblemCode, Refusal
from kiosk.simulator.service.store import ClientTerminal, ServiceKey, StoredChallenge
from kiosk.simulator.service.token_trust import TokenTrust

CHALLENGE_LIFE_S = 600
SKEW_S = 60.0  #: how far a terminal's trusted clock may be from ours
X25519_BYTES = 32
KEY_ID_LENGTH = 128


@dataclass(frozen=True)
class Opened:
    """A request that opened and reads well; nothing of it is believed yet."""

    request: QualificationRequest
    transcript: Transcript
    certificate: x509.Certificate
    taken_at: datetime

    @property
    def visual(self) -> bool:
        """Whether staff vouch for the person in place of the token's key."""
        return self.transcript.authentication is Authentication.VISUAL


def open_request(
    sealed: bytes, record: str, suite: SuiteName, key: ServiceKey, peer: ClientTerminal
) -> Opened | Refusal:
    """Open the blob with the label that its sender's certificate implies, and read what is in it."""
    label = SealingInfo(Purpose.REQUEST, record, peer.terminal, peer.institution, key.key_id, suite)
    try:
        request = requests.decode(unseal(sealed, X25519PrivateKey.from_private_bytes(key.private), label))
        transcript = transcripts.decode(request.transcript)
        certificate = x509.load_der_x509_certificate(request.certificate)
        taken_at = datetime.fromisoformat(transcript.taken_at)
    except UnsealError:
        return Refusal(ProblemCode.UNSEAL_FAILED)
    except (RequestError, TranscriptError) as fault:
        return Refusal(ProblemCode.MALFORMED, str(fault))
    except (ValueError, TypeError, x509.InvalidVersion):
        return Refusal(ProblemCode.MALFORMED, "the certificate or the time of the transcript cannot be read")
    if taken_at.tzinfo is None or not _well_typed(request, transcript):
        return Refusal(
            ProblemCode.MALFORMED, "a field of the request or the transcript has not its documented type"
        )
    return Opened(request, transcript, certificate, taken_at)


def _well_typed(request: QualificationRequest, transcript: Transcript) -> bool:
    """JSON promises no types, and the codecs check only what they need."""
    texts: tuple[object, ...] = (
        transcript.service,
        transcript.terminal,
        transcript.institution,
        transcript.visit,
        transcript.staff or "",
        request.response_key_id,
    )
    trusted: object = transcript.clock_trusted
    return (
        all(isinstance(text, str) for text in texts)
        and isinstance(trusted, bool)
        and 1 <= len(request.response_key_id) <= KEY_ID_LENGTH
        and len(request.response_key) == X25519_BYTES
    )


def check_sender(opened: Opened, record: str, service: str, peer: ClientTerminal) -> Refusal | None:
    """Header, client certificate and transcript must name the same visit and terminal, and this service."""
    transcript = opened.transcript
    if transcript.visit != record:
        return Refusal(ProblemCode.MALFORMED, "Idempotency-Key and the transcript's visit differ")
    if (transcript.terminal, transcript.institution) != (peer.terminal, peer.institution):
        return Refusal(ProblemCode.TERMINAL_MISMATCH)
    if transcript.service != service:
        return Refusal(
            ProblemCode.MALFORMED, f"the transcript is for another service; this one is {service!r}"
        )
    return None


def check_sense(opened: Opened) -> Refusal | None:
    """Consent belongs to the home mode alone, the visual check to the card and a named member of staff."""
    transcript, request = opened.transcript, opened.request
    asked = transcript.consent.form is not ConsentForm.NOT_ASKED
    if asked != (transcript.mode is Mode.HOME_CONSENT):
        return Refusal(ProblemCode.MALFORMED, "consent and mode disagree")
    if opened.visual:
        if transcript.device is not Device.CARD or not transcript.staff or request.signature is not None:
            return Refusal(
                ProblemCode.MALFORMED, "the visual check needs card and staff number and has no signature"
            )
    elif transcript.staff is not None:
        return Refusal(ProblemCode.MALFORMED, "a staff number belongs to the visual check only")
    return None


def check_token(opened: Opened, trust: TokenTrust | None, now: float) -> Refusal | None:
    """Chain, dates and signature. A visual check has no signature; whether it may come is asked elsewhere."""
    present = datetime.fromtimestamp(now, UTC)
    certificate = opened.certificate
    if trust is not None and not trust.vouches_for(certificate):
        return Refusal(ProblemCode.CERTIFICATE_UNTRUSTED)
    # A record that waited is judged by the day it was taken, if the terminal's clock was right then.
    moment = min(opened.taken_at, present) if opened.transcript.clock_trusted else present
    if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
        return Refusal(ProblemCode.CERTIFICATE_EXPIRED)
    if opened.visual:
        return None
    return None if _signature_fits(opened) else Refusal(ProblemCode.BAD_SIGNATURE)


def _signature_fits(opened: Opened) -> bool:
    """The algorithm must be that of the certificate's key; an ECDSA signature is DER."""
    request = opened.request
    if request.signature is None:
        return False
    try:
        key = opened.certificate.public_key()
        match key, request.algorithm:
            case rsa.RSAPublicKey(), SignatureAlgorithm.RSA_PKCS1_SHA256:
                key.verify(request.signature, request.transcript, padding.PKCS1v15(), hashes.SHA256())
            case ec.EllipticCurvePublicKey(curve=ec.SECP384R1()), SignatureAlgorithm.ECDSA_P384_SHA384:
                key.verify(request.signature, request.transcript, ec.ECDSA(hashes.SHA384()))
            case _:
                return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def check_challenge(
    opened: Opened, found: StoredChallenge | None, peer: ClientTerminal, now: float
) -> Refusal | None:
    """Whether the challenge was ours for this visit, and is unused and in time.

    A record that had to wait comes late. That it was signed after the challenge was given is proven by the
    challenge, that it was not sent twice by its single use, for whom by the visit it is bound to; until when
    it was signed only the terminal's clock says. Where that clock was trusted it must say "in time"; where it
    was not, the record is taken and marked (`is_late`): refusing it would lose a patient's request because of
    a clock.
    """
    if found is None or (found.institution, found.terminal) != (peer.institution, peer.terminal):
        return Refusal(ProblemCode.CHALLENGE_EXPIRED)
    if found.used:
        return Refusal(ProblemCode.CHALLENGE_USED)
    if found.visit != opened.transcript.visit:
        return Refusal(ProblemCode.CHALLENGE_EXPIRED, "the challenge was given for another visit")
    if now <= found.expires:
        return None
    skew = timedelta(seconds=SKEW_S)
    first = datetime.fromtimestamp(found.issued, UTC) - skew
    last = datetime.fromtimestamp(found.expires, UTC) + skew
    if not opened.transcript.clock_trusted or first <= opened.taken_at <= last:
        return None
    return Refusal(ProblemCode.CHALLENGE_EXPIRED)


def is_late(opened: Opened, found: StoredChallenge | None, now: float) -> bool:
    """Whether a record came after its challenge's life and nothing proves when it was signed."""
    return found is not None and now > found.expires and not opened.transcript.clock_trusted
