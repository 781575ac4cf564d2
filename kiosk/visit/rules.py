"""What the clinic has settled for every visit: mode, what may be asked, how long each screen waits."""

from dataclasses import dataclass, field

from kiosk.qualification.consent import ConsentItem
from kiosk.qualification.terms import Mode

#: Steps of the loudspeaker's volume; 0 is silent.
LOUDEST = 5


@dataclass(frozen=True)
class Timing:
    """How long each state waits, in seconds. Sources: docs/facts/screens.md (Time-outs) and WCAG 2.2.1."""

    patient_s: float = 60.0  #: a question to the patient, before "are you still there?"
    pin_s: float = 90.0
    staff_s: float = 120.0  #: staff on their way; also how long "staff called" stays
    menu_s: float = 60.0  #: the staff pages, and the door before them, without a touch
    door_lock_s: float = 300.0  #: no passcode is taken after too many wrong ones
    still_there_s: float = 20.0  #: WCAG 2.2.1: at least 20 s to say "continue"
    too_early_s: float = 10.0
    reading_s: float = 15.0  #: longer than any healthy token needs, WTX included
    challenge_s: float = 3.0  #: the uploader's own limit for fetching a challenge
    commit_s: float = 5.0  #: until the outbox must have said "committed"
    answer_s: float = 10.0  #: until the answer must be in; after that the visit is recorded
    verified_s: float = 15.0
    recorded_s: float = 20.0
    not_confirmed_s: float = 30.0
    wrong_token_s: float = 60.0
    touch_guard_s: float = 0.25  #: a trembling finger must not answer the next question too
    reader_grace_s: float = 5.0  #: the reader process may restart within this without ending the visit


@dataclass(frozen=True)
class Rules:
    """The settings that the visit machine obeys."""

    mode: Mode
    languages: tuple[str, ...] = ("ja", "ja@easy", "en")  #: offered to patients, the first one first
    known_languages: tuple[str, ...] = ("ja", "ja@easy", "en")  #: those that staff may offer
    consent_items: tuple[ConsentItem, ...] = tuple(ConsentItem)
    large_text: bool = False  #: visits begin in large letters
    offer_as_registered: bool = False  #: 前回と同じ is offered (re-inquiry, 再照会)
    offer_visual_check: bool = True
    passcode_tries: int = 5  #: wrong passcodes in a row until none is taken for a while
    timing: Timing = field(default_factory=Timing)

    @property
    def steps(self) -> int:
        """How many steps the patient is told of."""
        return 4
