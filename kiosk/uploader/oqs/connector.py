"""Everything that the uploader does in the clinic's folders, as the main loop sees it."""

from typing import assert_never

from kiosk.box.clock import Moment
from kiosk.channel import (
    AskLookUps,
    CheckItem,
    CommandDone,
    FromUploader,
    LookUpLine,
    LookUpLines,
    StartLookUp,
)
from kiosk.uploader.oqs.handover import HandOver
from kiosk.uploader.oqs.lookup import LookUpRunner
from kiosk.uploader.oqs.lookup_store import LookUps
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.records import FinalAnswer

LISTED = 20


class Connector:
    """Belongs to the main loop: `answered` with each answer, `step` at every turn."""

    def __init__(self, handover: HandOver, lookup: LookUpRunner) -> None:
        self._handover, self._lookup = handover, lookup

    def start(self) -> None:
        self._handover.start()
        self._lookup.start()

    def answered(self, settled: FinalAnswer, now: Moment) -> None:
        """The service's answer to a record is committed."""
        self._handover.answered(settled, now)

    def step(self, outbox: Outbox | None, online: bool, now: Moment) -> float:
        """Do what is due; returns the seconds until something is due again. Raises OutboxLost."""
        return min(self._handover.step(now), self._lookup.step(outbox, online, now))

    def checked(self, outbox: Outbox | None, now: Moment) -> tuple[CheckItem, ...]:
        """What the daily check may say of the folders."""
        items = (self._handover.check(now), None if outbox is None else self._lookup.check(outbox))
        return tuple(item for item in items if item is not None)

    @property
    def handed(self) -> tuple[int, int] | None:
        """How many answers were handed over in this life, and how many given up; None while that is off."""
        return self._handover.counts

    def serve(self, message: AskLookUps | StartLookUp, outbox: Outbox) -> FromUploader:
        """What the command line asks."""
        match message:
            case AskLookUps():
                listed = LookUps(outbox.database).last(LISTED)
                return LookUpLines(
                    lines=tuple(
                        LookUpLine(
                            id=each.id,
                            kind=each.kind.value,
                            date_from=each.date_from,
                            date_to=each.date_to,
                            stage=each.stage.value,
                            reception=each.reception,
                            asks=each.asks,
                            found=each.found,
                            uncertain=each.uncertain,
                            others=each.others,
                            reason=each.reason,
                        )
                        for each in listed
                    )
                )
            case StartLookUp(date_from=date_from, date_to=date_to):
                fault = self._lookup.begin(date_from, date_to, outbox)
                return CommandDone(reason="" if fault is None else fault)
            case _:
                assert_never(message)

    def outbox_lost(self) -> None:
        self._lookup.outbox_lost()

    def stop(self) -> None:
        self._handover.stop()
        self._lookup.stop()
