"""What the visit machine asks for, as messages to the other processes, where it is not one already."""

from collections.abc import Mapping

from kiosk import channel
from kiosk.screens.conductor.passcode_check import ComparedPasscode
from kiosk.visit import effects as do
from kiosk.visit.audit_events import AuditEvent
from kiosk.visit.states import Visit


def arm_reader(visit: Visit) -> channel.ArmReader:
    """Have the reader read the next token for the device that was chosen."""
    if visit.device is None or visit.authentication is None:
        raise AssertionError("the reader is armed only for a chosen device")
    return channel.ArmReader(visit=visit.id, device=visit.device, authentication=visit.authentication)


def passcode_note(compared: ComparedPasscode) -> channel.AuditNote:
    """What the audit table keeps of a typed passcode."""
    if not compared.right:
        event = AuditEvent.PASSCODE_REFUSED
    else:
        event = AuditEvent.PASSCODE_ACCEPTED if compared.visit is None else AuditEvent.VISUAL_CHECK
    return channel.AuditNote(event=event, staff=compared.staff, visit=compared.visit)


def visit_ended(effect: do.EndVisit, stages_ms: Mapping[str, float]) -> channel.VisitEnded:
    """What is counted of a visit."""
    visit = effect.visit
    return channel.VisitEnded(
        visit=visit.id,
        outcome=effect.outcome,
        mode=visit.mode,
        device=visit.device,
        authentication=visit.authentication,
        stages_ms=dict(stages_ms),
    )
