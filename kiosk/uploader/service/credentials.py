"""What the client of the service is given: where key and certificate lie, the keys of its enrolment."""

import json
from pathlib import Path

from kiosk.config.uploader_settings import ServiceSettings
from kiosk.uploader.service import wire
from kiosk.uploader.service.tls import Credentials


def credentials_of(settings: ServiceSettings, secret: bytes) -> Credentials:
    """Where the settings say that CA, certificate and key lie; `secret`: what opens the key (custody.py)."""
    return Credentials(settings.ca, settings.certificate, settings.key, secret)


def keys_file(certificate: Path) -> Path:
    """Where enrolment leaves the service's keys, so that a kiosk that was never online can seal."""
    return certificate.with_name(certificate.name + ".keys.json")


def enrolled_keys(credentials: Credentials) -> wire.ServiceKeys | None:
    """The keys that came with the enrolment; None when there are none."""
    try:
        read = wire.read_keys(keys_file(credentials.certificate).read_bytes())
    except (OSError, json.JSONDecodeError):
        return None
    return read if isinstance(read, wire.ServiceKeys) else None
