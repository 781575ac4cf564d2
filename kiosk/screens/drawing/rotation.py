"""The picture on a panel that is mounted turned: by software, because turning it in the boot settings garbles
it on a Pi 4 (docs/facts/display.md). PURE."""

from dataclasses import dataclass

from kiosk.screens.kit.geometry import Rect


@dataclass(frozen=True)
class Rotation:
    """Turns the picture clockwise by `degrees` (0, 90, 180, 270) onto a panel of `width` by `height`."""

    degrees: int
    width: int
    height: int

    @property
    def picture(self) -> tuple[int, int]:
        """Width and height of the picture, before it is turned."""
        return (self.height, self.width) if self.degrees in (90, 270) else (self.width, self.height)

    def to_panel(self, rect: Rect) -> Rect:
        """Where a rectangle of the picture lies on the panel."""
        w, h = self.picture
        match self.degrees:
            case 90:
                return Rect(h - rect.bottom, rect.x, rect.h, rect.w)
            case 180:
                return Rect(w - rect.right, h - rect.bottom, rect.w, rect.h)
            case 270:
                return Rect(rect.y, w - rect.right, rect.h, rect.w)
            case _:
                return rect

    def to_picture(self, x: float, y: float) -> tuple[float, float]:
        """Which point of the picture a finger on the panel touches."""
        w, h = self.picture
        match self.degrees:
            case 90:
                return y, h - x
            case 180:
                return w - x, h - y
            case 270:
                return w - y, x
            case _:
                return x, y
