"""Layout of today's visits and outages: a chart of the hours, and the counts and times below it. PURE."""

from kiosk.screens.kit import look as sizes
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.page import Page, Paragraph
from kiosk.screens.kit.theme import Face
from kiosk.screens.kit.widgets import Panel
from kiosk.screens.pages.staff.menu_page import TEXT_MM, staff_frame
from kiosk.visit.staff_states import StaffDay
from kiosk.visit.views.staff_views import DayView, HourView

#: The hours that are always shown; earlier and later ones when something happened in them.
OPENS, CLOSES = 8, 19
#: The chart reaches at least so high, so that one visit does not look like a crowd.
LEAST_HIGH = 5
HOUR_S = 3600.0


def day(page: Page, screen: StaffDay) -> None:
    """The chart, then what is counted in words."""
    staff_frame(page, screen, None)
    view = screen.day
    if view is None:
        page.write(page.content, Paragraph(page.text("day.asking"), 7.0, True), middle=True)
        return
    size = page.px(sizes.FLOOR_MM * sizes.LINE_SPACING)
    foot = page.content.base((2 if page.look.canvas.portrait else 1) * size)
    page.stack(foot, (Paragraph(_summary(page, view), TEXT_MM),), floor_mm=sizes.FLOOR_MM)
    _chart(page, page.content.above(foot.h + page.px(1)), view)


def _total(view: DayView, *of: str) -> int:
    return sum(getattr(hour, each) for hour in view.hours for each in of)


def _summary(page: Page, view: DayView) -> str:
    """Day, visits, those that could not be confirmed, how long a visit takes."""
    title = page.text("day.title")
    if view.day is not None:
        title = page.text("day.of", month=view.day.month, day=view.day.day)
    count, doubtful = _total(view, "visits"), _total(view, "not_confirmed")
    if view.visit_s is None:
        return page.text("day.counts", title=title, count=count, not_confirmed=doubtful)
    seconds = f"{view.visit_s:.0f}"
    return page.text("day.counts_times", title=title, count=count, not_confirmed=doubtful, seconds=seconds)


def _chart(page: Page, area: Rect, view: DayView) -> None:
    """A column for each hour: verified below, recorded above it, the rest on top; an outage as a bar beneath
    the hours it took, as long as it lasted."""
    hours = {hour.hour: hour for hour in view.hours}
    first, last = min((*hours, OPENS)), max((*hours, CLOSES - 1))
    shown = [hours.get(hour, HourView(hour)) for hour in range(first, last + 1)]
    size = page.px(sizes.FLOOR_MM)
    head = _legend(page, area, view)
    axis = Rect(area.x, area.bottom - size - page.px(1), area.w, size + page.px(1))
    outage = Rect(area.x, axis.y - page.px(3.2), area.w, page.px(2.4))
    top = head.bottom + size + page.px(0.5)  # the highest column's number stands above it
    plot = Rect(area.x, top, area.w, outage.y - top - page.px(0.8))
    page.add(Panel(Rect(plot.x, plot.bottom, plot.w, max(1, page.edge // 2)), _plain(page.tokens.ink)))
    high = max(LEAST_HIGH, *(hour.visits for hour in shown))
    columns = plot.columns(len(shown), 0)
    every = -(-page.look.measure.width("00", size, False) * 5 // 4 // columns[0].w)
    for place, hour in zip(columns, shown, strict=True):
        _column(page, place.inset(place.w // 8, 0), hour, high)
        if hour.visits and page.look.measure.width(str(hour.visits), size, False) < place.w:
            bottom = plot.bottom - round(plot.h * hour.visits / high) - page.px(0.5)
            number = Rect(place.x, bottom - size, place.w, size)
            page.write(number, Paragraph(str(hour.visits), sizes.FLOOR_MM), sizes.FLOOR_MM, centre=True)
        if hour.offline_s > 0:
            long = max(page.px(0.8), round(place.w * min(1.0, hour.offline_s / HOUR_S)))
            page.add(
                Panel(Rect(place.x, outage.y, min(long, place.w), outage.h), _plain(page.tokens.alarm.fill))
            )
        if (hour.hour - first) % max(1, every) == 0:
            width = page.look.measure.width(str(hour.hour), size, False)
            box = Rect(place.x + (place.w - width) // 2, axis.y, width, axis.h)
            page.write(box, Paragraph(str(hour.hour), sizes.FLOOR_MM), sizes.FLOOR_MM)


def _column(page: Page, place: Rect, hour: HourView, high: int) -> None:
    bottom = place.bottom
    for count, face in zip(
        (hour.verified, hour.recorded, hour.not_confirmed + hour.others), _faces(page), strict=True
    ):
        height = round(place.h * count / high)
        if count:
            page.add(Panel(Rect(place.x, bottom - height, place.w, height), face, page.edge))
        bottom -= height


def _faces(page: Page) -> tuple[Face, Face, Face]:
    """Verified, recorded, the rest: told apart by brightness as well as by colour."""
    tokens = page.tokens
    return (
        _plain(tokens.done),
        Face(tokens.highlight, tokens.ink, tokens.ink),
        Face(tokens.ground, tokens.ink, tokens.ink),
    )


def _plain(colour: tuple[int, int, int]) -> Face:
    return Face(colour, colour, colour)


def _legend(page: Page, area: Rect, view: DayView) -> Rect:
    """What the colours are, with the day's counts; two rows where it is narrow. Returns the room taken."""
    size, side = page.px(sizes.FLOOR_MM), page.px(3)
    faces = [*_faces(page), _plain(page.tokens.alarm.fill)]
    texts = (
        page.text("day.verified", count=_total(view, "verified")),
        page.text("day.recorded", count=_total(view, "recorded")),
        page.text("day.rest", count=_total(view, "not_confirmed", "others")),
        page.text("day.outage", minutes=round(_total(view, "offline_s") / 60)),
    )
    rows = 2 if page.look.canvas.portrait else 1
    room = area.top(rows * page.px(6.5))
    before = side + page.px(1.2)
    widths = [before + page.look.measure.width(text, size, False) for text in texts]
    each = len(texts) // rows
    for index, row in enumerate(room.rows(rows, 0)):
        part = slice(index * each, (index + 1) * each)
        between = min(page.px(8), (row.w - sum(widths[part])) // max(1, each - 1))
        x = row.x
        for text, face, width in zip(texts[part], faces[part], widths[part], strict=True):
            square = Rect(x, row.y + (row.h - side) // 2, side, side)
            page.add(Panel(square, face, max(1, page.edge // 2)))
            words = Rect(
                x + side + page.px(1.2), row.y + (row.h - size) // 2, width - side - page.px(1.2), size
            )
            page.write(words, Paragraph(text, sizes.FLOOR_MM), sizes.FLOOR_MM)
            x += width + between
    return room
