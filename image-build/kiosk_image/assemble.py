"""The kiosk's root tree and its boot partition, put together from the base (base.py) and our folders.

Everything here runs on this machine's processor, so that a change of our code is in an image within minutes.
"""

import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from pathlib import Path

from kiosk_image import overlays
from kiosk_image.base import PIPS_NOTES, Tree, byte_code
from kiosk_image.roots import inside, shell
from kiosk_image.steps import BuildError, remove
from kiosk_image.wheels import unpack

UNITS = ("kiosk-reader.service", "kiosk-screen.service", "kiosk-uploader.service")
LAUNCHER = """#!/usr/bin/python3 -EsP
import sys

sys.path.insert(0, "/opt/kiosk/lib")

from kiosk.cli import main

main()
"""


def make_tree(out: Path, repository: Path, results: dict[str, Path], pip: Path) -> None:
    """`out/root` (the slot): the files of the base, by hard link, and ours."""
    shell(["cp", "-al", str(results["base"] / "root"), str(out / "root")])
    tree = Tree(out / "root", repository, results["tools"] / "root")
    _place(tree)
    tree.write("etc/rauc/keyring.pem", (results["keys"] / "keys/update-ca.pem").read_text(encoding="utf-8"))
    _package(tree, pip)
    _accounts(tree)
    _enable(tree)
    _clear(tree)
    byte_code(tree, "opt/kiosk/lib/kiosk")


def _place(tree: Tree) -> None:
    """Our own files: what `deploy/` and `firmware/` say."""
    shell(["cp", "-r", "--remove-destination", f"{tree.repository}/deploy/appliance/.", str(tree.root)])
    for unit in UNITS:
        tree.put(f"deploy/{unit}", f"usr/lib/systemd/system/{unit}")
    tree.put("deploy/sysusers.d/kiosk.conf", "usr/lib/sysusers.d/kiosk.conf")
    tree.put("deploy/tmpfiles.d/kiosk.conf", "usr/lib/tmpfiles.d/kiosk.conf")
    for rule in ("60-kiosk-reader.rules", "60-kiosk-gpio.rules"):
        tree.put(f"firmware/{rule}", f"etc/udev/rules.d/{rule}")
    tree.put("firmware/kiosk-blacklist.conf", "etc/modprobe.d/kiosk-blacklist.conf")
    tree.put("firmware/board.toml", "usr/share/kiosk/board.toml")
    for tool in ("check-reader", "bring-up"):
        tree.put(f"firmware/{tool}", f"usr/share/kiosk/{tool}", 0o755)
    for name in ("kiosk.toml", "service-ca.pem"):
        tree.link(f"etc/kiosk/{name}", f"/var/lib/kiosk/{name}")
    (tree.root / "usr/share/kiosk/trust").mkdir(parents=True, exist_ok=True)
    tree.link("etc/wpa_supplicant/wpa_supplicant-wlan0.conf", "/var/lib/kiosk-line/wpa_supplicant-wlan0.conf")
    tree.link("etc/systemd/network/10-kiosk.network", "/var/lib/kiosk-line/10-kiosk.network")
    tree.link("etc/systemd/timesyncd.conf.d/50-line.conf", "/var/lib/kiosk-line/timesyncd.conf")
    (tree.root / "mnt/oqs").mkdir()
    tree.link("etc/resolv.conf", "/run/systemd/resolve/resolv.conf")
    project = tomllib.loads((tree.repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    rauc = (tree.root / "etc/rauc/system.conf").read_text(encoding="utf-8")
    tree.write("etc/rauc/system.conf", no_older(rauc, project["version"]))
    tree.write("etc/hostname", "kiosk\n")
    tree.write("etc/hosts", "127.0.0.1 localhost kiosk\n::1 localhost kiosk\n")


def no_older(rauc: str, version: str) -> str:
    """RAUC's system.conf with its own bar against older bundles, beside the one of the update page."""
    if re.fullmatch(r"\d+\.\d+\.\d+", version) is None:
        raise BuildError(f"version {version} in pyproject.toml: RAUC compares numbers only, such as 1.2.3")
    return rauc.replace("[system]\n", f"[system]\nmin-bundle-version={version}\n", 1)


def _package(tree: Tree, pip: Path) -> None:
    """The kiosk, beside what it imports, in a folder of its own; without the simulated world."""
    lib = tree.root / "opt/kiosk/lib"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "source"
        copy.mkdir()
        for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
            shutil.copyfile(tree.repository / name, copy / name)
        shutil.copytree(
            tree.repository / "kiosk", copy / "kiosk", ignore=shutil.ignore_patterns("__pycache__")
        )
        shell(
            [
                str(pip),
                "wheel",
                "--quiet",
                "--no-deps",
                "--no-build-isolation",
                f"--wheel-dir={folder}",
                str(copy),
            ],
            environment={"SOURCE_DATE_EPOCH": "1760000000"},
        )
        [wheel] = Path(folder).glob("*.whl")
        unpack(pip, wheel, lib)
    tree.drop("opt/kiosk/lib/kiosk/simulator", "opt/kiosk/lib/bin")
    tree.drop(*(f"opt/kiosk/lib/*.dist-info/{note}" for note in PIPS_NOTES))
    tree.write("opt/kiosk/bin/kiosk", LAUNCHER, 0o755)


def _accounts(tree: Tree) -> None:
    """The users of the three processes; nobody can log in, root included."""
    tree.use("systemd-sysusers", f"--root={tree.root}")
    shadow = tree.root / "etc/shadow"
    lines = [line.split(":") for line in shadow.read_text(encoding="utf-8").splitlines()]
    # "*": no password opens it. The day of the last change would be today's.
    text = "".join(":".join([line[0], "*", "20000", *line[3:]]) + "\n" for line in lines)
    owned = shadow.stat()
    tree.write("etc/shadow", text, owned.st_mode & 0o777)
    os.chown(shadow, owned.st_uid, owned.st_gid)
    tree.drop("etc/shadow-", "etc/passwd-", "etc/group-", "etc/gshadow-", "etc/.pwd.lock")
    tree.drop("etc/subuid*", "etc/subgid*")


#: Never started: logins, what waits for hardware that no Pi has, what would write to a read-only root.
MASKED = (
    "ctrl-alt-del.target",
    "getty.target",
    "getty-static.service",
    "getty@.service",
    "console-getty.service",
    "serial-getty@.service",
    "autovt@.service",
    "emergency.service",
    "rescue.service",
    "systemd-logind.service",
    "systemd-user-sessions.service",
    "systemd-firstboot.service",
    "first-boot-complete.target",
    "systemd-machine-id-commit.service",
    "systemd-update-done.service",
    "ldconfig.service",
    "systemd-journal-flush.service",
    "systemd-journal-catalog-update.service",
    "systemd-hwdb-update.service",
    "systemd-binfmt.service",
    "systemd-hostnamed.socket",
    "systemd-sysext.socket",
    "systemd-creds.socket",
    "systemd-hibernate-clear.service",
    "systemd-pcrphase.service",
    "systemd-pcrphase-sysinit.service",
    "systemd-tpm2-setup.service",
    "systemd-tpm2-setup-early.service",
    "systemd-networkd-persistent-storage.service",
    # The share's mount would wait two minutes for every line there is; the kiosk asks again by itself.
    "systemd-networkd-wait-online.service",
    "systemd-tmpfiles-clean.timer",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "dev-mqueue.mount",
    "dev-hugepages.mount",
    "sys-fs-fuse-connections.mount",
    "systemd-pstore.service",
)


def _enable(tree: Tree) -> None:
    """Exactly the units of the preset; the rest is out of reach."""
    tree.drop("etc/systemd/system/*.wants", "etc/systemd/system/*.requires", "etc/systemd/system/dbus-*")
    tree.use("systemctl", f"--root={tree.root}", "--preset-mode=full", "preset-all")
    tree.link("etc/systemd/system/default.target", "/usr/lib/systemd/system/multi-user.target")
    for unit in MASKED:
        tree.link(f"etc/systemd/system/{unit}", "/dev/null")


def _clear(tree: Tree) -> None:
    """What the build left behind, and what would differ from one build to the next."""
    tree.drop("var/*", "run/*", "tmp/*", "root/.*", "proc/*", "sys/*", "dev/*", "boot/firmware/*")
    (tree.root / "boot/firmware").mkdir(parents=True, exist_ok=True)
    # Where /var is mounted; services with private folders start also where that failed.
    (tree.root / "var/tmp").mkdir(parents=True)
    (tree.root / "var/tmp").chmod(0o1777)
    # Empty, not missing: systemd makes one for each start and does not take this for a first boot.
    tree.write("etc/machine-id", "", 0o444)
    tree.drop("etc/ld.so.cache~", "etc/resolv.conf.*")
    for path in tree.root.glob("etc/ssl/certs/java"):
        remove(path)


def make_boot(out: Path, repository: Path, results: dict[str, Path], python: Path) -> None:
    """`out/boot`: what the Pi's boot ROM reads, U-Boot and its script, device trees, the settings."""
    boot, tools = out / "boot", results["tools"] / "root"
    packages = results["boot-packages"] / "root"
    boot.mkdir(parents=True)
    firmware = packages / "usr/lib/raspi-firmware"
    for name in (
        "bootcode.bin",
        "LICENCE.broadcom",
        *(p.name for p in firmware.glob("*.dat")),
        *(p.name for p in firmware.glob("*.elf")),
    ):
        if (firmware / name).exists():
            shutil.copyfile(firmware / name, boot / name)
    shutil.copyfile(packages / "usr/lib/u-boot/rpi_arm64/u-boot.bin", boot / "u-boot.bin")
    for tree in (results["debian"] / "root/usr/lib").glob("linux-image-*/broadcom/bcm2*-rpi-*.dtb"):
        shutil.copyfile(tree, boot / tree.name)
    image_build = repository / "image-build"
    shutil.copyfile(image_build / "config.txt", boot / "config.txt")
    shutil.copyfile(repository / "deploy/kiosk.toml.card", boot / "kiosk.toml")
    kiosk = [str(python), "-m", "kiosk", "provision", "page", "--out", str(boot / "check-settings.html")]
    shell(kiosk, folder=repository)
    cmdline = (image_build / "cmdline").read_text(encoding="utf-8").strip()
    script = (image_build / "boot.cmd").read_text(encoding="utf-8").replace("@CMDLINE@", cmdline)
    [kernel] = (results["debian"] / "root/boot").glob("vmlinuz-*")
    must_fit(script, kernel)
    (out / "boot.cmd").write_text(script, encoding="utf-8")
    make = ["mkimage", "-A", "arm64", "-O", "linux", "-T", "script", "-C", "none", "-n", "kiosk"]
    command = [*make, "-d", str(out / "boot.cmd"), str(boot / "boot.scr")]
    inside(tools, command, [out], {"SOURCE_DATE_EPOCH": "1760000000"})
    overlays.make(boot, repository, lambda command: inside(tools, command, [out, repository]))


def must_fit(script: str, kernel: Path) -> None:
    """Raise BuildError where U-Boot would lay the RAM disk into the kernel: booti refuses that on the board.

    The kernel says how much memory it takes from where it lies, its bss included (Linux,
    Documentation/arch/arm64/booting.rst: image_size, bytes 16 to 23).
    """
    names = ("kernel_addr_r", "ramdisk_addr_r")
    begin, end = (int(re.findall(rf"(?m)^setenv {name} (0x\w+)$", script)[0], 16) for name in names)
    with kernel.open("rb") as file:
        takes = int.from_bytes(file.read(24)[16:], "little")
    if takes > end - begin:
        wanted = f"{kernel.name} takes {takes:,} bytes of memory, {end - begin:,} are free below the RAM disk"
        raise BuildError(f"{wanted}; move ramdisk_addr_r up in boot.cmd")


def set_times(root: Path, epoch: int) -> None:
    """No file younger or older than the commit: times must not differ between builds."""
    for folder, names, files in os.walk(root):
        for name in (*names, *files, "."):
            os.utime(Path(folder) / name, (epoch, epoch), follow_symlinks=False)


def commit_time(repository: Path) -> int:
    """Seconds since 1970 of the last commit."""
    done = subprocess.run(
        ["git", "-C", str(repository), "log", "-1", "--format=%ct"],
        capture_output=True,
        text=True,
        check=False,
    )
    return int(done.stdout.strip() or 1_760_000_000)
