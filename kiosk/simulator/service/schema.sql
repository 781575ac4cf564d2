-- The store of the simulated service. Times are seconds since 1970 (UTC).

-- Keys that terminals seal to. The newest is the current one; older ones stay until they are retired.
CREATE TABLE IF NOT EXISTS service_keys (
    seq       INTEGER PRIMARY KEY,
    key_id    TEXT NOT NULL UNIQUE,
    suite     TEXT NOT NULL,
    private   BLOB NOT NULL,
    not_after INTEGER NOT NULL
);

-- One challenge per terminal and visit; asking again while it is good returns the same.
CREATE TABLE IF NOT EXISTS challenges (
    institution TEXT NOT NULL,
    terminal    TEXT NOT NULL,
    visit       TEXT NOT NULL,
    challenge   BLOB NOT NULL UNIQUE,
    issued      REAL NOT NULL,
    expires     REAL NOT NULL,
    used        INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (institution, terminal, visit)
) WITHOUT ROWID;

-- What was answered: the idempotency keys, kept 72 hours.
CREATE TABLE IF NOT EXISTS records (
    id          TEXT PRIMARY KEY,
    institution TEXT NOT NULL,
    terminal    TEXT NOT NULL,
    body_hash   BLOB NOT NULL,
    answer      TEXT NOT NULL,     -- JSON; while asks_left is not 0 the answer is "in progress" instead
    asks_left   INTEGER NOT NULL,  -- further askings until the answer is told; -1: never
    told        TEXT NOT NULL,     -- JSON: what the transcript said, without the person
    received    REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_received ON records (received);

-- One row per effect, never purged and on purpose not unique: a record with two rows was doubled.
CREATE TABLE IF NOT EXISTS effects (
    seq    INTEGER PRIMARY KEY,
    record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS effects_record ON effects (record);

-- The consent in force per person (SHA-256 of the token's certificate), for 前回と同じ.
CREATE TABLE IF NOT EXISTS consents (
    person BLOB PRIMARY KEY,
    agreed TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS client_certificates (
    serial      TEXT PRIMARY KEY,
    institution TEXT NOT NULL,
    terminal    TEXT NOT NULL,
    issued      REAL NOT NULL
) WITHOUT ROWID;

-- Certificates of the terminal issued before this moment are refused; a later enrolment works again.
CREATE TABLE IF NOT EXISTS revoked_terminals (
    institution TEXT NOT NULL,
    terminal    TEXT NOT NULL,
    revoked     REAL NOT NULL,
    PRIMARY KEY (institution, terminal)
) WITHOUT ROWID;

-- Serial numbers of tokens' certificates that the service knows to be revoked.
CREATE TABLE IF NOT EXISTS revoked_tokens (serial TEXT PRIMARY KEY) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS visual_terminals (terminal TEXT PRIMARY KEY) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS activation_codes (
    institution TEXT NOT NULL,
    code_hash   BLOB NOT NULL,
    issued      REAL NOT NULL,
    expires     REAL NOT NULL,
    terminal    TEXT,              -- of the enrolment that used the code
    key_hash    BLOB,
    certificate TEXT,
    PRIMARY KEY (institution, code_hash)
) WITHOUT ROWID;

-- Wrong codes per institution since the last fresh code was issued or used.
CREATE TABLE IF NOT EXISTS activation_attempts (
    institution TEXT PRIMARY KEY,
    wrong       INTEGER NOT NULL,
    last        REAL NOT NULL
) WITHOUT ROWID;

-- Renewed certificates; the same key gets the same certificate again.
CREATE TABLE IF NOT EXISTS renewals (
    institution TEXT NOT NULL,
    terminal    TEXT NOT NULL,
    key_hash    BLOB NOT NULL,
    certificate TEXT NOT NULL,
    PRIMARY KEY (institution, terminal, key_hash)
) WITHOUT ROWID;
