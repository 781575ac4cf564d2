"""Typing a staff number and a passcode, for the visual check and at the hidden door alike.

A try is counted when the passcode is handed over for comparison, not when the comparison comes back: whoever
leaves the pad in between has used a try all the same.
"""

from dataclasses import replace
from typing import TypeVar

from kiosk.visit.effects import CheckStaff, Effect, ForgetLastDigit, LockDoor
from kiosk.visit.events import Action, DigitTyped, Event, NumberTyped, Pressed
from kiosk.visit.staff_states import DoorNumber, DoorPasscode
from kiosk.visit.states import EnterPasscode, EnterStaffNumber, Kiosk, Visit

STAFF_NUMBER_LENGTHS = range(3, 7)
PASSCODE_LENGTHS = range(4, 13)

NumberPad = TypeVar("NumberPad", EnterStaffNumber, DoorNumber)
PasscodePad = TypeVar("PasscodePad", EnterPasscode, DoorPasscode)


def type_number(pad: NumberPad, event: Event) -> NumberPad:
    """The pad after a key of it; as it was after anything else."""
    match event:
        case NumberTyped(digit) if len(pad.number) < STAFF_NUMBER_LENGTHS.stop - 1:
            return replace(pad, number=pad.number + digit, refused=False)
        case Pressed(Action.ERASE) if pad.number:
            return replace(pad, number=pad.number[:-1])
        case _:
            return pad


def number_given(pad: EnterStaffNumber | DoorNumber, event: Event) -> bool:
    """Whether OK was pressed below a number long enough."""
    return event == Pressed(Action.OK) and len(pad.number) in STAFF_NUMBER_LENGTHS


def type_passcode(
    kiosk: Kiosk, pad: PasscodePad, visit: Visit | None, event: Event
) -> tuple[PasscodePad, tuple[Effect, ...]]:
    """The pad after a key of it, and what is to be done; as it was after anything else."""
    match event:
        case _ if pad.checking:
            return pad, ()
        case DigitTyped() if pad.digits < PASSCODE_LENGTHS.stop - 1:
            return replace(pad, digits=pad.digits + 1), ()
        case Pressed(Action.ERASE) if pad.digits > 0:
            return replace(pad, digits=pad.digits - 1), (ForgetLastDigit(),)
        case Pressed(Action.OK) if pad.digits in PASSCODE_LENGTHS and not tries_used_up(kiosk):
            return replace(pad, checking=True), (CheckStaff(visit, pad.number),)
        case _:
            return pad, ()


def tries_used_up(kiosk: Kiosk) -> bool:
    """Whether the door is to be locked at the next refusal, or at the next try after one that was left."""
    return kiosk.door.misses >= kiosk.rules.passcode_tries


def lock_if_used_up(kiosk: Kiosk, number: str) -> tuple[Effect, ...]:
    """Lock when this refusal was the last one allowed."""
    if not tries_used_up(kiosk):
        return ()
    return (LockDoor(number, kiosk.rules.timing.door_lock_s),)
