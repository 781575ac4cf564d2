"""The drawn movements: where token, reader and contact are at `t` seconds (PURE), and their drawing.

Seen from above, as the patient sees the counter: the reader lies farther away, the token comes from the hand.
"""

from dataclasses import dataclass

import pygame

from kiosk.screens.drawing.shapes import Kept, Shapes
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.widgets import Scene, SceneKind

CYCLE_S = 3.6
MOVE_S = 1.3
REST_S = 3.2  #: until here the token lies; then it is away for a moment, never shown moving back
WAVES = 3


@dataclass(frozen=True)
class Pose:
    """Where things are in the scene's own pixels."""

    reader: Rect
    token: Rect | None
    place: Rect | None  #: what touches the reader, on the token
    rings: int  #: how many waves are shown, 0 to WAVES


def _eased(part: float) -> float:
    part = min(1.0, max(0.0, part))
    return part * part * (3 - 2 * part)


def pose(kind: SceneKind, w: int, h: int, label_h: int, t: float) -> Pose:
    """The movement as a function of time; `w` by `h` pixels of which `label_h` are the reader's name."""
    t = t % CYCLE_S
    room = h - label_h
    moved = _eased(t / MOVE_S)
    rest = t >= MOVE_S
    match kind:
        case SceneKind.CARD | SceneKind.REMOVE_CARD:
            reader = Rect(w // 8, label_h + room // 40, w * 3 // 4, room * 11 // 20)
            tw, th = w * 29 // 50, w * 37 // 100
            end = Rect((w - tw) // 2, reader.y + (reader.h - th) // 2, tw, th)
            start_y = h - th
            place = None
        case SceneKind.IPHONE:
            reader = Rect(w // 8, label_h + room // 40, w * 3 // 4, room * 3 // 10)
            tw, th = w * 8 // 25, room * 6 // 10
            end = Rect((w - tw) // 2, reader.bottom - room * 13 // 100, tw, th)
            start_y = h - th + room // 12
            place = Rect(0, 0, tw, room * 14 // 100)
        case SceneKind.REMOVE_PHONE:
            reader = Rect(w // 8, label_h + room // 40, w * 3 // 4, room * 3 // 10)
            tw, th = w * 8 // 25, room * 6 // 10
            end = Rect((w - tw) // 2, reader.y + reader.h // 6, tw, th)
            start_y = h - th
            place = None
        case SceneKind.ANDROID:
            reader = Rect(w // 8, label_h + room * 3 // 20, w * 3 // 4, room * 4 // 10)
            tw, th = w * 8 // 25, room * 6 // 10
            end = Rect((w - tw) // 2, reader.y + (reader.h - th) // 2, tw, th)
            start_y = h - th
            side = tw * 4 // 5
            place = Rect((tw - side) // 2, (th - side) // 2, side, side)
    if kind in (SceneKind.REMOVE_CARD, SceneKind.REMOVE_PHONE):
        y = round(end.y + (start_y - end.y) * _eased((t - 0.6) / MOVE_S))
        return Pose(reader, Rect(end.x, y, tw, th), None, 0)
    if t >= REST_S:
        return Pose(reader, None, None, 0)
    token = Rect(end.x, round(start_y + (end.y - start_y) * moved), tw, th)
    rings = 1 + int((t - MOVE_S) / 0.3) % (WAVES + 1) if rest else 0
    return Pose(reader, token, place.moved(token.x, token.y) if place else None, min(rings, WAVES))


class ScenePainter:
    """Draws poses; tokens are made once for each size and theme."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._tokens: Kept[tuple[object, ...], pygame.Surface] = Kept(12)

    def draw(self, surface: pygame.Surface, scene: Scene, t: float) -> None:
        """Draw reader and token on the scene's ground, which is there already."""
        rect = scene.rect
        before = surface.get_clip()
        surface.set_clip(before.clip((rect.x, rect.y, rect.w, rect.h)))
        now = pose(scene.kind, rect.w, rect.h, scene.label.box.h, t)
        self._reader(surface, scene, now)
        if now.token is not None:
            token = self._token(scene, now.token.w, now.token.h)
            surface.blit(token, (rect.x + now.token.x, rect.y + now.token.y))
            if now.place is not None:
                self._place(surface, scene, now.place.moved(rect.x, rect.y))
        surface.set_clip(before)

    def _reader(self, surface: pygame.Surface, scene: Scene, now: Pose) -> None:
        pad = now.reader.moved(scene.rect.x, scene.rect.y)
        self._shapes.rounded(surface, pad, pad.h // 8, 0, scene.reader.fill, scene.reader.line)
        for ring in range(now.rings):
            inner = pad.inset(pad.h // 16 * (ring + 1) - pad.h // 32)
            ring_radius = max(2, pad.h // 8 - pad.h // 24 * ring)
            self._shapes.rounded(
                surface, inner, ring_radius, max(3, pad.h // 40), scene.reader.fill, scene.highlight
            )

    def _place(self, surface: pygame.Surface, scene: Scene, place: Rect) -> None:
        if scene.kind is SceneKind.IPHONE:
            inner = place.inset(max(3, place.w // 20))
            self._shapes.rounded(surface, inner, inner.h // 3, 0, scene.highlight, scene.highlight)
        else:
            self._shapes.rounded(surface, place, place.w // 2, 0, scene.highlight, scene.highlight)

    def _token(self, scene: Scene, w: int, h: int) -> pygame.Surface:
        key = (scene.kind, w, h, scene.face)
        return self._tokens.get(key, lambda: self._make_token(scene, w, h))

    def _make_token(self, scene: Scene, w: int, h: int) -> pygame.Surface:
        surface = pygame.Surface((w, h), pygame.SRCALPHA)
        surface.fill((*scene.face.ink, 0))
        whole, ink, fill = Rect(0, 0, w, h), scene.face.ink, scene.face.fill
        edge = max(3, w // 30)
        if scene.kind in (SceneKind.CARD, SceneKind.REMOVE_CARD):
            self._shapes.rounded(surface, whole, h // 10, edge, fill, ink)
            photo = Rect(w * 66 // 100, h * 24 // 100, w * 22 // 100, h * 44 // 100)
            self._shapes.rounded(surface, photo, h // 30, 0, ink, ink)
            for row in range(3):
                bar = Rect(
                    w // 9, h * (26 + 20 * row) // 100, w * (45 - 10 * (row == 2)) // 100, h * 8 // 100
                )
                self._shapes.rounded(surface, bar, bar.h // 2, 0, ink, ink)
            return surface
        self._shapes.rounded(surface, whole, w // 6, edge, fill, ink)
        if scene.kind is SceneKind.ANDROID:
            self._shapes.rounded(
                surface, Rect(w // 2 - w // 20, h // 24, w // 10, w // 10), w // 20, 0, ink, ink
            )
        home = Rect(w * 3 // 10, h - h // 14, w * 4 // 10, max(3, h // 60))
        self._shapes.rounded(surface, home, home.h // 2, 0, ink, ink)
        return surface
