"""The reader process. Its files, from the wire up to the screen; each uses those above it.

    transport         host frames to a chip and back; the virtual chip's socket
    recording         the same frames, written down
    pn533             the chip, through nfcpy
    opening           opening the reader, resetting one that is stuck
    antenna           the field: looking, activating, one token's link
    token_choice      which of what lies there is meant
    presentation      one presentation, read step by step
    session           what the screen has asked for
    reader_process    the loop

`protocol` holds what is computed without a reader: APDUs, blocks, certificates, and the contact with a token.
Beside them: `trust_folder`, `wall_clock`, `reader_counters`, and `reader_reports` (messages about both).
"""
