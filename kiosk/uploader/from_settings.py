"""What the uploader's parts take out of the settings."""

import json
from pathlib import Path

from kiosk.config import Settings
from kiosk.uploader import wire
from kiosk.uploader.delivery import DeliveryRules
from kiosk.uploader.retry import RetryRules
from kiosk.uploader.tls import Credentials


def credentials_of(settings: Settings, secret: bytes) -> Credentials:
    """Where the settings say that CA, certificate and key lie; `secret`: what opens the key (custody.py)."""
    return Credentials(settings.service.ca, settings.service.certificate, settings.service.key, secret)


def rules_of(settings: Settings) -> DeliveryRules:
    """The part of the settings that delivery obeys."""
    return DeliveryRules(
        service=settings.service.name,
        terminal=settings.clinic.terminal,
        institution=settings.clinic.institution,
        challenge_s=settings.rules.timing.challenge_s,
        patient_s=settings.rules.timing.answer_s,
        retry=RetryRules(base_s=settings.outbox.retry_base_s, cap_s=settings.outbox.retry_cap_s),
        drain_per_s=settings.outbox.drain_per_s,
    )


def keys_file(certificate: Path) -> Path:
    """Where enrolment leaves the service's keys, so that a kiosk that was never online can seal."""
    return certificate.with_name(certificate.name + ".keys.json")


def enrolled_keys(credentials: Credentials) -> wire.Keys | None:
    """The keys that came with the enrolment; None when there are none."""
    try:
        read = wire.read_keys(keys_file(credentials.certificate).read_bytes())
    except (OSError, json.JSONDecodeError):
        return None
    return read if isinstance(read, wire.Keys) else None
