"""How far apart two colours look to eyes without one kind of cone: simulated, as CIELAB distance. PURE.

Simulation: Viénot, Brettel & Mollon 1999 (protan, deutan) and the matrix of Brettel 1997 as given there for
tritan, on linear RGB. Distance: CIE 1976 ΔE*ab, D65.
"""

import math
from enum import StrEnum

from kiosk.screens.kit.theme import Colour

Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]


class Eyes(StrEnum):
    """Who looks."""

    USUAL = "usual"
    PROTAN = "protan"
    DEUTAN = "deutan"
    TRITAN = "tritan"


_SEEN: dict[Eyes, Matrix] = {
    Eyes.USUAL: ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    Eyes.PROTAN: ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)),
    Eyes.DEUTAN: ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
    Eyes.TRITAN: ((1.0, 0.14461, -0.14461), (0.0, 0.85924, 0.14076), (0.0, 0.85924, 0.14076)),
}
_XYZ: Matrix = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
_WHITE: Triple = (0.95047, 1.0, 1.08883)


def _linear(value: int) -> float:
    part = value / 255
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _times(matrix: Matrix, values: Triple) -> Triple:
    x, y, z = (sum(a * b for a, b in zip(row, values, strict=True)) for row in matrix)
    return x, y, z


def _lab(colour: Colour, eyes: Eyes) -> Triple:
    red, green, blue = (_linear(value) for value in colour)
    seen = _times(_SEEN[eyes], (red, green, blue))
    clipped = (min(1.0, max(0.0, seen[0])), min(1.0, max(0.0, seen[1])), min(1.0, max(0.0, seen[2])))
    x, y, z = (_root(value / white) for value, white in zip(_times(_XYZ, clipped), _WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _root(value: float) -> float:
    return value ** (1 / 3) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116


def distance(one: Colour, other: Colour, eyes: Eyes) -> float:
    """CIELAB distance of two colours as these eyes see them; 2 is just seen when side by side."""
    return math.dist(_lab(one, eyes), _lab(other, eyes))
