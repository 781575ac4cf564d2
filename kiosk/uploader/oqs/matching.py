"""Which result of a look-up belongs to which recorded visit. PURE.

By identifiers alone: the visit's id where it stands as 照会番号 or 任意の識別子; and the insured person's
number with insurer and birth date, where the answer to the visit is still in memory. A time never says whose
a result is. Receipt numbers do not count either: a 照会番号 is usually the clinic's own patient number and
looks the same. Whatever is not certain goes to staff.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kiosk.uploader.oqs.characters import comparable
from kiosk.uploader.oqs.messages import Unit
from kiosk.uploader.oqs.results import QualificationResult

#: Insurer, symbol, number, branch, birth date; without width and spaces.
PersonIdentity = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class RecordedVisit:
    """A visit that waits for its result; `identities`: who it was, as far as that is still in memory."""

    visit: str
    identities: frozenset[PersonIdentity] = frozenset()


@dataclass(frozen=True)
class Matches:
    """What came of it. `uncertain`: visits that a result may belong to; `others`: how many results belong to
    none of the visits.
    """

    found: dict[str, Unit]
    uncertain: frozenset[str]
    others: int


def identity(result: QualificationResult) -> PersonIdentity | None:
    """Who is insured; None where a part is missing without which two persons could be one."""
    parts = (
        result.InsurerNumber,
        result.InsuredCardSymbol,
        result.InsuredIdentificationNumber,
        result.InsuredBranchNumber,
        result.Birthdate,
    )
    insurer, symbol, number, branch, birthdate = (comparable(part or "") for part in parts)
    return (insurer, symbol, number, branch, birthdate) if insurer and number and birthdate else None


def identities(results: Iterable[QualificationResult]) -> frozenset[PersonIdentity]:
    """The identities of several results."""
    return frozenset(found for result in results if (found := identity(result)) is not None)


@dataclass
class Matcher:
    """Takes results one by one; `matches` when all have been taken."""

    recorded: Iterable[RecordedVisit]
    _by_id: dict[str, RecordedVisit] = field(init=False)
    _by_person: dict[PersonIdentity, set[str]] = field(init=False, default_factory=dict)
    _claims: dict[str, list[Unit]] = field(init=False, default_factory=dict)
    _uncertain: set[str] = field(init=False, default_factory=set)
    _others: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._by_id = {each.visit.casefold(): each for each in self.recorded}
        for each in self._by_id.values():
            for person in each.identities:
                self._by_person.setdefault(person, set()).add(each.visit)

    def take(self, unit: Unit) -> None:
        """One result."""
        named = {self._by_id[name].visit for name in _names(unit) if name in self._by_id}
        persons = identities(unit.results)
        meant = {visit for person in persons for visit in self._by_person.get(person, ())}
        contradicted = {visit for visit in named if self._is_somebody_else(visit, persons)}
        hits = named | meant
        if not hits:
            self._others += 1
        elif len(hits) > 1 or contradicted:
            self._uncertain |= hits
        else:
            self._claims.setdefault(hits.pop(), []).append(unit)

    def _is_somebody_else(self, visit: str, persons: frozenset[PersonIdentity]) -> bool:
        known = self._by_id[visit.casefold()].identities
        return bool(known and persons and not known & persons)

    def matches(self) -> Matches:
        """All that is certain, and what is not."""
        uncertain = self._uncertain | {visit for visit, units in self._claims.items() if len(units) > 1}
        found = {visit: units[0] for visit, units in self._claims.items() if visit not in uncertain}
        return Matches(found, frozenset(uncertain), self._others)


def _names(unit: Unit) -> set[str]:
    asked = unit.QualificationConfirmSearchInfo
    names = [*unit.ReferenceNumber, *(result.ReferenceNumber for result in unit.results)]
    names.append(None if asked is None else asked.ArbitraryIdentifier)
    return {name.strip().casefold() for name in names if name}
