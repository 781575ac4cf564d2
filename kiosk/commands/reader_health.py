"""The command line's end of the reader's channel: how the reader has fared, for `kiosk status`."""

import selectors
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from kiosk.channel import (
    READER_OUTBOX,
    READER_SOCKET,
    AskReader,
    ChannelError,
    ReaderHealth,
    StageHistogram,
    decode,
    encode,
)
from kiosk.channel.reader_messages import STAGE_BOUNDS_MS
from kiosk.channel.seqpacket import Peer, connect
from kiosk.config.settings import load

WAIT_S = 2.0  #: it answers between two commands of a contact; only a signature takes longer than a blink


def ask_reader(config: Path, wait_s: float = WAIT_S) -> ReaderHealth | None:
    """Ask the reader process; None where it does not run or does not answer."""
    peer = connect(load(config).run / READER_SOCKET)
    if peer is None:
        return None
    try:
        peer.send(encode(AskReader()))
        return _answer(peer, time.monotonic() + wait_s)
    except ChannelError:
        return None
    finally:
        peer.close()


def _answer(peer: Peer, until: float) -> ReaderHealth | None:
    with selectors.DefaultSelector() as selector:
        selector.register(peer, selectors.EVENT_READ)
        while (left := until - time.monotonic()) > 0 and peer.open:
            selector.select(left)
            while (packet := peer.receive()) is not None:
                message = decode(bytes(packet), READER_OUTBOX)
                if isinstance(message, ReaderHealth):
                    return message
    return None


def document(health: ReaderHealth | None) -> dict[str, Any] | None:
    """The reader's part of `kiosk status --json`; None where its process does not answer."""
    if health is None:
        return None
    return {
        "condition": health.condition.value,
        "reason": health.reason,
        "model": health.model,
        "where": health.where,
        "opened": health.opened,
        "lost": health.lost,
        "resets": health.resets,
        "stale_frames": health.stale_frames,
        "blocks": health.blocks,
        "blocks_repeated": health.blocks_repeated,
        "blocks_unanswered": health.blocks_unanswered,
        "blocks_damaged": health.blocks_damaged,
        "contacts": health.contacts,
        "stages_ms": {
            "bounds": list(STAGE_BOUNDS_MS),
            "counts": {stage.name: list(stage.counts) for stage in health.stages},
        },
    }


def lines(health: ReaderHealth | None) -> tuple[str, ...]:
    """The same for people."""
    if health is None:
        return ("reader   does not answer; see the log of kiosk-reader.service",)
    state = health.condition.value + (f" ({health.reason})" if health.reason else "")
    stick = " at ".join(part for part in (health.model, health.where) if part)
    contacts = ", ".join(f"{name} {n}" for name, n in sorted(health.contacts.items())) or "none"
    stages = ", ".join(f"{stage.name} {_most(stage)}" for stage in health.stages) or "none yet"
    return (
        f"reader   {state}" + (f": {stick}" if stick else ""),
        f"         opened {health.opened}, lost {health.lost}, reset {health.resets}; "
        f"blocks {health.blocks}, sent again {health.blocks_repeated}, "
        f"unanswered {health.blocks_unanswered}, damaged {health.blocks_damaged}",
        f"contacts {contacts}",
        f"stages   {stages}",
    )


def _most(stage: StageHistogram) -> str:
    """The bucket that holds the median."""
    half, seen = (sum(stage.counts) + 1) // 2, 0
    bounds = (0, *STAGE_BOUNDS_MS)
    for (low, high), count in zip(pairwise(bounds), stage.counts, strict=False):
        seen += count
        if seen >= half:
            return f"{low}-{high} ms"
    return f"> {STAGE_BOUNDS_MS[-1]} ms"
