"""Everything that the uploader does in the clinic's folders, as the main loop sees it."""

from collections.abc import Callable

from kiosk.config import Settings
from kiosk.uploader.answers import AnswerMemory
from kiosk.uploader.clock import Moment
from kiosk.uploader.oqs.errands import Errands
from kiosk.uploader.oqs.handover import HandOver
from kiosk.uploader.records import Answered


class Connector:
    """Belongs to the main loop: `answered` with each answer, `tick` at every turn. `wake` brings it round."""

    def __init__(self, settings: Settings, memory: AnswerMemory, wake: Callable[[], None]) -> None:
        self._handover = HandOver(
            settings.handover,
            settings.clinic,
            settings.outbox.path.parent,
            memory,
            Errands("handover", wake),
        )

    def start(self) -> None:
        self._handover.start()

    def answered(self, settled: Answered, now: Moment) -> None:
        """The service's answer to a record is committed."""
        self._handover.answered(settled, now)

    def tick(self, now: Moment) -> float:
        """Do what is due; returns the seconds until something is due again."""
        return self._handover.tick(now)

    def stop(self) -> None:
        self._handover.stop()
