"""The reader's protocols, without I/O. From the block up to the contact; each uses those above it.

    isodep            ISO/IEC 14443-4: blocks
    apdu, tlv, status_words     ISO/IEC 7816-4: commands and answers
    tokens            the table of My Number tokens
    dialogue          the dialogue with a token, stage by stage
    certificate       what a token's certificate and signature must be
    budget, secret    what a contact may cost; the PIN while it is held
    token_contact     the stages in order: one contact with one token

Beside them: `faults`, and `habits` (what tokens of one make have done before).
"""
