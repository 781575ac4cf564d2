-- What came after the first schema.sql: run at every opening, so each statement must be harmless when it is
-- there already, and a program that does not know it must still work with the file. Columns: database.py,
-- ADDED_COLUMNS.

CREATE TABLE IF NOT EXISTS standing (                 -- what must outlive a restart and is no record
    name  TEXT PRIMARY KEY,                           -- named_values.py names them
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS boots (                    -- boots that began without knowing the time
    boot_id   TEXT PRIMARY KEY,
    offset_ms INTEGER NOT NULL                        -- wall clock less monotonic clock, once it was known
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS for_desk ON records (seq) WHERE desk = 1;

CREATE TABLE IF NOT EXISTS calls (                    -- how often staff were called; Japanese time
    hour   TEXT NOT NULL,                             -- YYYY-MM-DDTHH
    reason TEXT NOT NULL,                             -- visit.states.CallReason
    n      INTEGER NOT NULL,
    PRIMARY KEY (hour, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS line_hours (               -- the line and the backlog, hour by hour
    hour         TEXT PRIMARY KEY,
    offline_s    REAL NOT NULL,
    waiting_most INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS lookups (                  -- oqs/exchange.py: what was asked of the 資格確認端末
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT NOT NULL,
    date_from  TEXT NOT NULL,
    date_to    TEXT NOT NULL,
    identifier TEXT NOT NULL,
    stage      TEXT NOT NULL,
    reception  TEXT NOT NULL,                         -- the terminal's number for it
    request    TEXT NOT NULL,                         -- name of the file that was sent, or may have been
    asks       INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    found      INTEGER NOT NULL,                      -- counts; whose the results are is never written
    uncertain  INTEGER NOT NULL,
    others     INTEGER NOT NULL
) STRICT;
