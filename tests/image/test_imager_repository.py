"""The list for Raspberry Pi Imager: whole addresses, and only for the image that it describes."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMAGE = b"not really an image, but its bytes count"


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """What `make image` leaves."""
    (tmp_path / "kiosk-1.0.0.img.xz").write_bytes(IMAGE)
    entry = {
        "name": "Reception kiosk 1.0.0",
        "url": "kiosk-1.0.0.img.xz",
        "image_download_size": len(IMAGE),
        "image_download_sha256": hashlib.sha256(IMAGE).hexdigest(),
    }
    (tmp_path / "rpi-imager.json").write_text(json.dumps({"os_list": [entry]}), encoding="utf-8")
    return tmp_path


def run(base: str, dist: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "image-build/imager-repository", base, str(dist)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def addresses(dist: Path) -> list[str]:
    listed = json.loads((dist / "rpi-imager.json").read_text(encoding="utf-8"))
    return [entry["url"] for entry in listed["os_list"]]


@pytest.mark.parametrize("base", ["https://downloads.example/kiosk/", "file:///D:/kiosk/"])
def test_the_image_gets_its_address_also_when_it_moves(dist: Path, base: str) -> None:
    assert run("https://elsewhere.example/", dist).returncode == 0
    assert run(base, dist).returncode == 0
    assert addresses(dist) == [f"{base}kiosk-1.0.0.img.xz"]


def test_another_image_than_the_list_s_is_refused(dist: Path) -> None:
    (dist / "kiosk-1.0.0.img.xz").write_bytes(IMAGE[::-1])
    done = run("https://downloads.example/", dist)
    assert done.returncode == 1
    assert "is not the image that the list describes" in done.stderr
    assert addresses(dist) == ["kiosk-1.0.0.img.xz"]


@pytest.mark.parametrize("gone", ["kiosk-1.0.0.img.xz", "rpi-imager.json"])
def test_what_is_missing_is_named(dist: Path, gone: str) -> None:
    (dist / gone).unlink()
    done = run("https://downloads.example/", dist)
    assert (done.returncode, done.stderr) == (1, f"{dist / gone} is missing; run make image\n")


@pytest.mark.parametrize(
    "base", ["http://downloads.example/", "https://downloads.example", "dist/", "https://"]
)
def test_an_address_that_nobody_can_use_is_refused(dist: Path, base: str) -> None:
    assert run(base, dist).returncode == 2
