"""The settings about the clinic: who it is, how a visit goes, who of the staff may come in."""

from dataclasses import dataclass, field, fields
from typing import Any

from kiosk.config.choices import LANGUAGES, LANGUAGES_ON
from kiosk.config.fault_words import Mistake
from kiosk.config.first_boot_settings import PASSCODE, PASSCODE_WHAT, STAFF_NUMBER, STORED
from kiosk.config.table import ConfigFault, Rulebook, Table, fault
from kiosk.qualification.consent import ConsentItem
from kiosk.qualification.terms import Mode
from kiosk.visit.rules import Rules, Timing


@dataclass(frozen=True)
class Clinic:
    name: str
    institution: str  #: 医療機関コード, 10 digits
    terminal: str  #: this kiosk's name at the service; stands in its client certificate
    handbook: str = "none"  #: where staff read this kiosk's handbook; a QR code on their help page


@dataclass(frozen=True)
class StaffMember:
    number: str
    #: as `kiosk provision passcode` prints it: scrypt parameters, salt and hash; digits before the first boot
    passcode: str = field(repr=False)


def clinic(table: Table) -> Clinic:
    """Read `[clinic]`."""
    return Clinic(
        name=table.text("name", "the clinic's name"),
        institution=table.text(
            "institution", "the 10 digits of 医療機関コード in quotes", pattern=r"[0-9]{10}"
        ),
        terminal=table.text(
            "terminal", "a short name such as K001 (letters, digits, - )", pattern=r"[A-Za-z0-9-]{1,32}"
        ),
        handbook=table.text("handbook", 'an https:// address, or "none"', "none", r"none|https://[!-~]+"),
    )


def rules(table: Table, timing: Table) -> Rules:
    """Read `[visit]` and `[timing]`."""
    items = table.names(
        "consent_items",
        tuple(i.name.lower() for i in ConsentItem),
        tuple(i.name.lower() for i in ConsentItem),
    )
    limits = {each.name: float(str(each.default)) for each in fields(Timing)}
    return Rules(
        mode=table.choice("mode", Mode),
        languages=table.names("languages", LANGUAGES, LANGUAGES_ON),
        known_languages=LANGUAGES,
        consent_items=tuple(ConsentItem[name.upper()] for name in items),
        large_text=table.flag("large_text", False),
        offer_as_registered=table.flag("offer_as_registered", False),
        offer_visual_check=table.flag("offer_visual_check", True),
        passcode_tries=table.whole("passcode_tries", 1, 20, 5),
        timing=Timing(**{name: timing.number(name, 0.01, 3600, usual) for name, usual in limits.items()}),
    )


def staff(
    data: Any, lines: dict[str, int], faults: list[ConfigFault], book: Rulebook, fresh: bool
) -> tuple[StaffMember, ...]:
    """Read the `[[staff]]` sections."""
    if not isinstance(data, list):
        faults.append(fault(lines.get("staff"), "staff", Mistake.NOT_SECTIONS, "staff"))
        return ()
    members: list[StaffMember] = []
    for index, entry in enumerate(data):
        table = Table(f"staff[{index}]", entry, lines, faults, book)
        number = table.text("number", "a personal staff number of 3 to 6 digits", pattern=STAFF_NUMBER)
        # Before the first boot digits will do: it keeps their hash, and empties them on the card.
        what = PASSCODE_WHAT if fresh else "the text that `kiosk provision passcode` prints"
        passcode = table.text("passcode", what, pattern=f"{STORED}|{PASSCODE}" if fresh else STORED)
        if number and any(other.number == number for other in members):
            table.fault("number", Mistake.TWICE)
        members.append(StaffMember(number, passcode))
        table.finish()
    return tuple(members)
