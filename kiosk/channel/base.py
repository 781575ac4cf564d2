"""What all messages of the channel share. PURE."""

from kiosk.visit.views.message import Message as Message


class ChannelError(ValueError):
    """A packet that is not one of our messages; the text holds no content of it."""
