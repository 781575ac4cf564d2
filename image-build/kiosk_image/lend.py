"""Programs of this machine's processor, lent to the arm64 root while Debian's scripts run in it.

Under emulation dpkg, tar, perl and the shell take most of half an hour; what they write is the same on every
processor. The tool root is the same Debian, so its programs stand in for the root's: first in PATH, and where
scripts name them with their whole path. A program is lent only where both roots have its package in the same
version; what tells of the processor (uname), looks at libraries (ldconfig) or is a stand-in of mmdebstrap's
(start-stop-daemon) never is. mmdebstrap(1) calls this module at its hooks; nothing of it stays.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from kiosk_image.roots import make_root, shell

#: Where the tool root is seen from inside, and the folder that comes first in PATH.
PLACE = "native"
PATH = f"/{PLACE}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PACKAGES = (
    "apt",
    "bash",
    "coreutils",
    "dash",
    "debianutils",
    "diffutils",
    "dpkg",
    "findutils",
    "grep",
    "gzip",
    "init-system-helpers",
    "kmod",
    "mawk",
    "openssl",
    "perl-base",
    "python3.13-minimal",
    "sed",
    "systemd",
    "tar",
    "util-linux",
    "xz-utils",
    "zstd",
)
NEVER = {"arch", "uname", "lscpu", "setarch", "start-stop-daemon", "dpkg-architecture", "systemd-detect-virt"}
#: What scripts name with its whole path: dpkg puts the root's own elsewhere for the time, dpkg-divert(1).
DIVERTED = {
    "apt": "usr/lib/apt/apt-extracttemplates",
    "bash": "usr/bin/bash",
    "dash": "usr/bin/dash",
    "perl-base": "usr/bin/perl",
    "python3.13-minimal": "usr/bin/python3.13",
}
INTERPRETERS = {"sh": "dash", "dash": "dash", "bash": "bash", "perl": "perl", "python3": "python3"}
LOADER = "usr/lib64/ld-linux-x86-64.so.2"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
PATH_LINE = "DPkg::Path"
DIVERSIONS = "var/lib/dpkg/diversions"


def make_arm64_root(out: Path, names: Sequence[str], tools: Path) -> None:
    """The kiosk's Debian root in `out/root`."""
    if platform.machine() == "aarch64":
        make_root(out, ["arm64"], names)
        return
    tools = tools.resolve()
    run = f'PYTHONPATH="{Path(__file__).parents[1]}" "{sys.executable}" -m kiosk_image.lend'
    hooks = [f'--{stage}-hook={run} {stage} "{tools}" "$1"' for stage in ("extract", "customize")]
    # mmdebstrap's own calls of dpkg go by PATH, those of apt by apt's.
    first = {"PATH": f"/{PLACE}/bin:{os.environ['PATH']}"}
    make_root(out, ["arm64"], names, [f'--aptopt={PATH_LINE} "{PATH}"', *hooks], first)


def extract(tools: Path, root: Path) -> None:
    """The essential packages' files are there, nothing has run yet."""
    place = root / PLACE
    for name in ("tools", "bin", "held"):
        (place / name).mkdir(parents=True)
    shell(["mount", "--bind", "-o", "ro", str(tools), str(place / "tools")])
    (root / LOADER).parent.mkdir()
    (root / LOADER).symlink_to(f"/{PLACE}/tools/{LOADER}")
    (root / "lib64").symlink_to("usr/lib64")
    (root / LIBRARIES).symlink_to(f"/{PLACE}/tools/{LIBRARIES}")
    diversions = ""
    for package in lent(tools, wanted_versions(os.environ["MMDEBSTRAP_APT_CONFIG"])):
        for program in programs(tools, package) if package != "apt" else ():
            lend(tools, program, place / "bin")
        if program_of := DIVERTED.get(package):
            (root / program_of).unlink(missing_ok=True)
            (root / program_of).symlink_to(f"/{PLACE}/tools/{program_of}")
            diversions += _diversion(package, program_of)
    (root / DIVERSIONS).write_text(diversions, encoding="utf-8")


def customize(tools: Path, root: Path) -> None:
    """All packages are installed: everything goes back."""
    del tools
    for package, program in DIVERTED.items():
        held, lent_one = root / PLACE / "held" / package, root / program
        if held.exists():
            held.replace(lent_one)
        elif lent_one.is_symlink():
            lent_one.unlink()  # of a package that did not come
    for database in (root / DIVERSIONS, root / f"{DIVERSIONS}-old"):
        if database.exists():
            told = database.read_text(encoding="utf-8")
            for package, program in DIVERTED.items():
                told = told.replace(_diversion(package, program), "")
            database.write_text(told, encoding="utf-8")
    shell(["umount", str(root / PLACE / "tools")])
    shutil.rmtree(root / PLACE)
    for name in (LOADER, "lib64", LIBRARIES):
        (root / name).unlink()
    (root / LOADER).parent.rmdir()
    for config in (root / "etc/apt/apt.conf.d").iterdir():
        lines = config.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(PATH_LINE)]
        if kept != lines:
            config.write_text("".join(kept), encoding="utf-8")


def _diversion(package: str, program: str) -> str:
    """As dpkg writes it: name, where it goes, ":" for "asked for by the local administrator"."""
    return f"/{program}\n/{PLACE}/held/{package}\n:\n"


def wanted_versions(apt_config: str) -> dict[str, str]:
    """What mmdebstrap's apt would install now: package to version."""
    asked = ["apt-cache", "show", "--no-all-versions", *PACKAGES]
    listed = shell(asked, environment={"APT_CONFIG": apt_config})
    return dict(_stanza(text) for text in listed.split("\n\n") if text.strip())


def lent(tools: Path, wanted: dict[str, str]) -> list[str]:
    """Packages of the tool root in the very version that the root gets."""
    listed = (tools / "var/lib/dpkg/status").read_text(encoding="utf-8").split("\n\n")
    there = dict(_stanza(text) for text in listed if "\nArchitecture: arm64\n" not in text and text.strip())
    return [name for name in PACKAGES if name in there and there[name] == wanted.get(name)]


def _stanza(text: str) -> tuple[str, str]:
    fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line and line[0] != " ")
    # "+b3" is the same source built once more for one processor.
    return fields["Package"], re.sub(r"\+b\d+$", "", fields["Version"])


def programs(tools: Path, package: str) -> Iterator[Path]:
    """What a package has in the folders of programs."""
    listed = (tools / f"var/lib/dpkg/info/{package}.list").read_text(encoding="utf-8").splitlines()
    for name in listed:
        path = Path(name)
        if path.parent.name in ("bin", "sbin") and path.name not in NEVER:
            yield path


def lend(tools: Path, program: Path, folder: Path) -> None:
    """Put one program into the folder that comes first in PATH."""
    goal, source = folder / program.name, tools / program.relative_to("/")
    inside = f"/{PLACE}/tools{program}"
    if source.is_symlink() and not source.resolve().is_relative_to(tools):
        return  # by way of /etc/alternatives
    goal.unlink(missing_ok=True)  # kmod has its names in bin and in sbin
    data = source.read_bytes()
    if data.startswith(b"#!"):
        first, _, rest = data.partition(b"\n")
        words = first[2:].decode().split()
        name = INTERPRETERS.get(Path(words[0]).name)
        if name is None:
            return
        first_line = " ".join([f"#!/{PLACE}/tools/usr/bin/{name}", *words[1:]])
        goal.write_bytes(first_line.encode() + b"\n" + rest)
        goal.chmod(0o755)
    elif b"\0amd64\0" in data:
        # dpkg's own word for "this processor", which it was built with: it must take arm64 for native.
        goal.write_bytes(data.replace(b"\0amd64\0", b"\0arm64\0"))
        goal.chmod(0o755)
    else:
        goal.symlink_to(inside)


def main(words: Sequence[str]) -> None:
    stage, tools, root = words
    {"extract": extract, "customize": customize}[stage](Path(tools), Path(root))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (OSError, subprocess.SubprocessError, RuntimeError) as fault:
        sys.exit(f"kiosk_image.lend: {fault}")
