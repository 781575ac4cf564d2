"""How soon it is noticed that a token came, where nobody expects one, and that it went, where it is read.

On the whole demo of demo.py: the reader process is the real one, on the virtual field.
"""

import time
from contextlib import closing
from random import Random

from kiosk.channel import READER_OUTBOX, READER_SOCKET, ChannelError, Presented, Removed, decode
from kiosk.channel.seqpacket import Peer, connect
from tests.benchmarks.demo import LATEST_PHASE_S, TAP_USB_MS, VISIT_USB_MS, open_demo
from tests.benchmarks.row import Lab, Measured, Unmeasured, at_most, percentile, row, spread

TAPS = 60
PATIENCE_S = 5.0
#: The commands before VERIFY: SELECT, READ of the name, seven READs of the certificate.
COMMANDS = range(1, 10)


def _wait(peer: Peer, kind: type[Presented] | type[Removed]) -> float:
    """When a message of this kind came, in seconds of CLOCK_MONOTONIC."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and peer.open:
        packet = peer.receive()
        if packet is None:
            time.sleep(0.0005)
            continue
        try:
            message = decode(bytes(packet), READER_OUTBOX)
        except ChannelError as fault:
            raise Unmeasured(str(fault)) from None
        if isinstance(message, kind):
            return time.monotonic()
    raise Unmeasured(f"the reader process never said {kind.__name__}")


@row("idle_presented_p95_ms", "ms", goal=at_most(100))
def idle_presented(lab: Lab) -> Measured:
    """Token laid down at the start screen → told by the reader process."""
    open_ = lab.once(open_demo)
    open_.client.wait_for("start")
    peer = connect(open_.demo.place.run / READER_SOCKET)
    if peer is None:
        raise Unmeasured("the reader process does not listen")
    random = Random(0)  # phases, not secrets
    by_type: dict[str, list[float]] = {"B": [], "A": []}
    open_.field.model(usb_ms=TAP_USB_MS)
    with closing(peer):
        for tap in range(TAPS):
            technology = "AB"[tap % 2]
            time.sleep(random.uniform(0, LATEST_PHASE_S))
            presented = open_.field.tap("card", technology=technology)
            by_type[technology].append((_wait(peer, Presented) - presented) * 1000)
            open_.field.remove()
            _wait(peer, Removed)
    open_.field.model(usb_ms=VISIT_USB_MS)
    open_.client.wait_for("start")
    every = [ms for each in by_type.values() for ms in each]
    halves = "; ".join(f"type {name} {spread(each)}" for name, each in by_type.items())
    return Measured(
        percentile(every, 95),
        f"no visit, the field off between two looks, random phase, {TAP_USB_MS:g} ms per USB transfer, "
        f"10 ms per empty poll; {halves}",
    )


@row("removed_to_again_ms", "ms", goal=at_most(300))
def removed_to_again(lab: Lab) -> Measured:
    """Token taken away during SELECT or READ → "again" drawn; the slowest of all steps."""
    open_ = lab.once(open_demo)
    screen, field, hand = open_.client, open_.field, open_.hand
    screen.wait_for("start")
    screen.forget()
    field.model(usb_ms=VISIT_USB_MS)
    hand.begin()
    hand.choose("card")
    hand.pin()
    screen.wait_for("hold")
    times: list[float] = []
    for command in COMMANDS:
        # after so many answers, or in the middle: the command has arrived, its answer never does
        for order in ({"remove_after_apdu": command}, {"remove_after_frame": 2 * command - 1}):
            presented = field.tap("card", technology="B", **order)
            again = screen.wait_for("again")
            while again.at < presented:  # the picture of the last time
                if not screen.changed_since(again, PATIENCE_S):
                    raise Unmeasured("the screen never said that the card was taken away")
                again = screen.wait_for("again")
            times.append((again.at - field.status()["departed_at"]) * 1000)
            screen.forget()
    field.tap("card", technology="B")
    hand.ends()
    hand.leave()
    return Measured(
        max(times),
        f"the slowest; {spread(times)}: after each command before VERIFY, and in the middle of each; four "
        "tries of 51.2 ms, then the channel, the state machine and the drawing",
    )
