"""Answers about persons: opened with this life's response key, held in memory, never written."""

import base64
import uuid
from collections.abc import Callable

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kiosk.qualification.sealing import Purpose, SealingInfo, UnsealError, unseal
from kiosk.uploader.service.wire import SealedAnswer

KEEP_S = 3600.0  #: who came is long at the reception desk then; what is not kept cannot leak
MAX_HELD = 500


class ResponseKey:
    """The key that answers are sealed to. Made at process start; the private half dies with the process."""

    def __init__(self, private: X25519PrivateKey, key_id: str) -> None:
        self._private = private
        self.key_id = key_id
        self.public = private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )

    @classmethod
    def generate(cls) -> "ResponseKey":
        """A fresh key with a random id."""
        return cls(X25519PrivateKey.generate(), base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[:22])

    def open(self, answer: SealedAnswer, record: str, terminal: str, institution: str) -> bytes | None:
        """Return the answer's plaintext; None when it is sealed to another life's key or does not open."""
        if answer.key_id != self.key_id:
            return None
        label = SealingInfo(Purpose.ANSWER, record, terminal, institution, answer.key_id, answer.suite)
        try:
            return unseal(answer.sealed, self._private, label)
        except UnsealError:
            return None


class AnswerMemory:
    """Holds opened answers for staff, each for at most `keep_s`, then overwrites them."""

    def __init__(self, monotonic: Callable[[], float], keep_s: float = KEEP_S, most: int = MAX_HELD) -> None:
        self._monotonic, self._keep_s, self._most = monotonic, keep_s, most
        self._held: dict[str, tuple[float, bytearray]] = {}  # in order of arrival

    def __len__(self) -> int:
        return len(self._held)

    def put(self, record: str, person: bytes) -> None:
        """Hold `person` for `record`."""
        self.forget(record)
        while len(self._held) >= self._most:
            self.forget(next(iter(self._held)))
        self._held[record] = (self._monotonic() + self._keep_s, bytearray(person))

    def get(self, record: str) -> bytes | None:
        """Return what is held for `record`; None when there is nothing (any more)."""
        self.sweep()
        found = self._held.get(record)
        return None if found is None else bytes(found[1])

    def forget(self, record: str) -> None:
        """Overwrite and drop one."""
        if found := self._held.pop(record, None):
            found[1][:] = bytes(len(found[1]))

    def sweep(self) -> None:
        """Drop what is too old; call it regularly."""
        now = self._monotonic()
        for record in [record for record, (until, _) in self._held.items() if now >= until]:
            self.forget(record)

    def forget_all(self) -> None:
        """At the end of the process."""
        for record in list(self._held):
            self.forget(record)
