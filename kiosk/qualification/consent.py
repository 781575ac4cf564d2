"""Which records the patient lets the clinic see, as asked on the screen and as signed by the token."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class ConsentItem(StrEnum):
    """The kinds of viewing consent on file (別紙5-1 OQSCD036 閲覧同意情報種別)."""

    DIAGNOSIS = "SRJ"  #: 診療・アレルギー・検査
    MEDICINE = "YZK"  #: 薬剤・処方
    CHECKUP = "TKK"  #: 特定健診
    OPERATION = "SHJ"  #: 手術・傷病名・感染症


class ConsentForm(StrEnum):
    """How the patient answered."""

    NOT_ASKED = "not_asked"  #: 資格確認限定型: no medical data exists there
    ALL = "all"
    NONE = "none"
    ITEMS = "items"
    AS_REGISTERED = "as_registered"  #: 前回と同じ: what the service holds stays in force (再照会)


@dataclass(frozen=True)
class Consent:
    """A patient's answer; `agreed` lists the items agreed to, in the order of `ConsentItem`."""

    form: ConsentForm
    agreed: tuple[ConsentItem, ...] = ()

    def with_item(self, item: ConsentItem, agree: bool) -> "Consent":
        """Return the answer with one item set."""
        chosen = set(self.agreed) | {item} if agree else set(self.agreed) - {item}
        return Consent(ConsentForm.ITEMS, tuple(i for i in ConsentItem if i in chosen))


NOT_ASKED = Consent(ConsentForm.NOT_ASKED)
NO_CONSENT = Consent(ConsentForm.NONE)
AS_REGISTERED = Consent(ConsentForm.AS_REGISTERED)


def consent_to_all(items: Iterable[ConsentItem]) -> Consent:
    """Agreement to every item that this clinic asks about."""
    asked = set(items)
    return Consent(ConsentForm.ALL, tuple(i for i in ConsentItem if i in asked))
