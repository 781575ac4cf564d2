"""What tokens of one make have done before: which way is tried first, and nothing else.

A token of a make is known by what it shows before it is activated (`Found.face`): no identifier, nobody's
name. What is remembered decides the order of trying. It never replaces what the token answers itself in
this activation, and VERIFY does not depend on it.
"""

from dataclasses import dataclass

MOST_FACES = 16
ASK_AGAIN_AFTER = 16  #: contacts: one of another make may show the same face


@dataclass
class _Habit:
    select_for: int = 0  #: so many contacts more begin with SELECT EF
    only_a_for: int = 0  #: so many contacts more begin with the type A face


class Habits:
    """Kept in memory by the reader process; bounded."""

    def __init__(self) -> None:
        self._faces: dict[bytes, _Habit] = {}

    def short_ef_first(self, face: bytes) -> bool:
        """Whether it is worth a command to find out if the token takes short EF identifiers."""
        habit = self._faces.get(face)
        if habit is None or habit.select_for == 0:
            return True
        habit.select_for -= 1
        return False

    def refused_short_ef(self, face: bytes) -> None:
        """It was asked and refused: the next ones of this make are not asked for a while."""
        self._of(face).select_for = ASK_AGAIN_AFTER

    def type_a_first(self, face: bytes) -> bool:
        """Whether the application was lately found on the type A face only."""
        habit = self._faces.get(face)
        if habit is None or habit.only_a_for == 0:
            return False
        habit.only_a_for -= 1
        return True

    def only_on_type_a(self, face: bytes) -> None:
        """The type B face had no application and the type A face had it."""
        self._of(face).only_a_for = ASK_AGAIN_AFTER

    def _of(self, face: bytes) -> _Habit:
        if face not in self._faces and len(self._faces) >= MOST_FACES:
            del self._faces[next(iter(self._faces))]
        return self._faces.setdefault(face, _Habit())
