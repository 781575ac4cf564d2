"""The two keys by which everything can be done without the touch panel."""

from enum import StrEnum


class Key(StrEnum):
    """On the box (two GPIO lines), or on a keyboard or switch plugged in."""

    NEXT = "next"  #: the focus goes on
    ENTER = "enter"  #: touch what is in focus
