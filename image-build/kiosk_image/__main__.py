"""`python3 -m kiosk_image`: build the SD image, or tell where its parts are. `make image` calls it."""

import argparse
import shutil
import tomllib
from pathlib import Path

from kiosk_image import assemble, base, disk, lend, roots, sign, twice, wheels
from kiosk_image.steps import BuildError, Step, Workshop, fail

REPOSITORY = Path(__file__).resolve().parents[2]
HOST_TOOLS = ("mmdebstrap", "apt-get", "dpkg-deb", "unshare", "chroot")


def recipe(repository: Path, pip: Path, keys: Path | None = None) -> dict[str, Step]:
    """All steps by name. Partly emulated: `debian`, `initrd`; everything else runs on this processor. A
    change of our code makes anew `system`, `boot` and what follows from them.
    """
    build = repository / "image-build"
    code = build / "kiosk_image"
    lists = build / "packages"
    release = disk.Release(
        tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"],
        assemble.commit_time(repository),
    )
    tools = Step(
        "tools",
        (lists / "tools.list", "1"),
        (),
        lambda out, _: roots.make_root(out, ["amd64", "arm64"], roots.packages(lists / "tools.list")),
    )
    debian = Step(
        "debian",
        (lists / "root.list", str(roots.NOT_WANTED)),
        (),
        lambda out, got: lend.make_arm64_root(
            out, roots.packages(lists / "root.list"), got["tools"] / "root"
        ),
        helped_by=(tools,),
    )
    initrd = Step(
        "initrd",
        (build / "initramfs.conf", build / "initramfs-modules"),
        (debian,),
        lambda out, got: base.make_initrd(out, repository, got["debian"]),
    )
    boot_packages = Step(
        "boot-packages",
        (lists / "boot.list",),
        (),
        lambda out, _: roots.fetch_packages(out, roots.packages(lists / "boot.list")),
    )
    signing = Step(
        "keys",
        ("throw-away",) if keys is None else (keys / "update-ca.pem",),
        (tools,),
        lambda out, got: sign.take_keys(out / "keys", keys, got["tools"] / "root"),
    )
    python = Step(
        "wheels",
        (repository / "requirements/run.txt", code / "wheels.py"),
        (tools,),
        lambda out, got: wheels.make_site(
            out, repository / "requirements/run.txt", pip, got["tools"] / "root"
        ),
    )
    foundation = Step(
        "base",
        (code / "base.py",),
        (tools, debian, initrd, python),
        lambda out, got: base.make_base(out, repository, got),
    )
    system = Step(
        "system",
        (
            repository / "kiosk",
            repository / "deploy",
            repository / "firmware",
            repository / "pyproject.toml",
            code / "assemble.py",
        ),
        (tools, foundation, signing),
        lambda out, got: assemble.make_tree(out, repository, got, pip),
    )
    boot = Step(
        "boot",
        (
            build / "boot.cmd",
            build / "cmdline",
            build / "config.txt",
            repository / "firmware",
            repository / "deploy/kiosk.toml.card",
            repository / "kiosk/provisioning",
            code / "assemble.py",
            code / "overlays.py",
        ),
        (tools, debian, boot_packages),
        lambda out, got: assemble.make_boot(out, repository, got, pip.with_name("python")),
    )
    card = Step(
        "disk",
        (build / "genimage.cfg", code / "disk.py", f"{release.version} {release.epoch}"),
        (tools, system, boot),
        lambda out, got: disk.make_disk(out, repository, got, release),
    )
    bundle = Step(
        "bundle",
        (code / "sign.py", repository / "deploy/changes.json"),
        (tools, signing, card),
        lambda out, got: sign.make_bundle(
            out,
            got["keys"] / "keys",
            got["disk"],
            got["tools"] / "root",
            release.name,
            release.version,
            changes=repository / "deploy/changes.json",
        ),
    )
    packed = Step(
        "packed",
        (code / "disk.py",),
        (tools, card),
        lambda out, got: disk.pack(out, got, release),
    )
    published = Step(
        "release",
        (code / "disk.py", code / "sign.py"),
        (tools, packed, bundle, signing, foundation),
        lambda out, got: disk.publish(out, got, release),
    )
    return {step.name: step for step in published.in_order()}


def main() -> None:
    """Parse the command line; one line for what cannot be done."""
    parser = argparse.ArgumentParser(prog="kiosk_image", description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="where finished steps are kept")
    parser.add_argument("--pip", type=Path, required=True, help="a pip with the locked setuptools beside it")
    parser.add_argument("--out", type=Path, help="copy the results here")
    parser.add_argument(
        "--keys", type=Path, help="folder of the signing keys (sign.py); else throw-away ones"
    )
    parser.add_argument("--step", default="release", help="build only as far as this step")
    parser.add_argument(
        "--twice", action="store_true", help="build once more beside the cached one, compare every byte"
    )
    parser.add_argument(
        "--all", action="store_true", help="with --twice: Debian's root once more as well (emulated)"
    )
    parser.add_argument("--where", metavar="STEP", help="print the folder of a finished step, or fail")
    chosen = parser.parse_args()
    steps = recipe(REPOSITORY, chosen.pip.absolute(), chosen.keys and chosen.keys.absolute())
    if chosen.where:
        folder = steps[chosen.where].folder(chosen.cache.absolute())
        if not steps[chosen.where].ready(chosen.cache.absolute()):
            fail(f"{chosen.where} is not built yet; run make image")
        print(folder)
        return
    if missing := [name for name in HOST_TOOLS if shutil.which(name) is None]:
        fail(f"{', '.join(missing)} missing; run requirements/system-packages image")
    if chosen.twice:
        again = twice.ALL if chosen.all else twice.OURS
        raise SystemExit(twice.compare(chosen.cache.absolute(), steps["disk"], again))
    try:
        results = Workshop(chosen.cache.absolute()).run(steps[chosen.step])
    except BuildError as fault:
        fail(str(fault))
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        for file in sorted(results[chosen.step].iterdir()):
            if file.is_file() and not file.name.startswith("."):
                shutil.copyfile(file, chosen.out / file.name)


if __name__ == "__main__":
    main()
