"""Builds one picture: places texts and buttons, and notes what each touch means. PURE."""

from collections.abc import Sequence
from dataclasses import replace

from kiosk.screens.kit import look as sizes
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.labels import ButtonLabel as ButtonLabel
from kiosk.screens.kit.labels import Paragraph as Paragraph
from kiosk.screens.kit.linebreak import Fitted, fit, phrases, width_of
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.ruby import pieces, ruby_size
from kiosk.screens.kit.theme import Colour, Face
from kiosk.screens.kit.touch import Touch
from kiosk.screens.kit.widgets import Button, Icon, Picture, Target, Text, TextLine, Widget
from kiosk.visit.states import Kiosk

#: What a tile with an icon above its words needs.
ICON_TILE_MM = 27.0
#: A button higher than this is no easier to hit and looks like a panel.
HIGHEST_BUTTON_MM = 46.0


class Page:
    """Collects the widgets and targets of one picture.

    `staff`: a page that only staff read, in one of their languages. `scale`: how much larger than usual
    letters are; `crowded` tells whether they are too large for what the page has to say.
    """

    def __init__(self, kiosk: Kiosk, look: Look, name: str, staff: bool = False, scale: float = 1.0) -> None:
        self.kiosk, self.name = kiosk, name
        self.language = look.words.for_staff(kiosk.language) if staff else kiosk.language
        self.look = replace(look, measure=look.measure.for_language(self.language))
        self.tokens = look.tokens
        self.for_staff = staff
        self._scale = scale
        self.crowded = False
        self._widgets: list[Widget] = []
        self._targets: list[Target] = []
        self._door: Rect | None = None
        canvas = look.canvas
        self.gap = canvas.px(sizes.GAP_MM)
        self.margin = canvas.px(sizes.MARGIN_MM)
        self.edge = max(2, round(self.tokens.edge_px * canvas.px_per_mm / 5.36))
        self.radius = canvas.px(2.2)
        self.header_rect = Rect(0, 0, canvas.width, canvas.px(sizes.HEADER_MM))
        self.under_header = Rect(
            self.margin,
            self.header_rect.bottom + canvas.px(1.5),
            canvas.width - 2 * self.margin,
            canvas.height - self.margin - self.header_rect.bottom - canvas.px(1.5),
        )
        self.row = canvas.px(sizes.LARGE_TARGET_MM if self.large else sizes.TARGET_MM)
        self.two_rows = canvas.portrait and not staff  # words large enough for patients are too wide for one
        self.footer_rect = self.under_header.base(2 * self.row + self.gap if self.two_rows else self.row)
        self.content = self.under_header.above(self.footer_rect.h + self.gap)

    def picture(self) -> Picture:
        """All that was placed, as a value."""
        canvas = self.look.canvas
        return Picture(
            self.name,
            (canvas.width, canvas.height),
            self.tokens.ground,
            tuple(self._widgets),
            tuple(self._targets),
            self._door,
        )

    def text(self, key: str, **values: object) -> str:
        """The catalogue's words in the page's language."""
        return self.look.words.text(self.language, key, **values)

    def px(self, mm: float) -> int:
        return self.look.canvas.px(mm)

    def em(self, mm: float) -> int:
        """Pixels per em of letters that are `mm` high where letters are not large: what has to be read grows,
        what is larger than that already only keeps ahead of it."""
        if mm <= sizes.NEEDED_MM:
            return self.px(max(mm * self._scale, sizes.FLOOR_MM))
        return self.px(max(mm, sizes.NEEDED_MM * self._scale))

    @property
    def large(self) -> bool:
        """Whether the page is written in large letters."""
        return self._scale > 1.0

    def sides(self, area: Rect, width: int, gap: int, on_left: bool | None = None) -> tuple[Rect, Rect]:
        """`area` parted into words and what the hand goes to, `width` wide: at the right, at the left where
        the kiosk is mounted for the left hand, or as `on_left` says."""
        left = self.look.mirror if on_left is None else on_left
        words = Rect(area.x + (width + gap if left else 0), area.y, area.w - width - gap, area.h)
        return words, Rect(area.x if left else area.right - width, area.y, width, area.h)

    def add(self, *widgets: Widget) -> None:
        self._widgets.extend(widgets)

    def open_door(self) -> None:
        """Staff may knock here: a long press on the header."""
        self._door = self.header_rect

    def target(self, rect: Rect, touch: Touch, id_: str) -> None:
        self._targets.append(Target(rect, touch, id_))

    # ---- text --------------------------------------------------------------------------------------------

    def fitted(self, text: str, width: int, height: int, mm: float, floor_mm: float, bold: bool) -> Fitted:
        """The largest fit down to `floor_mm`; where even that is too large, down to the absolute floor."""
        measure = self.look.measure
        fitted = fit(text, width, height, self.em(mm), min(self.em(mm), self.em(floor_mm)), bold, measure)
        self.crowded = self.crowded or not fitted.fits
        if fitted.fits or floor_mm <= sizes.FLOOR_MM:
            return fitted
        return fit(text, width, height, fitted.size, self.px(sizes.FLOOR_MM), bold, measure)

    def holds(self, box: Rect, text: str) -> bool:
        """Whether a title fits the box at the size that is needed."""
        size = self.em(sizes.NEEDED_MM)
        return fit(text, box.w, box.h, size, size, True, self.look.measure).fits

    def placed(
        self,
        fitted: Fitted,
        box: Rect,
        bold: bool,
        ink: Colour,
        ground: Colour,
        centre: bool = False,
        middle: bool = False,
    ) -> Text:
        """Lines at their places in `box`, readings above what they belong to."""
        measure, size, small = self.look.measure, fitted.size, ruby_size(fitted.size)
        y = box.y + fitted.lead + ((box.h - fitted.height) // 2 if middle else 0)
        lines: list[TextLine] = []
        readings: list[TextLine] = []
        for line in fitted.lines:
            width = width_of(line, size, bold, measure)
            x = box.x + ((box.w - width) // 2 if centre else 0)
            if not fitted.ruby:
                lines.append(TextLine(line, Rect(x, y, width, size)))
            for piece in pieces(line) if fitted.ruby else ():
                base = measure.width(piece.text, size, bold)
                above = measure.width(piece.reading, small, False) if piece.reading else 0
                wide = max(base, above)
                lines.append(TextLine(piece.text, Rect(x + (wide - base) // 2, y, base, size)))
                if piece.reading:
                    place = Rect(x + (wide - above) // 2, y - small, above, small)
                    readings.append(TextLine(piece.reading, place))
                x += wide
            y += fitted.pitch
        return Text(box, tuple(lines), size, bold, ink, ground, tuple(readings), small, measure.first)

    def write(
        self,
        box: Rect,
        paragraph: Paragraph,
        floor_mm: float = sizes.NEEDED_MM,
        ground: Colour | None = None,
        centre: bool = False,
        middle: bool = False,
    ) -> Text:
        """Place one text as large as it fits."""
        fitted = self.fitted(paragraph.text, box.w, box.h, paragraph.mm, floor_mm, paragraph.bold)
        placed = self.placed(
            fitted,
            box,
            paragraph.bold,
            paragraph.ink or self.tokens.ink,
            ground or self.tokens.ground,
            centre,
            middle,
        )
        self.add(placed)
        return placed

    def stack(
        self,
        box: Rect,
        paragraphs: Sequence[Paragraph],
        gap_mm: float = 3.0,
        ground: Colour | None = None,
        centre: bool = False,
        middle: bool = False,
        floor_mm: float = sizes.NEEDED_MM,
    ) -> Rect:
        """Place texts one below the other, all shrunk alike until they fit; returns what they take up."""
        fits, gap, total = self._stacked(box.w, box.h, paragraphs, gap_mm, floor_mm)
        self.crowded = self.crowded or total > box.h
        y = box.y + max(0, (box.h - total) // 2 if middle else 0)
        top = y
        for paragraph, fitted in zip(paragraphs, fits, strict=True):
            part = Rect(box.x, y, box.w, fitted.height)
            self.add(
                self.placed(
                    fitted,
                    part,
                    paragraph.bold,
                    paragraph.ink or self.tokens.ink,
                    ground or self.tokens.ground,
                    centre,
                )
            )
            y += fitted.height + gap
        return Rect(box.x, top, box.w, y - gap - top)

    def _stacked(
        self, width: int, height: int, paragraphs: Sequence[Paragraph], gap_mm: float, floor_mm: float
    ) -> tuple[list[Fitted], int, int]:
        """The texts as they fit below each other, the gap between them, and how high they are together."""
        shrink = 1.0
        while True:
            fits = [
                self.fitted(p.text, width, height, max(p.mm * shrink, floor_mm), min(p.mm, floor_mm), p.bold)
                for p in paragraphs
            ]
            gap = self.px(gap_mm * shrink)
            total = sum(f.height for f in fits) + gap * (len(fits) - 1)
            if total <= height or shrink < 0.5:
                return fits, gap, total
            shrink *= 0.97

    def height_of(self, paragraphs: Sequence[Paragraph], width: int, height: int, gap_mm: float) -> int:
        """How high texts are below each other, shrunk towards `height` as far as they may be."""
        return self._stacked(width, height, paragraphs, gap_mm, sizes.NEEDED_MM)[2]

    def lead(self, paragraphs: Sequence[Paragraph], answers: int) -> Rect:
        """A question at the top of the content, small enough to leave room for so many answers; returns
        the room below it."""
        gap = self.px(3.2)
        rows = min(answers, 2)  # in portrait, where room is short, two answers stand side by side
        least = rows * max(self.row, self.px(sizes.MAIN_TARGET_MM)) + (rows - 1) * self.gap
        if not self.look.canvas.portrait:
            roomy = self.content.h - self.px(ICON_TILE_MM) - gap
            fits = self.height_of(paragraphs, self.content.w, roomy, 2.0) <= roomy
            least = self.px(ICON_TILE_MM if fits else sizes.MAIN_TARGET_MM)
        used = self.stack(self.content.above(least + gap), paragraphs, 2.0)
        return self.content.below(used.h + gap)

    # ---- buttons -----------------------------------------------------------------------------------------

    def buttons(
        self,
        rects: Sequence[Rect],
        labels: Sequence[ButtonLabel],
        icon_above: bool = False,
        mm: float = sizes.NEEDED_MM,
    ) -> None:
        """Place buttons that belong together: the same size of letters on all of them; their icons are left
        away where the words would not fit beside them."""
        if not self.fits(rects, labels, icon_above):
            labels = [replace(label, mark=None) for label in labels]
        boxes = [self._boxes(rect, label, icon_above) for rect, label in zip(rects, labels, strict=True)]
        mains = [
            self.fitted(label.text, main.w, main.h, mm, sizes.NEEDED_MM, True)
            for label, (_, main, _) in zip(labels, boxes, strict=True)
        ]
        subs = [
            self.fitted(label.sub, sub.w, sub.h, sizes.NEEDED_MM, sizes.NEEDED_MM, False)
            for label, (_, _, sub) in zip(labels, boxes, strict=True)
            if label.sub
        ]
        main_size = min(fitted.size for fitted in mains)
        sub_size = min((fitted.size for fitted in subs), default=0)
        for rect, label, (icon, main, sub) in zip(rects, labels, boxes, strict=True):
            face = self.tokens.primary if label.primary else self.tokens.plain
            texts = [self._label(label.text, main, main_size, True, face)]
            if label.sub:
                texts.append(self._label(label.sub, sub, sub_size, False, face))
            mark = None
            if label.mark is not None and icon is not None:
                mark = Icon(icon, label.mark, face.ink, face.fill)
            self.add(
                Button(label.id, rect, face, self.tokens.pressed, self.edge, self.radius, tuple(texts), mark)
            )
            self.target(rect, label.touch, label.id)

    def parts(self, rect: Rect, labels: Sequence[ButtonLabel]) -> tuple[Rect, ...]:
        """Places side by side for buttons, each as wide in proportion as its widest phrase needs."""
        return rect.shares([self.need(label.text) for label in labels], self.gap)

    def need(self, text: str) -> int:
        """How wide a button must be for its widest phrase."""
        size = self.em(sizes.NEEDED_MM)
        widest = max(
            width_of(phrase.bare, size, True, self.look.measure)
            for paragraph in phrases(text)
            for phrase in paragraph
        )
        return max(self.px(sizes.TARGET_MM), widest + self.px(3.4))

    def fits(self, rects: Sequence[Rect], labels: Sequence[ButtonLabel], icon_above: bool = False) -> bool:
        """Whether every button holds its words at the size that is needed."""
        size = self.em(sizes.NEEDED_MM)
        boxes = [self._boxes(rect, label, icon_above)[1] for rect, label in zip(rects, labels, strict=True)]
        return all(
            fit(label.text, main.w, main.h, size, size, True, self.look.measure).fits
            for label, main in zip(labels, boxes, strict=True)
        )

    def button(
        self, rect: Rect, label: ButtonLabel, mm: float = sizes.NEEDED_MM, icon_above: bool = False
    ) -> None:
        self.buttons([rect], [label], icon_above, mm)

    def tiles(self, rect: Rect, labels: Sequence[ButtonLabel], mm: float = sizes.TITLE_MM) -> None:
        """A choice between equals: side by side with the icon above, one below the other in portrait."""
        highest = self.px(HIGHEST_BUTTON_MM)
        least = max(self.row, self.px(sizes.MAIN_TARGET_MM))
        if self.look.canvas.portrait and rect.h < len(labels) * (least + self.gap) - self.gap:
            count = -(-len(labels) // 2)
            rows = rect.top(min(rect.h, count * self.px(30) + (count - 1) * self.gap)).rows(count, self.gap)
            pairs = [row.columns(min(2, len(labels) - 2 * i), self.gap) for i, row in enumerate(rows)]
            self.buttons([cell for pair in pairs for cell in pair], labels, False, mm)
            return
        if self.look.canvas.portrait:
            each = min(
                (rect.h - self.gap * (len(labels) - 1)) // len(labels), self.px(sizes.MAIN_TARGET_MM * 1.5)
            )
            rect = rect.top(each * len(labels) + self.gap * (len(labels) - 1))
            self.buttons(rect.rows(len(labels), self.gap), labels, False, mm)
            return
        if rect.h > highest:
            rect = rect.centred(rect.w, highest)
        self.buttons(rect.columns(len(labels), self.gap), labels, True, mm)

    def _label(self, text: str, box: Rect, size: int, bold: bool, face: Face) -> Text:
        fitted = fit(text, box.w, box.h, size, size, bold, self.look.measure)
        return self.placed(fitted, box, bold, face.ink, face.fill, True, True)

    def _boxes(self, rect: Rect, label: ButtonLabel, icon_above: bool) -> tuple[Rect | None, Rect, Rect]:
        """Where icon, label and second label stand."""
        inner = rect.inset(min(self.px(1.6), rect.w // 36), self.px(0.7))
        icon: Rect | None = None
        if label.mark is not None and icon_above:
            side = min(self.px(12), inner.h * 9 // 20)
            icon = inner.top(side + self.px(1)).centred(side, side)
            inner = inner.below(side + self.px(1.4))
        elif label.mark is not None:
            side = min(self.px(8), inner.h * 13 // 20)
            icon = Rect(inner.x + self.px(0.6), inner.y + (inner.h - side) // 2, side, side)
            inner = inner.after(side + self.px(1.6))
        if not label.sub:
            return icon, inner, inner
        if icon_above:
            return icon, inner.top(self.px(8.4)), inner.below(self.px(8.6))
        return icon, inner.top(inner.h * 8 // 20), inner.base(inner.h * 58 // 100)
