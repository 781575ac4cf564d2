"""Rectangles in pixels. PURE: layout, drawing and touch share them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Rect:
    """A rectangle in whole pixels; right and bottom are one past the last pixel."""

    x: int
    y: int
    w: int
    h: int

    @property
    def right(self) -> int:
        return self.x + self.w

    @property
    def bottom(self) -> int:
        return self.y + self.h

    @property
    def middle(self) -> tuple[int, int]:
        return self.x + self.w // 2, self.y + self.h // 2

    def holds(self, x: float, y: float) -> bool:
        """Whether the point lies inside."""
        return self.x <= x < self.right and self.y <= y < self.bottom

    def covers(self, other: "Rect") -> bool:
        """Whether `other` lies wholly inside."""
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.right <= self.right
            and other.bottom <= self.bottom
        )

    def overlaps(self, other: "Rect") -> bool:
        return (
            self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom
        )

    def gap_to(self, other: "Rect") -> int:
        """Free pixels between two rectangles along the axis that parts them more; 0 if they touch."""
        across = max(self.x - other.right, other.x - self.right, 0)
        down = max(self.y - other.bottom, other.y - self.bottom, 0)
        return max(across, down)

    def inset(self, dx: int, dy: int | None = None) -> "Rect":
        """Smaller by `dx` left and right and by `dy` (or `dx`) above and below."""
        dy = dx if dy is None else dy
        return Rect(self.x + dx, self.y + dy, max(0, self.w - 2 * dx), max(0, self.h - 2 * dy))

    def moved(self, dx: int, dy: int) -> "Rect":
        return Rect(self.x + dx, self.y + dy, self.w, self.h)

    def top(self, height: int) -> "Rect":
        return Rect(self.x, self.y, self.w, min(height, self.h))

    def below(self, height: int) -> "Rect":
        """What is left when `height` is taken off above."""
        return Rect(self.x, self.y + height, self.w, max(0, self.h - height))

    def base(self, height: int) -> "Rect":
        return Rect(self.x, self.bottom - height, self.w, height)

    def above(self, height: int) -> "Rect":
        """What is left when `height` is taken off below."""
        return Rect(self.x, self.y, self.w, max(0, self.h - height))

    def left(self, width: int) -> "Rect":
        return Rect(self.x, self.y, width, self.h)

    def after(self, width: int) -> "Rect":
        """What is left when `width` is taken off at the left."""
        return Rect(self.x + width, self.y, max(0, self.w - width), self.h)

    def columns(self, count: int, gap: int) -> tuple["Rect", ...]:
        """`count` equal parts side by side; the last takes the odd pixels."""
        each = (self.w - gap * (count - 1)) // count
        parts = [Rect(self.x + i * (each + gap), self.y, each, self.h) for i in range(count)]
        parts[-1] = Rect(parts[-1].x, self.y, self.right - parts[-1].x, self.h)
        return tuple(parts)

    def shares(self, weights: Sequence[float], gap: int) -> tuple["Rect", ...]:
        """Parts side by side, as wide as their weights say; the last takes the odd pixels."""
        room, total = self.w - gap * (len(weights) - 1), sum(weights)
        parts: list[Rect] = []
        x = self.x
        for weight in weights:
            parts.append(Rect(x, self.y, int(room * weight / total), self.h))
            x = parts[-1].right + gap
        parts[-1] = Rect(parts[-1].x, self.y, self.right - parts[-1].x, self.h)
        return tuple(parts)

    def rows(self, count: int, gap: int) -> tuple["Rect", ...]:
        """`count` equal parts one below the other; the last takes the odd pixels."""
        each = (self.h - gap * (count - 1)) // count
        parts = [Rect(self.x, self.y + i * (each + gap), self.w, each) for i in range(count)]
        parts[-1] = Rect(self.x, parts[-1].y, self.w, self.bottom - parts[-1].y)
        return tuple(parts)

    def centred(self, w: int, h: int) -> "Rect":
        """A rectangle of that size around this one's middle."""
        return Rect(self.x + (self.w - w) // 2, self.y + (self.h - h) // 2, w, h)


def around(rects: Sequence[Rect]) -> Rect:
    """The smallest rectangle that covers them all."""
    x, y = min(r.x for r in rects), min(r.y for r in rects)
    return Rect(x, y, max(r.right for r in rects) - x, max(r.bottom for r in rects) - y)
