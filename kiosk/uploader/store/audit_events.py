"""The events of the audit table: every one that may be written, in one place. PURE.

A row holds an event, a staff number and perhaps a visit, so that no free text, and with it no person, can get
in. Some events say more in a word of a closed list; it is written behind the id: `fallback_on:line`.
To add one: a line in `EVENTS`. Ids and words are never changed afterwards, for exports are kept five years.
"""

import re
from dataclasses import dataclass

from kiosk.qualification.terms import FallbackReason
from kiosk.visit.rules import LOUDEST

KIOSK = "kiosk"  #: stands in place of a staff number where the kiosk acted by itself
_STAFF = re.compile(r"[0-9]{1,8}|kiosk")
_VISIT = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True)
class AuditEvent:
    """One kind of event. `sentence` is for who reads an export; {staff}, {visit} and {word} are filled in."""

    id: str
    sentence: str
    words: frozenset[str] = frozenset()  #: what may stand behind the id; empty: nothing
    visit: bool = False  #: whether a visit belongs to it


_REASONS = frozenset(reason.value for reason in FallbackReason)
_VOLUMES = frozenset(str(volume) for volume in range(LOUDEST + 1))
_STEPS = frozenset({"seal", "commit", "refuse", "deliver", "erase"})
_LOOKUPS = frozenset({"done", "failed"})

EVENTS = {
    event.id: event
    for event in (
        AuditEvent("visual_check", "{staff} vouched for the person of visit {visit} by sight", visit=True),
        AuditEvent("passcode_accepted", "{staff} gave the right passcode"),
        AuditEvent("passcode_refused", "a wrong passcode was given for {staff}", visit=True),
        AuditEvent("door_locked", "passcodes were refused for a while after wrong ones, last for {staff}"),
        AuditEvent("fallback_on", "{staff} began fallback operation: {word}", _REASONS),
        AuditEvent("fallback_off", "{staff} ended fallback operation: {word}", _REASONS),
        AuditEvent("desk_opened", "{staff} looked at what waits and what was answered late"),
        AuditEvent("answer_seen", "{staff} has dealt with the late answer to visit {visit}", visit=True),
        AuditEvent("drill_passed", "{staff} ran a drill: passed"),
        AuditEvent("drill_failed", "{staff} ran a drill: failed at {word}", _STEPS),
        AuditEvent("update_started", "{staff} had a newer version installed"),
        AuditEvent("update_installed", "the version that {staff} asked for was installed"),
        AuditEvent("update_failed", "the version that {staff} asked for was not installed"),
        AuditEvent("kiosk_restarted", "{staff} had the kiosk restarted"),
        AuditEvent("settings_taken", "{staff} had the settings taken that were changed on the card"),
        AuditEvent("settings_left", "{staff} saw the settings that were changed on the card, and left them"),
        AuditEvent("reading_tested", "{staff} tested the reading"),
        AuditEvent("volume_set", "{staff} set the volume to {word}", _VOLUMES),
        AuditEvent("languages_set", "{staff} changed the languages that patients are offered"),
        AuditEvent("looked_up", "{staff} had consented results looked up: {word}", _LOOKUPS),
        AuditEvent("audit_exported", "the audit table was exported by the command line"),
        AuditEvent("certificate_renewed", "this kiosk's client certificate was renewed"),
    )
}


def name_of(event: AuditEvent, word: str = "") -> str:
    """How an event is written into the table."""
    return f"{event.id}:{word}" if word else event.id


def fault_of(name: str, staff: str, visit: str | None) -> str | None:
    """Why a note must not be written, in one line without its content; None when all is well."""
    event_id, _, word = name.partition(":")
    event = EVENTS.get(event_id)
    if event is None:
        return "its event is not registered"
    if word and word not in event.words:
        return f"{event.id} takes no such word"
    if not _STAFF.fullmatch(staff):
        return f"{event.id} needs a staff number"
    if visit is not None and not (event.visit and _VISIT.fullmatch(visit)):
        return f"{event.id} takes no visit, or not such a one"
    return None


def sentence(name: str, staff: str, visit: str | None) -> str:
    """A row as an English sentence; of an event that only a newer program knows, its bare name."""
    event_id, _, word = name.partition(":")
    event = EVENTS.get(event_id)
    if event is None:
        return name
    who = "the kiosk" if staff == KIOSK else f"staff {staff}"
    return event.sentence.format(staff=who, visit=visit or "(none)", word=word or "(no reason given)")
