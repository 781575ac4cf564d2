"""Status words: ISO/IEC 7816-4:2020, 5.6, and what public readers of the JPKI application met."""

from enum import IntEnum


class SW(IntEnum):
    """The status words that mean something to us; all others are only named by their digits."""

    OK = 0x9000
    END_OF_FILE = 0x6282  #: fewer bytes than asked for
    WRONG_LENGTH = 0x6700
    INCOMPATIBLE_FILE = 0x6981
    SECURITY_STATUS = 0x6982  #: nobody has authenticated yet
    BLOCKED = 0x6983
    REFERENCE_CLOSED = 0x6984  #: JPKI's word for "blocked" (JICSAP)
    CONDITIONS = 0x6985
    NO_CURRENT_EF = 0x6986
    WRONG_DATA = 0x6A80
    NOT_SUPPORTED = 0x6A81
    NOT_FOUND = 0x6A82
    WRONG_P1P2 = 0x6A86
    REFERENCE_NOT_FOUND = 0x6A88
    OFFSET_PAST_END = 0x6B00
    UNKNOWN_INS = 0x6D00
    UNKNOWN_CLA = 0x6E00


#: The PIN can no longer be tried.
BLOCKED_WORDS = frozenset({0x63C0, SW.BLOCKED, SW.REFERENCE_CLOSED})

#: The token does not take this way of addressing an EF; another way may do.
ADDRESSING_REFUSED = frozenset(
    {
        SW.WRONG_LENGTH,
        SW.INCOMPATIBLE_FILE,
        SW.NO_CURRENT_EF,
        SW.WRONG_DATA,
        SW.NOT_SUPPORTED,
        SW.NOT_FOUND,
        SW.WRONG_P1P2,
        SW.REFERENCE_NOT_FOUND,
        SW.OFFSET_PAST_END,
        SW.UNKNOWN_INS,
        SW.UNKNOWN_CLA,
    }
)

#: What a phone may answer while its owner has not authenticated. Which one an iPhone uses is not public.
NOT_AUTHENTICATED_WORDS = frozenset({SW.SECURITY_STATUS, SW.CONDITIONS})


def tries(sw: int) -> int | None:
    """Return x of 63Cx, None for any other status word."""
    return sw & 0x0F if sw & 0xFFF0 == 0x63C0 else None


def name(sw: int) -> str:
    """Return a status word as a reader of the log wants it: digits and, where known, the meaning."""
    if (left := tries(sw)) is not None:
        return f"{sw:04X} tries left: {left}"
    known = SW(sw).name.lower().replace("_", " ") if sw in SW._value2member_map_ else ""
    return f"{sw:04X} {known}".rstrip()
