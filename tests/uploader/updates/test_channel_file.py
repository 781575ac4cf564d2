"""The channel file: what it may hold, and how versions compare."""

import json

import pytest

from kiosk.channel import UpdateSource
from kiosk.uploader.updates import channel_file

GOOD: dict[str, object] = {
    "v": 1,
    "product": "maina-kiosk",
    "version": "1.2.0",
    "bundle": "maina-kiosk-1.2.0.raucb",
    "size": 1000,
    "sha256": "ab" * 32,
}


@pytest.mark.parametrize(
    "changed",
    [
        {"bundle": "../../etc/passwd"},
        {"bundle": "https://elsewhere/x"},
        {"bundle": ".part"},
        {"size": 0},
        {"size": -1},
        {"sha256": "short"},
        {"version": "newest"},
        {"v": 2},
        {"offer_from": "2026-03-23T18:30"},
        {"unknown": 1},
        {"changes": {"xx": ["?"]}},
        {"changes": {"ja": ["a" * 500]}},
    ],
)
def test_a_channel_file_of_another_shape_is_none(changed: dict[str, object]) -> None:
    assert channel_file.read(json.dumps(GOOD).encode()) is not None
    assert channel_file.read(json.dumps(GOOD | changed).encode()) is None


@pytest.mark.parametrize(
    "content", [b"", b"<html>captive portal</html>", b"\xff\xfe", b"[" * 100_000, b"null"]
)
def test_nonsense_is_no_channel_file(content: bytes) -> None:
    assert channel_file.read(content) is None


@pytest.mark.parametrize(
    ("version", "word"),
    [("1.1.0", "same"), ("1.0.9", "older"), ("1.1.0rc1", "older"), ("1.1.0+b2", None), ("1.10.0", None)],
)
def test_versions_are_compared_as_numbers(version: str, word: str | None) -> None:
    fault = channel_file.age_fault(version, "1.1.0", UpdateSource.CHANNEL)
    assert (None if fault is None else fault.word) == word
