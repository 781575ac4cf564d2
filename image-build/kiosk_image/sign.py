"""Keys for updates and for the image: the builder's own, or throw-away ones for tests.

The folder of keys holds `update-ca.pem` (what kiosks believe), `update.pem` and `update.key` (for bundles),
`minisign.key` and `minisign.pub`. Only the first goes into the image.
"""

import json
from pathlib import Path

from kiosk_image.roots import inside, shell
from kiosk_image.steps import BuildError

NAMES = ("update-ca.pem", "update.pem", "update.key", "minisign.key", "minisign.pub")
DAYS = "3650"


def take_keys(out: Path, given: Path | None, tools: Path) -> None:
    """The builder's keys, by link: private keys are not copied. Without them throw-away ones."""
    if given is None:
        make_throw_away(out, tools)
        (out / "THROW-AWAY").touch()
        return
    if missing := [name for name in NAMES if not (given / name).is_file()]:
        raise BuildError(f"{given}: lacks {', '.join(missing)}")
    out.mkdir()
    for name in NAMES:
        (out / name).symlink_to(given / name)


def make_throw_away(folder: Path, tools: Path) -> None:
    """Keys that nobody keeps: good for trying, not for a clinic."""
    folder.mkdir(parents=True, exist_ok=True)
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    authority = ["-subj", "/CN=Throw-away update authority", "-days", DAYS, "-addext", "keyUsage=keyCertSign"]
    ca = [
        *request,
        *authority,
        "-keyout",
        str(folder / "update-ca.key"),
        "-out",
        str(folder / "update-ca.pem"),
    ]
    signer = ["-subj", "/CN=Throw-away update signer", "-days", DAYS, "-addext", "basicConstraints=CA:FALSE"]
    signer += ["-addext", "keyUsage=digitalSignature", "-CA", str(folder / "update-ca.pem")]
    signer += ["-CAkey", str(folder / "update-ca.key")]
    leaf = [*request, *signer, "-keyout", str(folder / "update.key"), "-out", str(folder / "update.pem")]
    minisign = [
        "minisign",
        "-G",
        "-W",
        "-f",
        "-s",
        str(folder / "minisign.key"),
        "-p",
        str(folder / "minisign.pub"),
    ]
    for command in (ca, leaf, minisign):
        inside(tools, command, [folder])


def make_bundle(
    out: Path,
    keys: Path,
    disk: Path,
    tools: Path,
    name: str,
    version: str,
    compatible: str = "maina-kiosk",
    changes: Path | None = None,
) -> Path:
    """A signed RAUC bundle with the root of slot A as its one image. `changes`: what staff are told of it
    (docs/updates.md); RAUC refuses escapes in a manifest, so what is not ASCII stands in it as it is.
    """
    content = out / "content"
    content.mkdir()
    (content / "root.ext4").hardlink_to(disk / "root.ext4")
    manifest = f"[update]\ncompatible={compatible}\nversion={version}\n"
    if changes is not None:
        told = json.dumps(json.loads(changes.read_text(encoding="utf-8")), ensure_ascii=False)
        manifest += f"description={told}\n"
    manifest += "\n[bundle]\nformat=verity\n\n"
    manifest += "[image.rootfs]\nfilename=root.ext4\n"
    (content / "manifest.raucm").write_text(manifest, encoding="utf-8")
    bundle = out / f"{name}.raucb"
    command = [
        "rauc",
        "bundle",
        "--cert",
        str(_real(keys, "update.pem")),
        "--key",
        str(_real(keys, "update.key")),
    ]
    command += ["--mksquashfs-args=-comp zstd -Xcompression-level 4 -processors 2", str(content), str(bundle)]
    inside(tools, command, [out, _real(keys, "update.key").parent, disk])
    shell(["rm", "-r", str(content)])
    return bundle


def _real(keys: Path, name: str) -> Path:
    """Where a key really lies: the builder's own are links."""
    return (keys / name).resolve()


def minisign(keys: Path, file: Path, comment: str, tools: Path) -> None:
    """`FILE.minisig` beside a file."""
    command = ["minisign", "-S", "-W", "-s", str(_real(keys, "minisign.key")), "-m", str(file), "-t", comment]
    inside(tools, command, [_real(keys, "minisign.key").parent, file.parent])
