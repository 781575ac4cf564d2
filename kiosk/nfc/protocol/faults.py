"""What can go wrong between us and a token, as types. nfcpy's own errors become these in `pn533.py` only."""


class NfcFault(Exception):  # noqa: N818  # the field's word
    """Base of the faults below; the text is one line and holds nothing of what the token sent."""


class TokenLost(NfcFault):
    """The token does not answer any more: it left the field."""


class TokenGarbled(NfcFault):
    """The token answers, but not by the protocol; nothing more of this activation can be believed."""


class BudgetSpent(NfcFault):
    """The token wanted more commands, bytes or time than a contact may take."""


class ReaderGone(NfcFault):
    """The reader cannot be used; the text is why, and what to mend."""


class ReaderStuck(ReaderGone):
    """The reader is there and does not answer as it should; a reset may free it."""
