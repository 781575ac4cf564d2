"""The screen's side of changed settings: the uploader's words as values."""

from kiosk import channel
from kiosk.visit.views.changed_settings_view import Change, ChangedView


def changed_view(told: channel.CardSettings) -> ChangedView | None:
    """What the page shows; None: the card holds the settings in force."""
    if told.file is None:
        return None
    return ChangedView(
        offer=told.file.offer,
        changes=tuple(
            Change(each.section, each.key, each.old, each.new, each.secret, each.fixed)
            for each in told.file.changes
        ),
        faults=tuple((each.ja, each.en) for each in told.file.faults),
        more=told.file.more,
        left=told.left,
        taking=told.taking,
        failed=told.failed,
    )
