-- The outbox. One file, one process, one connection. Additive changes keep user_version; a program of the
-- other A/B slot must still be able to open the file. No column holds a person: `sealed` opens only at the
-- service, the rest are ids, times, counts and codes. What was added later: additions.sql, database.py.

CREATE TABLE records (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of taking; never used twice
    id            TEXT NOT NULL UNIQUE,               -- visit id = record id = idempotency key
    receipt       TEXT NOT NULL,                      -- お預かり番号, for people
    state         TEXT NOT NULL CHECK (state IN (
        'pending',       -- (new) -> pending; sending -> pending: waits for its next attempt
        'sending',       -- (new), pending -> sending: leased to one life of the process
        'answered',      -- sending, pending -> answered: the service's answer is in `outcome`, …
        'rejected',      -- sending, pending -> rejected: the service refused it for good, see `code`
        'expired',       -- pending -> expired: age cap; kept, listed, no longer sent
        'quarantined'    -- any -> quarantined: damaged, see `reason`; kept, listed, never sent
    )),
    suite         TEXT NOT NULL,
    key_id        TEXT NOT NULL,                      -- the service's key that `sealed` opens with
    sealed        BLOB NOT NULL,                      -- overwritten (x'') with the answer
    digest        BLOB NOT NULL,                      -- SHA-256 over id, suite, key_id, sealed
    mode          TEXT NOT NULL,
    challenged    INTEGER NOT NULL,                   -- the transcript holds a challenge
    taken_at      TEXT NOT NULL,                      -- RFC 3339, as in the transcript
    clock_trusted INTEGER NOT NULL,
    boot_id       TEXT NOT NULL,                      -- boot, monotonic and wall time of the commit
    mono_ms       INTEGER NOT NULL,
    wall_ms       INTEGER NOT NULL,
    attempts      INTEGER NOT NULL DEFAULT 0,
    reached       INTEGER NOT NULL DEFAULT 0,         -- 1: an attempt may have got through; ask before resending
    lease         TEXT,                               -- life of the process that is sending it
    try_boot      TEXT,                               -- the next attempt, on the monotonic clock of this boot
    try_ms        INTEGER NOT NULL DEFAULT 0,
    segment       TEXT,                               -- outcome codes of the public interface, nothing else
    status        TEXT,
    validity      TEXT,
    code          TEXT,                               -- the service's code: processing result or refusal
    outcome       TEXT,                               -- what the patient is told
    settled_ms    INTEGER,                            -- wall time of answer, refusal or expiry
    reason        TEXT                                -- for people: why it waits, expired or is quarantined
) STRICT;
CREATE INDEX waiting ON records (state, seq) WHERE state IN ('pending', 'sending');

CREATE TABLE service_keys (                           -- the last list of GET /v1/keys, current first
    position INTEGER PRIMARY KEY,
    service  TEXT NOT NULL,
    key_id   TEXT NOT NULL,
    suite    TEXT NOT NULL,
    public   BLOB NOT NULL
) STRICT;

-- Who of the staff did what when; append-only, chained, and no program shortens it: it is kept (five years
-- are asked for) until the file ends, by a change or a failure of the SD card. `kiosk audit export` outlives that.
CREATE TABLE audit (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    event         TEXT NOT NULL,
    staff         TEXT NOT NULL,                      -- personal staff number
    visit         TEXT,
    boot_id       TEXT NOT NULL,
    mono_ms       INTEGER NOT NULL,
    wall_ms       INTEGER NOT NULL,
    clock_trusted INTEGER NOT NULL,
    chain         BLOB NOT NULL                       -- SHA-256 over the row before and this one
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;

CREATE TABLE hourly (                                 -- how many visits ended how; Japanese time
    hour           TEXT NOT NULL,                     -- YYYY-MM-DDTHH
    outcome        TEXT NOT NULL,
    mode           TEXT NOT NULL,
    device         TEXT NOT NULL,                     -- '' when none was chosen
    authentication TEXT NOT NULL,
    n              INTEGER NOT NULL,
    PRIMARY KEY (hour, outcome, mode, device, authentication)
) STRICT, WITHOUT ROWID;

CREATE TABLE stage_times (                            -- histogram: n visits took at most `le_ms`
    hour   TEXT NOT NULL,
    stage  TEXT NOT NULL,
    le_ms  INTEGER NOT NULL,                          -- upper bound of the bucket, -1: above all
    n      INTEGER NOT NULL,
    sum_ms REAL NOT NULL,
    PRIMARY KEY (hour, stage, le_ms)
) STRICT, WITHOUT ROWID;
