"""What one visit needs between the token and the outbox: frozen transcript, evidence, sealed bytes.

All of it is gone when the visit ends. Nothing here is logged.
"""

import base64
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from kiosk.channel import CommitRecord, Evidence, SealingKeys, SignDigests
from kiosk.qualification.request import QualificationRequest
from kiosk.qualification.sealing import Purpose, SealingInfo, SealingKey, SuiteName, seal
from kiosk.qualification.transcript import Transcript, digests
from kiosk.visit.states import Visit

#: 電子証明書の更新は有効期間満了の3か月前から (地方公共団体情報システム機構).
RENEWABLE_MONTHS = 3


@dataclass(frozen=True)
class WallTime:
    """The wall clock and whether it may be believed."""

    now: Callable[[], datetime]
    trusted: Callable[[], bool]


class CaseFile:
    """The papers of the present visit."""

    def __init__(self, terminal: str, institution: str, service: str, clock: WallTime) -> None:
        self._terminal, self._institution = terminal, institution
        self._service, self._clock = service, clock
        self._transcript: Transcript | None = None
        self._evidence: Evidence | None = None
        self._record: CommitRecord | None = None

    def freeze(self, visit: Visit) -> SignDigests:
        """Write the transcript as the visit stands now; return what the reader is to sign."""
        if visit.device is None or visit.authentication is None:
            raise AssertionError("a transcript is frozen only after device and authentication are chosen")
        taken = self._clock.now().astimezone(UTC)
        self._transcript = Transcript(
            service=self._service,
            terminal=self._terminal,
            institution=self._institution,
            visit=visit.id,
            mode=visit.mode,
            device=visit.device,
            authentication=visit.authentication,
            consent=visit.consent,
            taken_at=taken.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            clock_trusted=self._clock.trusted(),
            challenge=None if visit.challenge is None else base64.b64decode(visit.challenge),
            staff=visit.staff,
        )
        return SignDigests(visit=visit.id, digests=digests(self._transcript.encode()))

    def keep(self, evidence: Evidence) -> None:
        """Hold the token's evidence until the request is sealed."""
        self._evidence = evidence

    def ends_soon(self, evidence: Evidence) -> bool:
        """Whether the certificate ends within three months: it can be renewed at the town office now."""
        now = self._clock.now()
        month = now.month + RENEWABLE_MONTHS
        year, month = now.year + (month - 1) // 12, (month - 1) % 12 + 1
        limit = now.replace(year=year, month=month, day=min(now.day, monthrange(year, month)[1]))
        return self._clock.trusted() and datetime.fromisoformat(evidence.not_after) <= limit

    def sealed(self, visit: Visit, keys: SealingKeys | None) -> CommitRecord | None:
        """The record to commit, the same bytes each time; None: nothing to seal with or nothing to seal."""
        if self._record is not None and self._record.visit == visit.id:
            return self._record
        transcript, evidence = self._transcript, self._evidence
        if keys is None or transcript is None or evidence is None:
            return None
        if transcript.visit != visit.id or evidence.visit != visit.id:
            return None
        self._record = self._seal(transcript, evidence, keys)
        self._evidence = None
        return self._record

    def _seal(self, transcript: Transcript, evidence: Evidence, keys: SealingKeys) -> CommitRecord:
        request = QualificationRequest(
            transcript=transcript.encode(),
            certificate=evidence.certificate,
            signature=evidence.signature,
            algorithm=evidence.algorithm,
            response_key_id=keys.response_key_id,
            response_key=keys.response_key,
        )
        key = SealingKey(keys.key_id, SuiteName(keys.suite), keys.public)
        label = SealingInfo(
            purpose=Purpose.REQUEST,
            record=transcript.visit,
            terminal=transcript.terminal,
            institution=transcript.institution,
            key_id=key.key_id,
            suite=key.suite,
        )
        return CommitRecord(
            visit=transcript.visit,
            suite=key.suite.value,
            key_id=key.key_id,
            sealed=seal(request.encode(), key, label),
            mode=transcript.mode,
            taken_at=transcript.taken_at,
            clock_trusted=transcript.clock_trusted,
            challenged=transcript.challenge is not None,
        )

    def close(self) -> None:
        """Forget everything about the visit."""
        self._transcript = self._evidence = self._record = None
