"""QR codes as rows of modules. PURE."""

import segno


def modules(text: str) -> tuple[bytes, ...]:
    """The code of a text with its quiet zone; error correction L, for a screen is not scratched."""
    code = segno.make_qr(text, error="l", encoding="utf-8", boost_error=False)
    return tuple(bytes(row) for row in code.matrix_iter(border=4))
