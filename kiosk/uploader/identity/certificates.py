"""How long the client certificate lasts, and whether it can be used."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from kiosk.box.clock import Moment
from kiosk.uploader.service.custody import PLAIN, is_locked, level, load_key
from kiosk.uploader.service.tls import Credentials, in_use, key_is_ours

SOON_DAYS = 30.0  #: from here on staff are warned; the levels below it are louder (channel/staff_messages.py)
LOUDER_DAYS = (30, 14, 3)
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class CertificateView:
    """`fault` is one of the words that channel/staff_messages.py lists for "certificate"."""

    fault: str | None
    days: float | None = None
    not_after_s: float | None = None  #: since 1970
    custody: int = PLAIN  #: the key's level of custody


def look_at(credentials: Credentials, now: Moment) -> CertificateView:
    """Judge the pair that is in use, by the clock as far as it is to be believed."""
    credentials = in_use(credentials)
    return replace(_judge(credentials, now), custody=level(credentials.key))


def _judge(credentials: Credentials, now: Moment) -> CertificateView:
    try:
        certificate = x509.load_pem_x509_certificate(credentials.certificate.read_bytes())
        key = load_key(credentials.key.read_bytes(), credentials.secret)
        locked = is_locked(credentials.key, credentials.secret)
    except OSError:
        return CertificateView("missing")
    except ValueError:
        return CertificateView("unusable")
    if not key_is_ours(credentials.key):
        return CertificateView("key_unsafe")
    if locked:
        return CertificateView("key_locked")
    if key is None or certificate.public_key() != key.public_key():
        return CertificateView("unusable")
    days = (_ms(certificate.not_valid_after_utc) - now.best_ms) / _DAY_MS
    if now.trusted or now.floor_ms > _ms(certificate.not_valid_after_utc):
        fault = "expired" if days <= 0 else None
        if now.best_ms < _ms(certificate.not_valid_before_utc):
            fault = "unusable"  # by a clock that is right: it is for later
    else:
        fits = _ms(certificate.not_valid_before_utc) <= now.best_ms <= _ms(certificate.not_valid_after_utc)
        fault = None if fits else "clock"
    if fault is None and days <= SOON_DAYS:
        fault = "ends_soon"
    not_after_s = certificate.not_valid_after_utc.timestamp()
    return CertificateView(fault, None if fault == "clock" else days, not_after_s)


def life_used(certificate: Path, now: Moment) -> float | None:
    """Which part of its life a certificate surely has behind it, 0 to 1 and more; None: it cannot be read."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError):
        return None
    begins, ends = _ms(found.not_valid_before_utc), _ms(found.not_valid_after_utc)
    return ((now.wall_ms if now.trusted else now.floor_ms) - begins) / max(1, ends - begins)


def _ms(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp() * 1000)
