"""What all messages of the channel share."""

from typing import Literal

import msgspec


class ChannelError(ValueError):
    """A packet that is not one of our messages; the text holds no content of it."""


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """What all messages carry."""

    v: Literal[1] = 1
