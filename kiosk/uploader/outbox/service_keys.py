"""The service's public keys as last heard: a kiosk that starts without a line can still seal."""

from kiosk.qualification.sealing import SealingKey, SuiteName
from kiosk.uploader.service.wire import ServiceKeys
from kiosk.uploader.store.database import Database


def keep_keys(database: Database, keys: ServiceKeys) -> None:
    """Replace the list of the service's keys."""
    with database.writing():
        database.rows("DELETE FROM service_keys")
        for position, key in enumerate(keys.keys):
            database.rows(
                "INSERT INTO service_keys (position, service, key_id, suite, public) VALUES (?, ?, ?, ?, ?)",
                (
                    position,
                    keys.service,
                    key.key_id,
                    key.suite.value,
                    key.public,
                ),
            )


def kept_keys(database: Database) -> ServiceKeys | None:
    """Return the last list, None when the service has never been asked."""
    rows = database.rows("SELECT service, key_id, suite, public FROM service_keys ORDER BY position")
    spoken = {suite.value for suite in SuiteName}
    keys = tuple(
        SealingKey(str(key_id), SuiteName(str(suite)), public)
        for _, key_id, suite, public in rows
        if str(suite) in spoken and isinstance(public, bytes)
    )
    return ServiceKeys(str(rows[0][0]), keys) if keys else None
