"""Every event of the audit table, so that whoever writes one cannot misspell it. PURE.

The sentences for readers, and which words and visits belong to an event: uploader/store/audit_sentences.py.
An event is never renamed: exports are kept five years.
"""

from enum import StrEnum

KIOSK = "kiosk"  #: stands in place of a staff number where the kiosk acted by itself


class AuditEvent(StrEnum):
    """One kind of event."""

    VISUAL_CHECK = "visual_check"
    PASSCODE_ACCEPTED = "passcode_accepted"
    PASSCODE_REFUSED = "passcode_refused"
    DOOR_LOCKED = "door_locked"
    FALLBACK_ON = "fallback_on"
    FALLBACK_OFF = "fallback_off"
    DESK_OPENED = "desk_opened"
    ANSWER_SEEN = "answer_seen"
    DRILL_PASSED = "drill_passed"
    DRILL_FAILED = "drill_failed"
    UPDATE_STARTED = "update_started"
    UPDATE_INSTALLED = "update_installed"
    UPDATE_FAILED = "update_failed"
    KIOSK_RESTARTED = "kiosk_restarted"
    SETTINGS_TAKEN = "settings_taken"
    SETTINGS_LEFT = "settings_left"
    READING_TESTED = "reading_tested"
    VOLUME_SET = "volume_set"
    LANGUAGES_SET = "languages_set"
    LOOKED_UP = "looked_up"
    AUDIT_EXPORTED = "audit_exported"
    CERTIFICATE_RENEWED = "certificate_renewed"
