"""What the settings say about delivery."""

from dataclasses import dataclass

from kiosk.config.settings import Settings
from kiosk.uploader.delivery.retry import RetryRules


@dataclass(frozen=True)
class DeliveryRules:
    """How records are sent. Times in seconds."""

    service: str
    terminal: str
    institution: str
    challenge_s: float
    patient_s: float  #: so long a patient waits for the answer before the screen says "recorded"
    retry: RetryRules
    drain_per_s: float  #: 0: as fast as the service answers


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
