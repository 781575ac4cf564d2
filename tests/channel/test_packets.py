"""The packets of the channel, byte for byte as they were recorded.

The processes of one kiosk are updated together, but a packet is also what other programs and older command
lines read. A recorded packet that changes is a change of the interface: it needs another `v`, not another
recording. A new message gets new lines at the end of its way: `python -m tests.channel.test_packets`.
"""

from pathlib import Path

import pytest

from kiosk import channel as ch
from tests.channel.samples import WAYS

RECORDED = Path(__file__).with_name("packets.txt")


def packets(way: str) -> list[str]:
    return [ch.encode(message).decode() for message in WAYS[way][0]]


def recorded() -> dict[str, list[str]]:
    """The packets by way: a line with its name, then one line for each packet."""
    found: dict[str, list[str]] = {}
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            found[line[2:]] = []
        else:
            found[list(found)[-1]].append(line)
    return found


@pytest.mark.parametrize("way", WAYS)
def test_every_message_is_the_packet_that_was_recorded(way: str) -> None:
    assert packets(way) == recorded()[way]


@pytest.mark.parametrize("way", WAYS)
def test_every_recorded_packet_is_the_message_that_was_sent(way: str) -> None:
    samples, inbox, _ = WAYS[way]
    assert [ch.decode(packet.encode(), inbox) for packet in recorded()[way]] == samples


if __name__ == "__main__":
    lines = [line for way in WAYS for line in (f"# {way}", *packets(way))]
    RECORDED.write_text("\n".join(lines) + "\n", encoding="utf-8")
