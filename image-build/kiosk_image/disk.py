"""The card as a file, and what goes with it: compressed, mapped, hashed, signed, listed."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kiosk_image.assemble import set_times
from kiosk_image.base import Tree
from kiosk_image.roots import inside, shell
from kiosk_image.sign import minisign

ROOT_SIZE = "1152M"  #: of a slot; an update must fit into a card that was flashed years before


@dataclass(frozen=True)
class Release:
    """What stands in names and lists."""

    version: str
    epoch: int  #: the commit's time, seconds since 1970

    @property
    def name(self) -> str:
        return f"kiosk-{self.version}"


def make_disk(out: Path, repository: Path, results: dict[str, Path], release: Release) -> None:
    """`out/kiosk.img`, and beside it `root.ext4` (for updates), `vmlinuz`, `initrd.img` (for the tests)."""
    tools = results["tools"] / "root"
    root, boot = out / "tree", out / "boot"
    shell(["cp", "-al", str(results["system"] / "root"), str(root)])
    shell(["cp", "-a", str(results["boot"] / "boot"), str(boot)])
    tree = Tree(root, repository, tools)
    # The running version, for `kiosk update`, for RAUC and for whoever looks; os-release(5).
    told = (root / "usr/lib/os-release").read_text(encoding="utf-8")
    told += f"IMAGE_ID=maina-kiosk\nIMAGE_VERSION={release.version}\nBUILD_ID={release.epoch}\n"
    tree.write("usr/lib/os-release", told)
    set_times(root, release.epoch)
    set_times(boot, release.epoch)
    config = (repository / "image-build/genimage.cfg").read_text(encoding="utf-8")
    for word, value in (("@ROOT_SIZE@", ROOT_SIZE), ("@ROOT@", str(root)), ("@BOOT@", str(boot))):
        config = config.replace(word, value)
    (out / "genimage.cfg").write_text(config, encoding="utf-8")
    (out / "empty").mkdir()
    command = [
        "genimage",
        "--rootpath",
        str(out / "empty"),
        "--tmppath",
        str(out / "tmp"),
        "--inputpath",
        str(out / "empty"),
    ]
    command += ["--outputpath", str(out / "images"), "--config", str(out / "genimage.cfg")]
    # genimage lets e2fsck look over what mke2fs made; each has its own word for "now" in the superblock.
    now = dict.fromkeys(("SOURCE_DATE_EPOCH", "E2FSCK_TIME", "E2FSPROGS_FAKE_TIME"), str(release.epoch))
    inside(tools, command, [out], now)
    for name in ("kiosk.img", "root.ext4", "boot.vfat"):
        (out / "images" / name).rename(out / name)
    for name in ("vmlinuz", "initrd.img"):
        shutil.copyfile((root / "boot" / (root / name).readlink().name), out / name)
    for folder in ("tmp", "images", "tree", "boot", "empty"):
        shutil.rmtree(out / folder, ignore_errors=True)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pack(out: Path, results: dict[str, Path], release: Release) -> None:
    """`kiosk-VERSION.img.xz` with its map (bmap) and the entry for Raspberry Pi Imager."""
    tools = results["tools"] / "root"
    image = results["disk"] / "kiosk.img"
    shared = [out, results["disk"]]
    # Two threads whatever the machine has: the number decides how the blocks are cut.
    packed = out / f"{release.name}.img.xz"
    inside(tools, ["sh", "-ec", f'xz -T2 -0 --block-size=32MiB -c "{image}" > "{packed}"'], shared)
    inside(tools, ["bmaptool", "-q", "create", "-o", str(out / f"{release.name}.bmap"), str(image)], shared)
    (out / "rpi-imager.json").write_text(imager_entry(image, packed, release), encoding="utf-8")


def publish(out: Path, results: dict[str, Path], release: Release) -> None:
    """All that goes out, in one folder, with one signature over its sums."""
    for file in (*results["packed"].iterdir(), results["bundle"] / f"{release.name}.raucb"):
        if not file.name.startswith("."):
            (out / file.name).hardlink_to(file)
    shutil.copyfile(results["base"] / "dpkg-status", out / "dpkg-status")
    keys = results["keys"] / "keys"
    told = "throw-away key: not for a clinic" if (keys / "THROW-AWAY").exists() else "kiosk image"
    files = (out / f"{release.name}.img.xz", out / f"{release.name}.raucb")
    lines = "".join(f"{digest(file)}  {file.name}\n" for file in files)
    (out / "SHA256SUMS").write_text(lines, encoding="utf-8")
    # One signature over the sums covers both files; the key must be readable where the tool runs.
    minisign(keys.resolve(), out / "SHA256SUMS", f"{told} {release.version}", results["tools"] / "root")
    shutil.copyfile(keys / "minisign.pub", out / "minisign.pub")


def imager_entry(image: Path, packed: Path, release: Release) -> str:
    """A list of one for Raspberry Pi Imager ("custom repository"), in its format v3."""
    entry = {
        "name": f"Reception kiosk {release.version}",
        "description": "Reception kiosk for the My Number Card; read-only, for one purpose",
        "url": packed.name,
        "extract_size": image.stat().st_size,
        "extract_sha256": digest(image),
        "image_download_size": packed.stat().st_size,
        "image_download_sha256": digest(packed),
        "release_date": f"{datetime.fromtimestamp(release.epoch, UTC):%Y-%m-%d}",
        "devices": ["pi3-64bit", "pi4-64bit"],
        "init_format": "none",
    }
    return json.dumps({"os_list": [entry]}, indent=2) + "\n"
