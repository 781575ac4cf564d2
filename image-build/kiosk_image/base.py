"""What the kiosk's root takes from Debian and from the wheels, cut to size and compiled.

The same for every version of our code, and so made once and kept.
"""

import shutil
import tempfile
from pathlib import Path

from kiosk_image.roots import inside, shell
from kiosk_image.steps import remove

#: Left out of the kiosk: package management, documentation, leftovers, drivers of hardware that no Pi has.
NOT_NEEDED = (
    "etc/apt",
    "etc/cron.daily",
    "etc/logrotate.d",
    "etc/initramfs-tools",
    "etc/kernel",
    "usr/bin/apt*",
    "usr/lib/apt",
    "usr/share/doc",
    "usr/share/lintian",
    "usr/share/bug",
    "usr/share/locale",
    "usr/share/initramfs-tools",
    "usr/share/perl5/Debconf*",
    "usr/lib/python3.13/test",
    "usr/lib/python3.13/idlelib",
    "usr/lib/udev/hwdb.*",
    "usr/lib/systemd/system/*.wants/systemd-firstboot.service",
    "usr/lib/firmware/brcm/*pcie*",
    "usr/lib/linux-image-*",
    "boot/System.map-*",
    "boot/config-*",
)
MODULES_NOT_NEEDED = (
    "drivers/infiniband",
    "drivers/media",
    "drivers/iio",
    "drivers/target",
    "drivers/ufs",
    "drivers/bluetooth",
    "drivers/isdn",
    "drivers/xen",
    "drivers/vfio",
    "drivers/vhost",
    "drivers/vdpa",
    "drivers/accel",
    "drivers/gpu/drm/nouveau",
    "drivers/gpu/drm/radeon",
    "drivers/gpu/drm/amd",
    "drivers/gpu/drm/msm",
    "drivers/gpu/drm/etnaviv",
    "drivers/gpu/drm/rockchip",
    "drivers/gpu/drm/tegra",
    "drivers/net/ethernet/mellanox",
    "drivers/net/ethernet/chelsio",
    "drivers/net/ethernet/intel",
    "drivers/net/ethernet/qlogic",
    "drivers/net/ethernet/marvell",
    "drivers/net/ethernet/amazon",
    "drivers/net/wireless/ath",
    "drivers/net/wireless/intel",
    "drivers/net/wireless/mediatek",
    "drivers/net/wireless/realtek",
    "drivers/net/wireless/marvell",
    "drivers/net/wireless/ti",
    "drivers/net/wireless/ralink",
    "drivers/net/can",
    "drivers/net/hamradio",
    "net/bluetooth",
    "net/nfc",
    "drivers/nfc",
    "sound/pci",
    "sound/soc/qcom",
    "sound/soc/mediatek",
    "sound/soc/sof",
    "sound/firewire",
    "fs/btrfs",
    "fs/xfs",
    "fs/ocfs2",
    "fs/gfs2",
    "fs/ceph",
    "fs/smb/server",
    "fs/nfs",
    "fs/nfsd",
    "fs/f2fs",
    "fs/jfs",
    "fs/reiserfs",
    "fs/bcachefs",
    "fs/ntfs3",
    "fs/exfat",
    "fs/udf",
    "fs/hfs",
    "fs/hfsplus",
    "fs/ubifs",
    "fs/jffs2",
)
#: HID drivers that stay: touch panels. Without hid-generic and its like a keyboard finds no driver.
HID_KEPT = {"hid.ko.xz", "hid-multitouch.ko.xz", "usbhid.ko.xz"}
#: SCSI drivers that stay: a USB stick is a SCSI disk.
SCSI_KEPT = {"scsi_common.ko.xz", "scsi_mod.ko.xz", "sd_mod.ko.xz"}


#: What pip notes for uninstalling: it holds the path on the building machine, or a hash of it.
PIPS_NOTES = ("direct_url.json", "RECORD")
#: Folders that Debian has, if empty.
STANDARD = {"home", "media", "mnt", "opt", "root", "srv", "tmp", "var"}


class Tree:
    """A root tree while it is put together.

    Its files may be hard links into the result of an earlier step: what is to change is replaced, never
    written to.
    """

    def __init__(self, root: Path, repository: Path, tools: Path) -> None:
        self.root, self.repository, self.tools = root, repository, tools

    def put(self, source: str, goal: str, mode: int = 0o644) -> None:
        """Place a file of the repository."""
        path = self.root / goal
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        shutil.copyfile(self.repository / source, path)
        path.chmod(mode)

    def write(self, goal: str, text: str, mode: int = 0o644) -> None:
        path = self.root / goal
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    def link(self, goal: str, to: str) -> None:
        path = self.root / goal
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(to)

    def drop(self, *patterns: str) -> None:
        for pattern in patterns:
            for path in self.root.glob(pattern):
                if path.is_dir() and not path.is_symlink():
                    remove(path)
                else:
                    path.unlink()

    def use(self, *command: str) -> str:
        """Run a tool of the tool root on this tree."""
        return inside(self.tools, command, [self.root])


def make_base(out: Path, repository: Path, results: dict[str, Path]) -> None:
    """`out/root`: Debian and the wheels; `out/dpkg-status`: what Debian brought."""
    shell(["cp", "-a", "--reflink=auto", str(results["debian"] / "root"), str(out / "root")])
    tree = Tree(out / "root", repository, results["tools"] / "root")
    forget_mounts(tree.root, results["initrd"].with_name(f"{results['initrd'].name}.part"))
    shutil.copyfile(out / "root/var/lib/dpkg/status", out / "dpkg-status")
    lib = tree.root / "opt/kiosk/lib"
    lib.parent.mkdir(parents=True)
    shell(["cp", "-a", "--reflink=auto", str(results["wheels"] / "site"), str(lib)])
    tree.drop("opt/kiosk/lib/bin", "opt/kiosk/lib/gpiozerocli")
    tree.drop(*(f"opt/kiosk/lib/pygame/{part}" for part in ("examples", "docs", "tests")))
    tree.drop(*(f"opt/kiosk/lib/*.dist-info/{note}" for note in PIPS_NOTES))
    _kernel(tree, results["initrd"])
    tree.drop(*NOT_NEEDED)
    for cache in tree.root.rglob("__pycache__"):
        remove(cache)
    byte_code(tree, "usr/lib/python3.13", "usr/lib/python3", "opt/kiosk/lib")


def _kernel(tree: Tree, initrd: Path) -> None:
    [modules] = (tree.root / "usr/lib/modules").iterdir()
    release = modules.name
    for folder in MODULES_NOT_NEEDED:
        remove(modules / "kernel" / folder)
    for folder, kept in (("hid", HID_KEPT), ("scsi", SCSI_KEPT)):
        for driver in (modules / "kernel/drivers" / folder).rglob("*.ko.xz"):
            if driver.name not in kept:
                driver.unlink()
    tree.use("depmod", "--basedir", str(tree.root), release)
    shutil.copyfile(initrd / "initrd.img", tree.root / f"boot/initrd.img-{release}")
    tree.link("vmlinuz", f"boot/vmlinuz-{release}")
    tree.link("initrd.img", f"boot/initrd.img-{release}")
    tree.drop("vmlinuz.old", "initrd.img.old")


def forget_mounts(root: Path, folder: Path) -> None:
    """Take away the empty folders where `folder` of this machine was seen from inside `root`."""
    for path in (folder, *folder.parents):
        place = root / path.relative_to("/")
        if path.parent == Path("/") and path.name in STANDARD:
            return
        if place == root or (place.is_dir() and any(place.iterdir())):
            return
        if place.is_dir():
            place.rmdir()


def byte_code(tree: Tree, *folders: str) -> None:
    """Compiled once, here: the root is read-only. By hash, unchecked: no time stamps."""
    command = ["env", "PYTHONHASHSEED=0", "python3", "-m", "compileall", "-q", "-f", "-j", "1"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(tree.root), "-p", "/"]
    command += [str(tree.root / folder) for folder in folders]
    # A few of Debian's own files are templates that do not compile; byte code is a matter of speed only.
    tree.use("sh", "-c", '"$@" || true', "sh", *command)


def make_initrd(out: Path, repository: Path, debian: Path) -> None:
    """`out/initrd.img` by Debian's initramfs-tools, under emulation, on a copy of the root's own files."""
    image_build = repository / "image-build"
    [release] = [p.name for p in (debian / "root/usr/lib/modules").iterdir()]
    with tempfile.TemporaryDirectory(dir=out) as folder:
        config = Path(folder)
        (config / "conf.d").mkdir()
        (config / "hooks").mkdir()
        (config / "scripts").mkdir()
        shutil.copyfile(image_build / "initramfs.conf", config / "initramfs.conf")
        shutil.copyfile(image_build / "initramfs-modules", config / "modules")
        (config / "update-initramfs.conf").write_text("update_initramfs=no\n", encoding="utf-8")
        command = ["mkinitramfs", "-d", str(config), "-o", str(out / "initrd.img"), release]
        inside(debian / "root", command, [out], {"SOURCE_DATE_EPOCH": "1760000000"})
        forget_mounts(debian / "root", out)
