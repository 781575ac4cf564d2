"""A board around the image: a Pi's GPIO header, a hardware watchdog, a radio. One start serves for all."""

from collections.abc import Callable, Sequence
from functools import partial

from tests.image import wifi
from tests.image.counter import READY_S, Counter
from tests.image.lines import header
from tests.image.machine import BOARD, DEBUG_SHELL, Machine
from tests.image.report import Report
from tests.image.signals import signals
from tests.image.watchdog import HARDWARE, stop_each, watchdog

Check = Callable[[Counter, Machine, Report], None]
NO_BOARD, AS_SHIPPED = 'board = "none"', 'board = "/usr/share/kiosk/board.toml"'
#: In this order: the last starts the box anew again and again.
CHECKS: dict[str, Check] = {
    "signals": signals,
    "wifi": wifi.wifi,
    "services": stop_each,
    "watchdog": watchdog,
}


def part(counter: Counter, report: Report, names: Sequence[str] = tuple(CHECKS)) -> None:
    """A card as staff write it for such a box, and its first boot."""
    card = counter.fresh_disk("hardware.img")
    text = counter.settings()
    assert NO_BOARD in text
    counter.write_card(card, wifi.written(text.replace(NO_BOARD, AS_SHIPPED)))
    extra = (*header(counter.build, counter.folder / "machine", BOARD), *HARDWARE)
    with counter.machine(card, append=f"{DEBUG_SHELL} {wifi.RADIOS}", extra=extra) as machine:
        counter.plug(machine)
        counter.see(machine, "start", limit_s=READY_S)
        for name in names:
            report.part(partial(CHECKS[name], counter, machine, report))
