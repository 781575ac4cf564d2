"""What settings can be chosen among, for those who draw by it. PURE."""

from enum import StrEnum

#: Every language that there are words for, as gettext names it; ja@easy is やさしい日本語.
LANGUAGES = ("ja", "ja@easy", "en", "zh", "ko", "pt", "vi")
#: Those that are on unless the settings say otherwise: no other has been checked by a native reader.
LANGUAGES_ON = ("ja", "ja@easy", "en")


class Theme(StrEnum):
    """How the screen is coloured."""

    STANDARD = "standard"
    HIGH_CONTRAST = "high_contrast"


class ReaderSide(StrEnum):
    """Where the reader lies, seen by who stands before the screen; the drawn movements point there."""

    UNTOLD = "untold"
    LEFT = "left"
    RIGHT = "right"
    BELOW = "below"
