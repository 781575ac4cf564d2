"""Bundles on a USB stick, where the service manager shows its files (deploy/)."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from kiosk.box import rauc
from kiosk.box.rauc import Bundle, Judged
from kiosk.channel import UpdateFault, UpdateOffer, UpdateSource
from kiosk.uploader.updates.channel import FetchPace, clear, room_fault
from kiosk.uploader.updates.channel_file import MAX_SENTENCE, MAX_SENTENCES, Changes, age_fault, parsed

MAX_BUNDLES = 5  #: looked at on one stick, by name
_CHUNK = 1 << 20
_CHANGES = msgspec.json.Decoder(Changes)


@dataclass(frozen=True)
class OnStick:
    """A bundle that may be installed."""

    bundle: Bundle
    offer: UpdateOffer


def stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """A value that changes when the stick or what lies on it does."""
    try:
        return tuple((str(path), (s := path.stat()).st_size, s.st_mtime_ns) for path in _bundles(folder))
    except OSError:
        return ()


def look(folder: Path, conf: Path, running: str) -> OnStick | UpdateFault:
    """The newest version on the stick that suits this kiosk, or why there is none."""
    paths = _bundles(folder)
    if not paths:
        there = folder.is_dir() and folder.is_mount()
        word = "no_bundle" if there else "no_stick"
        return _fault(word, "no file *.raucb on the stick" if there else "no stick is there")
    judged = [judge(path, conf, running) for path in paths]
    good = [each for each in judged if isinstance(each, OnStick)]
    if good:
        return max(good, key=lambda each: parsed(each.bundle.version) or parsed("0"))  # type: ignore[arg-type, return-value]  # "0" is a version
    return next(each for each in judged if isinstance(each, UpdateFault))


def judge(path: Path, conf: Path, running: str) -> OnStick | UpdateFault:
    """Whether this bundle may be installed: signature, product, version."""
    found = rauc.inspect(conf, path)
    if isinstance(found, Judged):
        return _fault(found.word, f"{path.name}: {found.reason}")
    if (fault := bundle_fault(found, conf, running)) is not None:
        return _fault(fault.word, f"{path.name}: {fault.reason}")
    return OnStick(found, offer_of(found))


def bundle_fault(bundle: Bundle, conf: Path, running: str) -> Judged | None:
    """Why a well-signed bundle is nothing for this kiosk."""
    product = rauc.product_of(conf)
    if product is None:
        return Judged("no_installer", f"{conf} cannot be read")
    if bundle.product != product:
        return Judged("other_product", f"it is for {bundle.product!r}, this is {product!r}")
    age = age_fault(bundle.version, running, UpdateSource.STICK)
    return None if age is None else Judged(age.word, age.reason)


def offer_of(bundle: Bundle) -> UpdateOffer:
    """What staff are told of it, from under its signature."""
    return UpdateOffer(
        version=bundle.version,
        source=UpdateSource.STICK,
        megabytes=round(bundle.path.stat().st_size / 1e6, 1),
        changes=changes_of(bundle.description),
    )


def changes_of(description: str) -> dict[str, tuple[str, ...]]:
    """The manifest's description as sentences: JSON by language; any other text counts for both."""
    try:
        return {str(language): lines for language, lines in _CHANGES.decode(description).items()}
    except msgspec.MsgspecError:
        lines = tuple(line.strip()[:MAX_SENTENCE] for line in description.splitlines() if line.strip())
        lines = lines[:MAX_SENTENCES]
        return {"ja": lines, "en": lines} if lines else {}


def copy(bundle: Bundle, folder: Path, pace: FetchPace) -> Path | UpdateFault:
    """Bring the bundle into `folder`, so that the stick may be pulled and cannot change. Raises Stopped."""
    part = folder / "stick.part"
    clear(folder)
    size = bundle.path.stat().st_size
    if (full := room_fault(folder, size)) is not None:
        return _fault(full.word, full.reason)
    with bundle.path.open("rb") as source, part.open("wb") as target:
        while piece := source.read(_CHUNK):
            pace.check()
            target.write(piece)
            pace.progress(100 * target.tell() // max(1, size))
    return part


def _bundles(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.glob("*.raucb") if path.is_file())[:MAX_BUNDLES]
    except OSError:
        return []


def _fault(word: str, reason: str) -> UpdateFault:
    return UpdateFault(source=UpdateSource.STICK, word=word, reason=reason)
