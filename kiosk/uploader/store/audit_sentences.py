"""What a row of the audit table may hold, and how it reads as a sentence. PURE.

A row holds an event, a staff number and perhaps a visit, so that no free text, and with it no person, can get
in. Some events say more in a word of a closed list; it is written behind the event: `fallback_on:line`.
To add an event: a line in kiosk/visit/audit_events.py and one in `RULES`. Words are never changed afterwards,
for exports are kept five years.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from kiosk.qualification.terms import FallbackReason
from kiosk.visit.audit_events import KIOSK, AuditEvent
from kiosk.visit.rules import LOUDEST
from kiosk.visit.views.staff_views import DrillStep

_STAFF = re.compile(r"[0-9]{1,8}|kiosk")
_VISIT = re.compile(r"[A-Za-z0-9-]{1,64}")


class LookUpEnd(StrEnum):
    """How a look-up of consented results ended."""

    DONE = "done"
    FAILED = "failed"


AuditWord = FallbackReason | DrillStep | LookUpEnd | int  #: a number is a volume


@dataclass(frozen=True)
class EventRule:
    """About one event. `sentence` is for who reads an export; {staff}, {visit} and {word} are filled in."""

    sentence: str
    words: frozenset[str] = frozenset()  #: what may stand behind the event; empty: nothing
    visit: bool = False  #: whether a visit belongs to it


_REASONS = frozenset(reason.value for reason in FallbackReason)
_VOLUMES = frozenset(str(volume) for volume in range(LOUDEST + 1))
_STEPS = frozenset(step.value for step in DrillStep)
_LOOKUPS = frozenset(end.value for end in LookUpEnd)

RULES: Mapping[AuditEvent, EventRule] = {
    AuditEvent.VISUAL_CHECK: EventRule(
        "{staff} vouched for the person of visit {visit} by sight", visit=True
    ),
    AuditEvent.PASSCODE_ACCEPTED: EventRule("{staff} gave the right passcode"),
    AuditEvent.PASSCODE_REFUSED: EventRule("a wrong passcode was given for {staff}", visit=True),
    AuditEvent.DOOR_LOCKED: EventRule(
        "passcodes were refused for a while after wrong ones, last for {staff}"
    ),
    AuditEvent.FALLBACK_ON: EventRule("{staff} began fallback operation: {word}", _REASONS),
    AuditEvent.FALLBACK_OFF: EventRule("{staff} ended fallback operation: {word}", _REASONS),
    AuditEvent.DESK_OPENED: EventRule("{staff} looked at what waits and what was answered late"),
    AuditEvent.ANSWER_SEEN: EventRule("{staff} has dealt with the late answer to visit {visit}", visit=True),
    AuditEvent.DRILL_PASSED: EventRule("{staff} ran a drill: passed"),
    AuditEvent.DRILL_FAILED: EventRule("{staff} ran a drill: failed at {word}", _STEPS),
    AuditEvent.UPDATE_STARTED: EventRule("{staff} had a newer version installed"),
    AuditEvent.UPDATE_INSTALLED: EventRule("the version that {staff} asked for was installed"),
    AuditEvent.UPDATE_FAILED: EventRule("the version that {staff} asked for was not installed"),
    AuditEvent.KIOSK_RESTARTED: EventRule("{staff} had the kiosk restarted"),
    AuditEvent.SETTINGS_TAKEN: EventRule("{staff} had the settings taken that were changed on the card"),
    AuditEvent.SETTINGS_LEFT: EventRule(
        "{staff} saw the settings that were changed on the card, and left them"
    ),
    AuditEvent.READING_TESTED: EventRule("{staff} tested the reading"),
    AuditEvent.VOLUME_SET: EventRule("{staff} set the volume to {word}", _VOLUMES),
    AuditEvent.LANGUAGES_SET: EventRule("{staff} changed the languages that patients are offered"),
    AuditEvent.LOOKED_UP: EventRule("{staff} had consented results looked up: {word}", _LOOKUPS),
    AuditEvent.AUDIT_EXPORTED: EventRule("the audit table was exported by the command line"),
    AuditEvent.CERTIFICATE_RENEWED: EventRule("this kiosk's client certificate was renewed"),
}


def name_of(event: AuditEvent, word: AuditWord | None = None) -> str:
    """How an event is written into the table."""
    return event.value if word is None else f"{event.value}:{word}"


def fault_of(name: str, staff: str, visit: str | None) -> str | None:
    """Why a row must not be written, in one line without its content; None when all is well."""
    event, _, word = name.partition(":")
    rule = _rule_of(event)
    if rule is None:
        return "its event is not registered"
    if word and word not in rule.words:
        return f"{event} takes no such word"
    if not _STAFF.fullmatch(staff):
        return f"{event} needs a staff number"
    if visit is not None and not (rule.visit and _VISIT.fullmatch(visit)):
        return f"{event} takes no visit, or not such a one"
    return None


def sentence(name: str, staff: str, visit: str | None) -> str:
    """A row as an English sentence; of an event that only a newer program knows, its bare name."""
    event, _, word = name.partition(":")
    rule = _rule_of(event)
    if rule is None:
        return name
    who = "the kiosk" if staff == KIOSK else f"staff {staff}"
    return rule.sentence.format(staff=who, visit=visit or "(none)", word=word or "(no reason given)")


def _rule_of(event: str) -> EventRule | None:
    return RULES[AuditEvent(event)] if event in set(AuditEvent) else None
