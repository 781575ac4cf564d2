"""The service's memory: one SQLite file, one connection, used from one thread.

WAL with synchronous=NORMAL survives `kill -9` of the service but not a power cut of its machine; a real
service promises more, but here the kiosk is under test, and our disk must not slow it down.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

RETENTION_S = 72 * 3600.0  #: of idempotency keys and their answers; stated in the OpenAPI document
NEVER = -1  #: asks_left of a record whose answer stays "in progress"


@dataclass(frozen=True)
class ClientTerminal:
    """The terminal at the other end, by its client certificate."""

    institution: str
    terminal: str
    serial: str


@dataclass(frozen=True)
class ServiceKey:
    """A key that terminals seal to; `private` is the raw X25519 key."""

    key_id: str
    suite: str
    private: bytes
    not_after: int


@dataclass(frozen=True)
class StoredChallenge:
    institution: str
    terminal: str
    visit: str
    challenge: bytes
    issued: float
    expires: float
    used: int  #: 0 or 1


@dataclass(frozen=True)
class StoredRecord:
    """An answered record; `told` is what its transcript said, without the person."""

    id: str
    institution: str
    terminal: str
    body_hash: bytes
    answer: dict[str, Any]
    asks_left: int
    told: dict[str, Any]
    received: float


class Store:
    """Keys, challenges, records, consents and revocations. Enrolment has its own part of it."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        path.chmod(0o600)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(resources.files(__package__).joinpath("schema.sql").read_text("utf-8"))

    def close(self) -> None:
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; an exception takes everything back."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    # ---- keys

    def add_key(self, key: ServiceKey) -> None:
        """The added key is the current one from now on."""
        self.db.execute(
            "INSERT INTO service_keys (key_id, suite, private, not_after) VALUES (?, ?, ?, ?)",
            (key.key_id, key.suite, key.private, key.not_after),
        )

    def service_keys(self) -> list[ServiceKey]:
        """Every key that still opens requests, the current one first."""
        rows = self.db.execute("SELECT key_id, suite, private, not_after FROM service_keys ORDER BY seq DESC")
        return [ServiceKey(*row) for row in rows]

    def key(self, key_id: str) -> ServiceKey | None:
        row = self.db.execute(
            "SELECT key_id, suite, private, not_after FROM service_keys WHERE key_id = ?", (key_id,)
        ).fetchone()
        return None if row is None else ServiceKey(*row)

    def drop_key(self, key_id: str) -> bool:
        return self.db.execute("DELETE FROM service_keys WHERE key_id = ?", (key_id,)).rowcount == 1

    # ---- challenges

    def challenge_of_visit(self, peer: ClientTerminal, visit: str) -> StoredChallenge | None:
        return self._challenge(
            "institution = ? AND terminal = ? AND visit = ?", peer.institution, peer.terminal, visit
        )

    def challenge_by_value(self, challenge: bytes) -> StoredChallenge | None:
        return self._challenge("challenge = ?", challenge)

    def _challenge(self, where: str, *values: str | bytes) -> StoredChallenge | None:
        row = self.db.execute(
            "SELECT institution, terminal, visit, challenge, issued, expires, used FROM challenges WHERE "  # noqa: S608 - `where` is one of two constants
            + where,
            values,
        ).fetchone()
        return None if row is None else StoredChallenge(*row)

    def put_challenge(self, new: StoredChallenge) -> None:
        """Store a challenge in place of the visit's earlier one."""
        self.db.execute(
            "INSERT OR REPLACE INTO challenges VALUES (?, ?, ?, ?, ?, ?, ?)",
            (new.institution, new.terminal, new.visit, new.challenge, new.issued, new.expires, new.used),
        )

    def use_challenge(self, challenge: bytes) -> None:
        self.db.execute("UPDATE challenges SET used = 1 WHERE challenge = ?", (challenge,))

    def expire_challenges(self, now: float) -> int:
        """End every open challenge at `now`; returns how many there were."""
        done = self.db.execute("UPDATE challenges SET expires = ? WHERE used = 0 AND expires > ?", (now, now))
        return done.rowcount

    # ---- records

    def record(self, record: str) -> StoredRecord | None:
        row = self.db.execute(
            "SELECT id, institution, terminal, body_hash, answer, asks_left, told, received"
            " FROM records WHERE id = ?",
            (record,),
        ).fetchone()
        if row is None:
            return None
        name, institution, terminal, body_hash, answer, asks_left, told, received = row
        return StoredRecord(
            id=name,
            institution=institution,
            terminal=terminal,
            body_hash=body_hash,
            answer=json.loads(answer),
            asks_left=asks_left,
            told=json.loads(told),
            received=received,
        )

    def add_record(self, new: StoredRecord) -> None:
        """Store the answer and count the effect."""
        self.db.execute(
            "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                new.id,
                new.institution,
                new.terminal,
                new.body_hash,
                json.dumps(new.answer, ensure_ascii=False),
                new.asks_left,
                json.dumps(new.told, ensure_ascii=False),
                new.received,
            ),
        )
        self.db.execute("INSERT INTO effects (record) VALUES (?)", (new.id,))

    def count_asking(self, record: str) -> None:
        """One asking nearer to the answer."""
        self.db.execute(
            "UPDATE records SET asks_left = asks_left - 1 WHERE id = ? AND asks_left > 0", (record,)
        )

    def effects(self, record: str) -> int:
        row = self.db.execute("SELECT count(*) FROM effects WHERE record = ?", (record,)).fetchone()
        return int(row[0])

    def effect_totals(self) -> tuple[int, int]:
        """How many effects there were, and how many records had them: equal unless one was doubled."""
        row = self.db.execute("SELECT count(*), count(DISTINCT record) FROM effects").fetchone()
        return int(row[0]), int(row[1])

    def effect_records(self) -> list[str]:
        """Record ids in the order of their first effect."""
        rows = self.db.execute("SELECT record FROM effects GROUP BY record ORDER BY min(seq)")
        return [str(row[0]) for row in rows]

    def purge(self, now: float) -> None:
        """Forget what is older than the retention."""
        self.db.execute("DELETE FROM records WHERE received < ?", (now - RETENTION_S,))
        self.db.execute("DELETE FROM challenges WHERE expires < ?", (now - RETENTION_S,))

    # ---- consents

    def registered_consent(self, person: bytes) -> list[str]:
        row = self.db.execute("SELECT agreed FROM consents WHERE person = ?", (person,)).fetchone()
        return [] if row is None else list(json.loads(row[0]))

    def register_consent(self, person: bytes, agreed: list[str]) -> None:
        self.db.execute("INSERT OR REPLACE INTO consents VALUES (?, ?)", (person, json.dumps(agreed)))

    # ---- terminals and tokens

    def add_certificate(self, peer: ClientTerminal, now: float) -> None:
        self.db.execute(
            "INSERT OR REPLACE INTO client_certificates VALUES (?, ?, ?, ?)",
            (peer.serial, peer.institution, peer.terminal, now),
        )

    def is_revoked(self, peer: ClientTerminal) -> bool:
        """Whether this certificate was issued before its terminal was revoked."""
        row = self.db.execute(
            "SELECT 1 FROM revoked_terminals WHERE institution = ? AND terminal = ? AND revoked >= coalesce("
            "(SELECT issued FROM client_certificates WHERE serial = ?), 0)",
            (peer.institution, peer.terminal, peer.serial),
        ).fetchone()
        return row is not None

    def revoke(self, institution: str, terminal: str, now: float) -> None:
        self.db.execute(
            "INSERT OR REPLACE INTO revoked_terminals VALUES (?, ?, ?)", (institution, terminal, now)
        )

    def restore(self, institution: str, terminal: str) -> None:
        self.db.execute(
            "DELETE FROM revoked_terminals WHERE institution = ? AND terminal = ?", (institution, terminal)
        )

    def revoke_token(self, serial: str) -> None:
        self.db.execute("INSERT OR IGNORE INTO revoked_tokens VALUES (?)", (serial,))

    def restore_token(self, serial: str) -> None:
        self.db.execute("DELETE FROM revoked_tokens WHERE serial = ?", (serial,))

    def token_is_revoked(self, serial: str) -> bool:
        row = self.db.execute("SELECT 1 FROM revoked_tokens WHERE serial = ?", (serial,)).fetchone()
        return row is not None

    def allow_visual(self, terminal: str, *, allowed: bool) -> None:
        if allowed:
            self.db.execute("INSERT OR IGNORE INTO visual_terminals VALUES (?)", (terminal,))
        else:
            self.db.execute("DELETE FROM visual_terminals WHERE terminal = ?", (terminal,))

    def visual_allowed(self, terminal: str) -> bool:
        row = self.db.execute("SELECT 1 FROM visual_terminals WHERE terminal = ?", (terminal,)).fetchone()
        return row is not None
