"""What all messages between the processes share. PURE.

The messages themselves are in kiosk/channel. Those that the visit holds as they are (what the staff's pages
show) or asks for as they are (what staff ask of the uploader) stand in this room and in
kiosk/visit/staff_requests.py, so that each is defined once.
"""

from typing import Literal

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """What all messages carry."""

    v: Literal[1] = 1
