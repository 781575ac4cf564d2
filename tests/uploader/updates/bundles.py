"""Real RAUC bundles with keys made at run time, and a box's system.conf with two file slots."""

import json
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

PRODUCT = "maina-kiosk"
CHANGES = {"ja": ["受付が速くなりました"], "en": ["Reception is faster"]}


@dataclass(frozen=True)
class Signer:
    """A key that may or may not sign updates."""

    certificate: Path
    key: Path

    @classmethod
    def make(cls, folder: Path, name: str) -> "Signer":
        signer = cls(folder / f"{name}.pem", folder / f"{name}.key")
        subject = ("-subj", f"/CN=invented {name}", "-days", "30", "-nodes", "-newkey", "rsa:2048")
        run("openssl", "req", "-x509", *subject, "-keyout", signer.key, "-out", signer.certificate)
        return signer


def run(*command: object) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def root_of(version: str) -> bytes:
    """What the slot must hold afterwards; cannot be compressed, as little as a real root's bundle."""
    return random.Random(version).randbytes(300_000)


def make_bundle(
    folder: Path, signer: Signer, version: str, *, product: str = PRODUCT, kind: str = "plain"
) -> Path:
    """A bundle. `kind` is its format: to install a "verity" one needs device-mapper, which is not everywhere.

    RAUC from 1.13 on refuses escapes in a manifest: what is not ASCII stands in it as it is.
    """
    name = f"{product}-{version}-{signer.key.stem}-{kind}"
    inside = folder / name
    inside.mkdir()
    (inside / "root.ext4").write_bytes(root_of(version))
    (inside / "manifest.raucm").write_text(
        f"[update]\ncompatible={product}\nversion={version}\n"
        f"description={json.dumps(CHANGES, ensure_ascii=False)}\n"
        f"[bundle]\nformat={kind}\n[image.rootfs]\nfilename=root.ext4\n",
        encoding="utf-8",
    )
    path = folder / f"{name}.raucb"
    run("rauc", "bundle", f"--cert={signer.certificate}", f"--key={signer.key}", inside, path)
    return path


@dataclass(frozen=True)
class Box:
    """What RAUC sees of a kiosk: slot A runs, slot B is written."""

    folder: Path
    conf: Path

    @classmethod
    def make(cls, folder: Path, signer: Signer) -> "Box":
        folder.mkdir()
        box = cls(folder, folder / "system.conf")
        for slot in (box.slot_a, box.slot_b):
            slot.write_bytes(bytes(1 << 20))
        slots = "".join(
            f"[slot.rootfs.{index}]\ndevice={slot}\ntype=raw\nbootname={slot.stem}\n"
            for index, slot in enumerate((box.slot_a, box.slot_b))
        )
        box.conf.write_text(
            f"[system]\ncompatible={PRODUCT}\nbootloader=noop\nmountprefix={folder}/mnt\n"
            f"statusfile={folder}/status\n[keyring]\npath={signer.certificate}\n{slots}",
            encoding="utf-8",
        )
        (folder / "mnt").mkdir()
        return box

    @property
    def slot_a(self) -> Path:
        return self.folder / "A.img"

    @property
    def slot_b(self) -> Path:
        return self.folder / "B.img"


@dataclass(frozen=True)
class Shelf:
    """Bundles of every kind; 1.1.0 runs."""

    ours: Signer
    theirs: Signer
    new: Path  #: 1.2.0
    newest: Path  #: 1.3.0
    old: Path  #: 1.0.0
    same: Path  #: 1.1.0
    stranger: Path  #: 1.2.0, signed by somebody else
    other: Path  #: 1.2.0 for another product

    @classmethod
    def make(cls, folder: Path) -> "Shelf":
        ours, theirs = Signer.make(folder, "ours"), Signer.make(folder, "theirs")
        return cls(
            ours=ours,
            theirs=theirs,
            new=make_bundle(folder, ours, "1.2.0"),
            newest=make_bundle(folder, ours, "1.3.0"),
            old=make_bundle(folder, ours, "1.0.0"),
            same=make_bundle(folder, ours, "1.1.0"),
            stranger=make_bundle(folder, theirs, "1.2.0"),
            other=make_bundle(folder, ours, "1.2.0", product="other-box"),
        )
