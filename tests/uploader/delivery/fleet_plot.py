"""The plot of `fleet` as SVG, written by hand: no plotting library is needed for three lines."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 900, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 60, 50


@dataclass(frozen=True)
class Curve:
    """Requests per second, one value for each second."""

    name: str
    colour: str
    rates: Sequence[float]


def draw(
    curves: Sequence[Curve], steady: float, goal: float, outage: tuple[float, float], kiosks: int
) -> str:
    """Return the SVG. `outage`: from when to when, in seconds."""
    seconds = max(len(curve.rates) for curve in curves)
    highest = 1.05 * max(max(curve.rates) for curve in curves)

    def x(second: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * second / seconds, 1)

    def y(rate: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * rate / highest, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        ' font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="16">Requests at the service, {kiosks:,} kiosks, one outage'
        " (mean of 10 s)</text>",
        f'<rect x="{x(outage[0])}" y="{TOP}" width="{x(outage[1]) - x(outage[0])}"'
        f' height="{HEIGHT - TOP - BOTTOM}" fill="#eeeeee"/>',
        f'<text x="{(x(outage[0]) + x(outage[1])) / 2}" y="{TOP + 18}" text-anchor="middle">down</text>',
    ]
    parts += _axes(seconds, highest, x, y)
    for rate, name in ((steady, "steady"), (goal * steady, f"{goal:g} × steady")):
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(rate)}" y2="{y(rate)}" stroke="#555"'
            ' stroke-dasharray="5 4"/>'
            f'<text x="{WIDTH - RIGHT - 4}" y="{y(rate) - 4}" text-anchor="end">{name}: {rate:.0f}/s</text>'
        )
    for number, curve in enumerate(curves):
        points = " ".join(f"{x(second)},{y(curve.rates[second])}" for second in range(0, len(curve.rates), 5))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{curve.colour}" stroke-width="1.5"/>')
        at = LEFT + 330 * number
        parts.append(f'<rect x="{at}" y="36" width="18" height="4" fill="{curve.colour}"/>')
        parts.append(f'<text x="{at + 24}" y="43">{curve.name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _axes(seconds: int, highest: float, x: object, y: object) -> list[str]:
    assert callable(x)
    assert callable(y)
    parts = []
    step = next(each for each in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if highest / each <= 8)
    for rate in range(0, int(highest) + 1, step):
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(rate)}" y2="{y(rate)}" stroke="#ddd"/>'
            f'<text x="{LEFT - 8}" y="{y(rate) + 4}" text-anchor="end">{rate}</text>'
        )
    for minute in range(0, seconds // 60 + 1, 15):
        parts.append(
            f'<text x="{x(minute * 60)}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{minute}</text>'
        )
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">minutes</text>'
        f'<text x="16" y="{HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 16 {HEIGHT / 2})">'
        "requests per second</text>"
    )
    return parts
