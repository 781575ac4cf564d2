"""Updates: what is offered, fetching it, judging it, and having RAUC install it."""

from kiosk.uploader.updates.updates import Updates as Updates
