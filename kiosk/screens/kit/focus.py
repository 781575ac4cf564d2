"""Which target two keys stand on. PURE.

Nothing is in focus until a key is used, and on a page that has just come: an impatient finger on ENTER must
not answer the next question. The order is that of reading.
"""

from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.widgets import Picture, Target


def in_order(picture: Picture) -> tuple[Target, ...]:
    """The targets as they are read: line by line, from the left."""
    return tuple(sorted(picture.targets, key=lambda target: (target.rect.y, target.rect.x)))


class Focus:
    """Walks over the targets of whatever picture there is."""

    def __init__(self) -> None:
        self._id: str | None = None
        self._page: frozenset[str] = frozenset()

    def on(self, picture: Picture) -> Target | None:
        """What is in focus on this picture; another page's focus is gone."""
        page = frozenset(target.id for target in picture.targets)
        if page != self._page:
            self._page, self._id = page, None
        return next((target for target in picture.targets if target.id == self._id), None)

    def walk(self, picture: Picture) -> Target | None:
        """Go on to the next target, after the last one to the first; None where nothing can be touched."""
        before = self.on(picture)
        order = in_order(picture)
        if not order:
            return None
        following = order[0] if before is None else order[(order.index(before) + 1) % len(order)]
        self._id = following.id
        return following

    def leave(self) -> None:
        """A finger is used instead."""
        self._id = None


def ring(target: Rect, screen: Rect, width: int) -> Rect:
    """The frame around a target, within the screen."""
    left, top = max(screen.x, target.x - width), max(screen.y, target.y - width)
    right, bottom = min(screen.right, target.right + width), min(screen.bottom, target.bottom + width)
    return Rect(left, top, right - left, bottom - top)
