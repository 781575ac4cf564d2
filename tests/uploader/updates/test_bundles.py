"""Why a bundle is refused: RAUC's own verifier on real bundles, and our words for what it says."""

import os
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from kiosk.box import rauc
from kiosk.channel import UpdateFault
from kiosk.uploader.updates import channel_file, stick
from kiosk.uploader.updates.stick import OnStick
from tests.uploader.updates.bundles import CHANGES, Box, Shelf, make_bundle

RUNNING = "1.1.0"


def word_of(path: Path, box: Box) -> str | None:
    found = stick.judge(path, box.conf, RUNNING)
    return found.word if isinstance(found, UpdateFault) else None


def altered(source: Path, target: Path, *, keep: int | None = None, flip: int | None = None) -> Path:
    data = bytearray(source.read_bytes()[:keep])
    if flip is not None:
        data[flip] ^= 0xFF
    target.write_bytes(data)
    return target


def test_a_newer_bundle_of_ours_is_offered_with_its_changes(shelf: Shelf, box: Box) -> None:
    found = stick.judge(shelf.new, box.conf, RUNNING)
    assert isinstance(found, OnStick)
    assert found.offer.version == "1.2.0"
    assert found.offer.changes == {language: tuple(lines) for language, lines in CHANGES.items()}


def test_what_is_not_for_us_is_refused_by_name(shelf: Shelf, box: Box) -> None:
    assert word_of(shelf.other, box) == "other_product"
    assert word_of(shelf.stranger, box) == "other_key"
    assert word_of(shelf.old, box) == "older"
    assert word_of(shelf.same, box) == "same"


def test_an_unsigned_bundle_is_refused(box: Box, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "manifest.raucm").write_text("[update]\ncompatible=maina-kiosk\nversion=1.2.0\n")
    made = ["mksquashfs", str(inside), str(tmp_path / "unsigned.raucb"), "-quiet", "-no-progress"]
    subprocess.run(made, check=True, capture_output=True)
    assert word_of(tmp_path / "unsigned.raucb", box) in ("other_key", "truncated")


@pytest.mark.parametrize("share", [0.0, 0.00001, 0.01, 0.5, 0.9, 0.99, 0.9999])
def test_a_cut_off_bundle_is_named_as_such(share: float, shelf: Shelf, box: Box, tmp_path: Path) -> None:
    size = shelf.new.stat().st_size
    assert word_of(altered(shelf.new, tmp_path / "cut.raucb", keep=int(size * share)), box) == "truncated"


def test_the_image_s_own_format_is_judged_alike(shelf: Shelf, box: Box, tmp_path: Path) -> None:
    """Of the verity format the signature covers the manifest; the kernel checks the rest while it is read."""
    new = make_bundle(tmp_path, shelf.ours, "1.2.0", kind="verity")
    assert word_of(new, box) is None
    assert word_of(make_bundle(tmp_path, shelf.theirs, "1.2.0", kind="verity"), box) == "other_key"
    assert word_of(make_bundle(tmp_path, shelf.ours, "1.0.0", kind="verity"), box) == "older"
    size = new.stat().st_size
    for share in (0.01, 0.5, 0.9999):
        assert word_of(altered(new, tmp_path / "cut.raucb", keep=int(size * share)), box) == "truncated"
    assert word_of(altered(new, tmp_path / "flip.raucb", flip=size - 400), box) in ("damaged", "other_key")


def test_a_damaged_bundle_is_refused(shelf: Shelf, box: Box, tmp_path: Path) -> None:
    size = shelf.new.stat().st_size
    for place in (0, 200, size // 2, size - 400):
        word = word_of(altered(shelf.new, tmp_path / "flip.raucb", flip=place), box)
        assert word in ("damaged", "truncated", "other_key"), place


def test_what_is_no_bundle_is_refused(box: Box, tmp_path: Path) -> None:
    (tmp_path / "letter.raucb").write_text("Dear clinic, " * 1000)
    assert word_of(tmp_path / "letter.raucb", box) == "damaged"


def test_the_newest_that_suits_is_taken_from_a_stick(shelf: Shelf, box: Box, tmp_path: Path) -> None:
    for path in (shelf.new, shelf.newest, shelf.old, shelf.stranger, shelf.other):
        shutil.copy(path, tmp_path)
    found = stick.look(tmp_path, box.conf, RUNNING)
    assert isinstance(found, OnStick)
    assert found.bundle.version == "1.3.0"


def test_without_a_readable_system_conf_nothing_is_installed(shelf: Shelf, tmp_path: Path) -> None:
    missing = Box(tmp_path, tmp_path / "system.conf")
    assert word_of(shelf.new, missing) is not None
    assert rauc.product_of(missing.conf) is None


@pytest.mark.parametrize(
    "text", ["Plain words", '{"ja": ["一"], "en": ["one"]}', "", '{"fr": ["un"]}', "[1]"]
)
def test_any_description_can_be_shown(text: str) -> None:
    for language, lines in stick.changes_of(text).items():
        assert language in ("ja", "en")
        assert all(lines)


def test_what_the_next_version_changes_can_be_told() -> None:
    """deploy/changes.json goes into the image's bundle: in both languages, short enough for the page."""
    text = (Path(__file__).resolve().parents[3] / "deploy" / "changes.json").read_text(encoding="utf-8")
    told = msgspec.json.decode(text, type=channel_file.Changes)
    assert set(told) == {"ja", "en"}
    assert len(told["ja"]) == len(told["en"]) > 0


@pytest.mark.parametrize(
    ("last", "word"),
    [
        ("Version mismatch: Expected at least '1.2.0' but bundle manifest has '1.1.0'", "older"),
        ("Failed to write the slot", "failed"),
    ],
)
def test_why_rauc_gave_up_is_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str, word: str
) -> None:
    """RAUC's own bar, min-bundle-version: in the image there is one below the update page's (rauc 1.13)."""
    program = tmp_path / "rauc"
    program.write_text(f'#!/bin/sh\necho "LastError: {last}"\nexit 1\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    judged = rauc.Installation(tmp_path / "older.raucb").wait(lambda *_: None)
    assert judged is not None
    assert (judged.word, judged.reason) == (word, last)
