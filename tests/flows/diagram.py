"""Draws the state diagram of docs/architecture.md from the machine itself.

`python -m tests.flows.diagram` writes it anew; a test holds the two together.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from kiosk.qualification.consent import ConsentItem
from kiosk.qualification.terms import Mode
from kiosk.visit import events as ev
from kiosk.visit.rules import Rules
from kiosk.visit.staff_states import DoorPad, StaffPage
from kiosk.visit.states import Idle, Kiosk, OutboxCondition, ReaderCondition
from tests.flows.search import GOOD, Transition, search

ARCHITECTURE = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"
BEGIN, END = "<!-- state diagram: begin -->\n", "<!-- state diagram: end -->\n"

#: Pages that lie over another one and lead back to it, and steps that every page knows: told in words.
COVERS = {"language", "still_there", "laid_too_early"}
EVERYWHERE = {"help"}
#: One handler serves them (`contact.armed`): whatever leaves one of them leaves all.
#: Behind the hidden door: drawn in a diagram of their own, the same in both modes.
DOOR = tuple(state.name for state in get_args(DoorPad))
PAGES = tuple(state.name for state in get_args(StaffPage))
ARMED = ("hold", "again", "authenticate_on_phone", "other_device", "wrong_token")
MOST_LABELS = 3


def start(mode: Mode) -> Kiosk:
    """The kiosk as the searches begin with it."""
    rules = Rules(
        mode,
        languages=("ja",),
        consent_items=(ConsentItem.MEDICINE,),
        offer_as_registered=True,
        passcode_tries=2,
    )
    return Kiosk(rules, "ja", Idle(), ReaderCondition.READY, OutboxCondition.READY, check=GOOD)


def label(event: ev.Event) -> str:
    """An event in the diagram's words."""
    match event:
        case ev.Pressed(action):
            return action.value
        case ev.DeviceChosen(device):
            return device.value
        case ev.ReadFailed(failure=failure):
            return failure.value
        case ev.AnswerArrived(outcome=outcome):
            return f"answer {outcome.value}"
        case ev.ReaderChanged(condition):
            return f"reader {condition.value}"
        case ev.OutboxChanged(condition):
            return f"outbox {condition.value}"
        case _:
            return re.sub(r"(?<!^)(?=[A-Z])", " ", type(event).__name__).lower()


Edges = dict[tuple[str, str], list[str]]


def edges(transitions: Iterable[Transition], staff: bool) -> Edges:
    """(from, to) → what leads there; for staff what begins behind the door or leads to it."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for transition in transitions:
        before, after = transition.before.screen.name, transition.after.screen.name
        word = label(transition.event)
        if before == after or {before, after} & COVERS or word in EVERYWHERE:
            continue
        if staff is not bool({before, after} & {*DOOR, *PAGES}):
            continue
        if before in PAGES and after not in PAGES:
            before = "pages"
        found["armed" if before in ARMED else before, after].add(word)
    return {pair: sorted(words) for pair, words in sorted(found.items())}


def diagram(transitions: Iterable[Transition]) -> str:
    """A Mermaid state diagram."""
    return _drawn("armed", ARMED, edges(transitions, False))


def staff_diagram(transitions: Iterable[Transition]) -> str:
    """What lies behind the hidden door."""
    return _drawn("pages", PAGES, edges(transitions, True))


def _drawn(group: str, members: Iterable[str], found: Edges) -> str:
    lines = ["stateDiagram-v2", "    [*] --> start", f"    state {group} {{"]
    lines += [f"        {name}" for name in members]
    lines.append("    }")
    for (before, after), words in found.items():
        shown = ", ".join(words[:MOST_LABELS]) + (", …" if len(words) > MOST_LABELS else "")
        lines.append(f"    {before} --> {after}: {shown}")
    return "\n".join(lines)


def section(walks: dict[Mode, list[Transition]]) -> str:
    """The generated part of docs/architecture.md."""
    parts = [f"#### `{mode.value}`\n\n```mermaid\n{diagram(walk)}\n```\n" for mode, walk in walks.items()]
    drawn = staff_diagram(next(iter(walks.values())))
    parts.append(f"#### Staff, in both modes\n\n```mermaid\n{drawn}\n```\n")
    return BEGIN + "\n".join(parts) + END


def generated_part(text: str) -> str:
    """What stands between the markers now, markers included."""
    return text[text.index(BEGIN) : text.index(END) + len(END)]


def main() -> None:
    """Write the diagrams into docs/architecture.md."""
    text = ARCHITECTURE.read_text(encoding="utf-8")
    new = section({mode: list(search([start(mode)])) for mode in Mode})
    ARCHITECTURE.write_text(text.replace(generated_part(text), new), encoding="utf-8")


if __name__ == "__main__":
    main()
