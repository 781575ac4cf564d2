"""Opening the reader, one step further up where it does not work.

1. At every opening an ACK ends what the chip was doing, and what it still sends is read until it is silent.
2. A reader that is there and does not answer sensibly is reset, once in a while.
3. If that does not help either, the screen asks whoever stands there to replug it; trying goes on.
A write that never returns is none of these: then this process is ended by its watchdog and started anew.
"""

import logging
import time
from collections.abc import Callable

from kiosk.nfc.antenna import Antenna
from kiosk.nfc.pn533 import Pn533, open_reader, reset_reader
from kiosk.nfc.protocol.faults import ReaderGone, ReaderStuck
from kiosk.nfc.reader_counters import ReaderCounters

RESET_EVERY_S = 30.0  #: a reader that a reset does not help is not reset at every try

log = logging.getLogger(__name__)


class Opening:
    """Call it to open the reader; raises ReaderGone, whose text is what to mend."""

    def __init__(
        self,
        device: str,
        type_b_modulation: int,
        counters: ReaderCounters,
        *,
        opener: Callable[[str, int], Pn533] = open_reader,
        resetter: Callable[[str], None] = reset_reader,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._device, self._modulation, self._counters = device, type_b_modulation, counters
        self._opener, self._resetter, self._monotonic = opener, resetter, monotonic
        self._no_reset_before = 0.0

    def __call__(self) -> Antenna:
        """Open it, resetting it if need be."""
        try:
            return self._open()
        except ReaderStuck as fault:
            if self._monotonic() < self._no_reset_before:
                raise ReaderGone(_hopeless(fault)) from None
            log.warning("reader: %s; resetting it", fault)
        self._no_reset_before = self._monotonic() + RESET_EVERY_S
        self._counters.resets += 1
        self._resetter(self._device)
        try:
            return self._open()
        except ReaderStuck as fault:
            raise ReaderGone(_hopeless(fault)) from None

    def _open(self) -> Antenna:
        chip = self._opener(self._device, self._modulation)
        self._no_reset_before = 0.0
        self._counters.opened += 1
        self._counters.stale_frames += chip.stale_frames
        return Antenna(chip, traffic=self._counters.traffic)


def _hopeless(fault: ReaderStuck) -> str:
    return f"{fault}; a reset did not help: unplug the reader and plug it in again"
