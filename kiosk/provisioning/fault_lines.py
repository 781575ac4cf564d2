"""What is told to whoever wrote the card: on a command line, on the kiosk's screen, and as a QR code.

A QR code carries the same lines as plain text, so that a phone shows them at the computer where the file is
mended; it needs no line. No line ever holds a value of the file.
"""

from collections.abc import Sequence

from kiosk.config.table import ConfigFault

#: QR version 18-L takes 718 bytes (ISO/IEC 18004): 97 modules of half a millimetre on a 7-inch panel.
QR_BYTES = 700


def lines(faults: Sequence[ConfigFault], language: str) -> tuple[str, ...]:
    """One line for each fault."""
    return tuple(fault.in_japanese() if language == "ja" else str(fault) for fault in faults)


def qr_text(faults: Sequence[ConfigFault], language: str, file: str = "kiosk.toml") -> str:
    """All lines, or as many as a readable code holds and how many more there are."""
    told = lines(faults, language)
    for count in range(len(told), -1, -1):
        rest = len(told) - count
        more = f"ほか {rest} 件" if language == "ja" else f"and {rest} more"
        text = "\n".join((file, *told[:count], *((more,) if rest else ())))
        if len(text.encode()) <= QR_BYTES:
            return text
    return file
