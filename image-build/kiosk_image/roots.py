"""Debian roots: one of this machine's processor that holds the tools, and the arm64 root of the kiosk."""

import os
import platform
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from kiosk_image.apt import LENIENT, OPTIONS, mirror
from kiosk_image.steps import BuildError

SUITE = "trixie"
EPOCH = (
    1_760_000_000  #: of the cached roots, whose files get the commit's time when the image is put together
)
BINFMT = Path("/proc/sys/fs/binfmt_misc")
NOT_WANTED = (
    "/usr/share/man/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/doc/*",
    # serif faces that no screen is set in
    "/usr/share/fonts/opentype/noto/NotoSerif*",
    # the database of keyboards and mice takes minutes to be compiled under emulation
    "/usr/lib/udev/hwdb.d/*",
    # drivers of desktop graphics cards: a fifth of the kernel package
    "/usr/lib/modules/*/kernel/drivers/gpu/drm/amd/*",
)


def packages(list_file: Path) -> list[str]:
    """The names in a list: one a line, `#` begins a remark."""
    lines = list_file.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def make_root(
    out: Path,
    architectures: Sequence[str],
    names: Sequence[str],
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> None:
    """A Debian root in `out/root`, by mmdebstrap(1); maintainer scripts run emulated where they must."""
    if architectures[0] == "arm64":
        emulate_arm64()
    command = mmdebstrap("apt", OPTIONS)
    command += [f"--architectures={','.join(architectures)}", "--components=main non-free-firmware"]
    command += [f"--dpkgopt=path-exclude={path}" for path in NOT_WANTED]
    command += ["--dpkgopt=path-include=/usr/share/doc/*/copyright", f"--include={','.join(names)}"]
    command += [*options, SUITE, str(out / "root"), *mirror().sources(SUITE)]
    # INITRD=No: the kernel's hook must not make an initial RAM disk now; ours is made when all modules are
    # there.
    shell(command, environment={"SOURCE_DATE_EPOCH": str(EPOCH), "INITRD": "No", **(environment or {})})


def make_bare_root(out: Path, suite: str, names: Sequence[str]) -> None:
    """The smallest Debian of this machine's processor that one can log in to, and `names`, in `out/root`."""
    command = [*mmdebstrap("minbase", LENIENT), f"--include={','.join(names)}"]
    shell([*command, suite, str(out / "root"), *mirror().sources(suite)])


def mmdebstrap(variant: str, options: Sequence[str]) -> list[str]:
    """How every root is made; `options` of apt are switched off in it as well."""
    # What is mounted below the root on the way goes when the program ends, however it ends.
    command = ["unshare", "--mount", "--propagation=private", "mmdebstrap", "--mode=root"]
    command += [f"--variant={variant}", "--format=directory", "--dpkgopt=force-unsafe-io"]
    return [*command, *(f'--aptopt={option} "false"' for option in options)]


def fetch_packages(out: Path, names: Sequence[str], suite: str = SUITE, architecture: str = "arm64") -> None:
    """Download packages and unpack them below `out/root`; control files go to `out/control`."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        (state / "lists/partial").mkdir(parents=True)
        (state / "cache/archives/partial").mkdir(parents=True)
        (state / "sources.list").write_text("\n".join(mirror().sources(suite)) + "\n", encoding="utf-8")
        (state / "status").touch()
        own = {
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
            "Dir::State": folder,
            "Dir::State::status": str(state / "status"),
            "Dir::Cache": str(state / "cache"),
            "Dir::Etc::sourcelist": str(state / "sources.list"),
            "Dir::Etc::sourceparts": "/nonexistent",
            "APT::Sandbox::User": "root",
            **dict.fromkeys(OPTIONS, "false"),
        }
        apt = ["apt-get", "-q", *(word for key, value in own.items() for word in ("-o", f"{key}={value}"))]
        shell([*apt, "update"])
        shell([*apt, "download", *(name.partition(":")[0] for name in names)], folder=state)
        for deb in sorted(state.glob("*.deb")):
            (out / "control").mkdir(exist_ok=True)
            shell(["dpkg-deb", "-x", str(deb), str(out / "root")])
            shell(["dpkg-deb", "-e", str(deb), str(out / "control" / deb.name.partition("_")[0])])


def emulate_arm64() -> None:
    """See that the kernel starts arm64 programs (binfmt_misc). Needs no module and no service of the host."""
    if platform.machine() == "aarch64" or (BINFMT / "qemu-aarch64").exists():
        return
    if not (BINFMT / "register").exists():
        shell(["mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT)])
    if not (BINFMT / "qemu-aarch64").exists():
        rule = Path("/usr/lib/binfmt.d/qemu-aarch64.conf").read_text(encoding="utf-8")
        (BINFMT / "register").write_text(rule, encoding="utf-8")


def shell(
    command: Sequence[str], folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> str:
    """Run a program; returns what it printed. Raises BuildError with the end of what it said."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        end = "\n".join((done.stdout + done.stderr).splitlines()[-25:])
        raise BuildError(f"{command[0]} failed ({done.returncode}): {' '.join(command)[:400]}\n{end}")
    return done.stdout


def inside(
    root: Path, command: Sequence[str], shared: Sequence[Path], environment: Mapping[str, str] | None = None
) -> str:
    """Run a program in a root of ours, with the `shared` folders at their own paths.

    The mounts live in a mount namespace that ends with the program: nothing is left behind, also not by kill
    -9.
    """
    return shell(in_root(root, command, shared), environment=environment)


def in_root(root: Path, command: Sequence[str], shared: Sequence[Path]) -> list[str]:
    """The command line that runs `command` in `root`; see `inside`."""
    for folder in shared:
        (root / folder.relative_to("/")).mkdir(parents=True, exist_ok=True)
    script = 'root=$1; shift; mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; '
    script += "".join(f'mount --bind "{folder}" "$root{folder}"; ' for folder in shared)
    script += 'exec chroot "$root" "$@"'
    return ["unshare", "--mount", "--propagation=private", "sh", "-ec", script, "sh", str(root), *command]
