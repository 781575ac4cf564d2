"""The refusals of the service: RFC 9457 problems with a stable `code` that clients may rely on."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

CONTENT_TYPE = "application/problem+json"


class ProblemCode(Enum):
    """Each code with its HTTP status and title. The title is for people, the code is for programs."""

    MALFORMED = ("malformed", 400, "The request does not have the documented form")
    UNSEAL_FAILED = ("unseal_failed", 400, "The sealed request does not open with its key and label")
    KEY_UNKNOWN = ("key_unknown", 400, "The service has no key of this id")
    BAD_SIGNATURE = ("bad_signature", 400, "The signature does not fit the transcript and the certificate")
    CERTIFICATE_UNTRUSTED = ("certificate_untrusted", 400, "The token's certificate is of no known CA")
    CERTIFICATE_EXPIRED = ("certificate_expired", 400, "The token's certificate was not valid at that time")
    CERTIFICATE_REVOKED = ("certificate_revoked", 400, "The token's certificate has been revoked")
    REVOKED = ("revoked", 401, "This terminal has been revoked")
    TERMINAL_MISMATCH = ("terminal_mismatch", 403, "The client certificate is of another terminal")
    VISUAL_NOT_ALLOWED = ("visual_not_allowed", 403, "This terminal may not use the visual check")
    ACTIVATION_CODE = ("activation_code", 403, "The activation code is not one of this institution")
    UNKNOWN = ("unknown", 404, "The service knows no such record of this terminal")
    NOT_FOUND = ("not_found", 404, "The service has no such path")
    METHOD_NOT_ALLOWED = ("method_not_allowed", 405, "This path does not take this method")
    IN_PROGRESS = ("in_progress", 409, "The same record is being worked on")
    ACTIVATION_USED = ("activation_used", 409, "The activation code was used with another key or terminal")
    KEY_REUSED = ("key_reused", 409, "A renewal needs a new key; this one has been certified before")
    CHALLENGE_EXPIRED = ("challenge_expired", 410, "The challenge is not known or no longer valid")
    CHALLENGE_USED = ("challenge_used", 410, "The challenge has been used")
    ACTIVATION_EXPIRED = ("activation_expired", 410, "The activation code is older than 24 hours")
    TOO_LARGE = ("too_large", 413, "The body is larger than 64 KiB")
    MEDIA_TYPE = ("media_type", 415, "The body must be application/json")
    PAYLOAD_MISMATCH = ("payload_mismatch", 422, "This Idempotency-Key came with another body before")
    TOO_MANY_REQUESTS = ("too_many_requests", 429, "Too many requests: come back later")
    TOO_MANY_ATTEMPTS = ("too_many_attempts", 429, "Five wrong activation codes: ask for a new one")
    INTERNAL = ("internal", 500, "The service has failed")
    UNAVAILABLE = ("unavailable", 503, "The service is not available: come back later")

    def __init__(self, word: str, status: int, title: str) -> None:
        self.word = word
        self.status = status
        self.title = title


@dataclass(frozen=True)
class Refusal:
    """One refusal. `detail` says what to mend and never repeats content of the request."""

    code: ProblemCode
    detail: str | None = None
    retry_after: int | None = None  #: seconds, sent as Retry-After
    instance: str | None = None  #: the record that is refused: a kiosk buries no other

    def body(self, status: int | None = None) -> dict[str, Any]:
        """The RFC 9457 members; `status` differs from the code's own only in a fault made on purpose."""
        fields: dict[str, Any] = {
            "type": f"urn:maina-kiosk:problem:{self.code.word}",
            "title": self.code.title,
            "status": self.code.status if status is None else status,
            "code": self.code.word,
        }
        if self.detail is not None:
            fields["detail"] = self.detail
        if self.instance is not None:
            fields["instance"] = self.instance
        return fields


def code_of(word: str) -> ProblemCode | None:
    """The code of this name."""
    return next((code for code in ProblemCode if code.word == word), None)


def code_for(status: int) -> ProblemCode:
    """The code that a fault of this HTTP status carries when none is named."""
    match status:
        case 429:
            return ProblemCode.TOO_MANY_REQUESTS
        case 500:
            return ProblemCode.INTERNAL
        case _:
            return next((code for code in ProblemCode if code.status == status), ProblemCode.UNAVAILABLE)
