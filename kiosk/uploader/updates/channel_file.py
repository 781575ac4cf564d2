"""The channel file: what is published, from which hour on. No clock, no file, no network.

A JSON file beside the bundle on an HTTPS server; `kiosk update publish` writes it, docs/updates.md explains
it. It is only believed for what to fetch: who may publish is shown by the bundle's own signature.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from packaging.version import InvalidVersion, Version

from kiosk.channel import UpdateFault, UpdateOffer, UpdateSource

MAX_BYTES = 64 * 1024
MAX_SENTENCES, MAX_SENTENCE = 12, 120  #: for each language; two offers then fit into a message
_Sentences = Annotated[
    tuple[Annotated[str, msgspec.Meta(max_length=MAX_SENTENCE)], ...], msgspec.Meta(max_length=MAX_SENTENCES)
]
Changes = Annotated[dict[Literal["ja", "en"], _Sentences], msgspec.Meta(max_length=2)]


class ChannelFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one channel publishes: its newest version."""

    v: Literal[1] = 1
    product: str  #: RAUC's "compatible"
    version: str
    bundle: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$")]  #: beside this file
    size: Annotated[int, msgspec.Meta(gt=0)]  #: bytes
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    changes: Changes = {}
    by_hand_from: datetime | None = None  #: with its zone
    offer_from: datetime | None = None  #: with its zone; offered at start-up from then on


def read(content: bytes) -> ChannelFile | None:
    """Decode a channel file; None when it is none."""
    if len(content) > MAX_BYTES:
        return None
    try:
        found = msgspec.json.decode(content, type=ChannelFile)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    zoned = all(
        moment is None or moment.tzinfo is not None for moment in (found.by_hand_from, found.offer_from)
    )
    return found if zoned and parsed(found.version) is not None else None


def parsed(version: str) -> Version | None:
    """A version that can be compared (PEP 440: 1.2.0, 1.2.0rc1, 1.2.0+build); None for other text."""
    try:
        return Version(version)
    except InvalidVersion:
        return None


def age_fault(version: str, running: str, source: UpdateSource) -> UpdateFault | None:
    """Why `version` does not come in question where `running` runs; None when it is newer."""
    new, now = parsed(version), parsed(running)
    if new is None or now is None:
        odd = version if new is None else running
        return UpdateFault(source=source, word="damaged", reason=f"{odd!r} is not a version number")
    if new == now:
        return UpdateFault(source=source, word="same", reason=f"{running} runs already")
    if new < now:
        return UpdateFault(
            source=source, word="older", reason=f"{version} is older than {running}, which runs"
        )
    return None


def judge(found: ChannelFile, running: str, product: str) -> UpdateFault | None:
    """Why what the channel publishes is nothing for this kiosk; None when it is."""
    if found.product != product:
        reason = f"the channel is for {found.product!r}, this is {product!r}"
        return UpdateFault(source=UpdateSource.CHANNEL, word="other_product", reason=reason)
    return age_fault(found.version, running, UpdateSource.CHANNEL)


def offer_of(found: ChannelFile, now: datetime | None) -> UpdateOffer:
    """What the channel's version looks like to staff at `now`; None: nobody knows the time."""
    ahead = found.by_hand_from is not None and (now is None or now < found.by_hand_from)
    return UpdateOffer(
        version=found.version,
        source=UpdateSource.CHANNEL,
        megabytes=round(found.size / 1e6, 1),
        changes={language: tuple(lines) for language, lines in found.changes.items()},
        by_hand=not ahead,
        by_hand_from=found.by_hand_from.isoformat() if ahead and found.by_hand_from is not None else None,
    )


def offered_at_start(found: ChannelFile, now: datetime | None) -> bool:
    """Whether its hour has come; never while nobody knows the time."""
    return now is not None and found.offer_from is not None and now >= found.offer_from
