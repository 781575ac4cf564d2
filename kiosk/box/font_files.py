"""Where Debian puts the two fonts of the screens: the drawing opens them, the doctor looks for them."""

from dataclasses import dataclass
from pathlib import Path

SHARE = Path("/usr/share/fonts")


@dataclass(frozen=True)
class FontFamily:
    """The files of a font and the Debian package that brings them."""

    package: str
    regular: Path
    bold: Path


BIZ = FontFamily(
    "fonts-morisawa-bizud-gothic",
    SHARE / "truetype/bizud-gothic/BIZUDPGothic-Regular.ttf",
    SHARE / "truetype/bizud-gothic/BIZUDPGothic-Bold.ttf",
)
NOTO = FontFamily(
    "fonts-noto-cjk",
    SHARE / "opentype/noto/NotoSansCJK-Regular.ttc",
    SHARE / "opentype/noto/NotoSansCJK-Bold.ttc",
)
