"""What is told to whoever wrote the card: on a command line, on the kiosk's screen, and as a QR code.

A QR code carries the same lines as plain text, so that a phone shows them at the computer where the file is
mended; it needs no line. No line ever holds a value of the file.
"""

from collections.abc import Sequence

from kiosk.config_table import Fault
from kiosk.provisioning.sections import check_digit_fits

#: QR version 18-L takes 718 bytes (ISO/IEC 18004): 97 modules of half a millimetre on a 7-inch panel.
QR_BYTES = 700

INSTITUTION_DOUBT = (
    "the check digit does not fit; is a digit mistyped?",
    "検証番号 (最後の 1 桁) が合いません。打ち間違いがないか、保険医療機関の指定通知書と見くらべてください",
)


def doubts(institution: str, line: int | None = None) -> tuple[Fault, ...]:
    """What looks wrong and is taken all the same: not every facility's code need follow the rule."""
    if check_digit_fits(institution):
        return ()
    return (Fault(line, "clinic.institution", *INSTITUTION_DOUBT),)


def lines(faults: Sequence[Fault], language: str) -> tuple[str, ...]:
    """One line for each fault."""
    return tuple(fault.in_japanese() if language == "ja" else str(fault) for fault in faults)


def qr_text(faults: Sequence[Fault], language: str, file: str = "kiosk.toml") -> str:
    """All lines, or as many as a readable code holds and how many more there are."""
    told = lines(faults, language)
    for count in range(len(told), -1, -1):
        rest = len(told) - count
        more = f"ほか {rest} 件" if language == "ja" else f"and {rest} more"
        text = "\n".join((file, *told[:count], *((more,) if rest else ())))
        if len(text.encode()) <= QR_BYTES:
            return text
    return file
