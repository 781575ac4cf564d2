"""A bare Debian in a folder: how it is made, what it is told of this machine, how a program runs in it.

It gets this machine's mirror, package index, proxies and certificates, so that no address stands in the
repository. Python's standard library is enough for all of it: whoever runs it has no environment yet.
"""

import configparser
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from kiosk_image.roots import make_bare_root, shell
from kiosk_image.steps import Step

SUITES = ("trixie", "bookworm")
#: All that somebody new has before they clone the repository.
PACKAGES = ("git", "make", "python3", "ca-certificates")
CERTIFICATES = Path("/usr/local/share/ca-certificates")
#: Names and addresses of this network; Debian may have a link to a file that is not there yet.
NETWORK = (Path("/etc/resolv.conf"), Path("/etc/hosts"))
APT_CONFIGURATION = "etc/apt/apt.conf.d/90this-machine"
APT_PASSED_ON = ("Acquire::http::", "Acquire::https::")
PASSED_ON = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")  #: what environment variables begin with
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#: The folder becomes the root of a mount and a process namespace: what is mounted goes with the last process,
#: and what a test leaves running ends with it. pivot_root(2) and not chroot(2), after which neither user
#: namespaces nor private mounts would be allowed. The shell stays: the first process has to see others off.
START = """
root=$1 command=$2; shift 2
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
for path; do
    mount --bind "$path" "$root$path"
    mount -o remount,bind,ro "$root$path"
done
cd "$root"
pivot_root . mnt
cd /
umount --lazy /mnt
sh -ec "$command"
"""


def bare_root(suite: str) -> Step:
    """The root as Debian leaves it, kept like the steps of the image."""
    return Step(
        f"bare-{suite}",
        (" ".join(PACKAGES),),
        (),
        lambda out, _: make_bare_root(out, suite, PACKAGES),
    )


def tell_of_this_machine(root: Path) -> list[Path]:
    """Write into `root` what this machine knows of the network; returns what is to be seen in it as well."""
    for path in NETWORK:
        goal = root / path.relative_to("/")
        goal.unlink(missing_ok=True)
        shutil.copyfile(path, goal)
    (root / APT_CONFIGURATION).write_text(apt_configuration(), encoding="utf-8")
    for path in CERTIFICATES.rglob("*.crt"):
        copy(path, root)
    run(root, "update-ca-certificates >/dev/null 2>&1")
    files = pip_files(os.environ, Path.home())
    for path in files:
        copy(path, root, Path.home())
    named = {path for text in (*values(files), *environment().values()) for path in paths_in(text)}
    return sorted(path for path in named if path.exists() and not inside(root, path).exists())


def apt_configuration() -> str:
    """How this machine's apt reaches its mirror: the proxy, if there is one."""
    lines = shell(["apt-config", "dump"]).splitlines()
    return "".join(f"{line}\n" for line in lines if line.startswith(APT_PASSED_ON))


def environment() -> dict[str, str]:
    """The variables of this machine that a newcomer on it would have as well."""
    return {name: value for name, value in os.environ.items() if name.upper().startswith(PASSED_ON)}


def pip_files(environ: Mapping[str, str], home: Path) -> list[Path]:
    """The configuration files of pip that are there (pip's user guide, "Configuration")."""
    folders = [Path(each) for each in environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":") if each]
    user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    places = [
        *(folder / "pip/pip.conf" for folder in folders),
        Path("/etc/pip.conf"),
        home / ".pip/pip.conf",
        user / "pip/pip.conf",
    ]
    return [path for path in places if path.is_file()]


def values(files: Sequence[Path]) -> Iterator[str]:
    """What the configuration files say."""
    for file in files:
        read = configparser.RawConfigParser()
        read.read(file, encoding="utf-8")
        for section in read.sections():
            yield from read[section].values()


def paths_in(text: str) -> Iterator[Path]:
    """Files and folders that a setting names, as a path or as an address.

    The pages of an index (PEP 503) lie in a folder "simple" and link to files beside it: all of it is needed.
    """
    for word in text.split():
        if word.startswith("/"):
            yield Path(word)
        elif word.startswith("file://"):
            path = Path(urlsplit(word).path)
            yield path.parent if path.name == "simple" else path


def inside(root: Path, path: Path, home: Path | None = None) -> Path:
    """Where a path of this machine is in `root`: what is below `home` here is below root's home there."""
    if home is not None and path.is_relative_to(home):
        return root / "root" / path.relative_to(home)
    return root / path.relative_to("/")


def copy(path: Path, root: Path, home: Path | None = None) -> None:
    """The same file at the same place in `root`."""
    goal = inside(root, path, home)
    goal.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, goal)


def run(root: Path, command: str, seen: Sequence[Path] = (), **variables: str) -> int:
    """Run a command line as root of `root`, with the paths `seen` read-only in it; returns its exit code."""
    for path in seen:
        goal = inside(root, path)
        goal.parent.mkdir(parents=True, exist_ok=True)
        goal.mkdir(exist_ok=True) if path.is_dir() else goal.touch()
    words = ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child"]
    words += ["sh", "-ec", START, "sh", str(root), command, *map(str, seen)]
    own = {"HOME": "/root", "PATH": PATH, "LANG": "C.UTF-8", **environment(), **variables}
    return subprocess.run(words, env=own, stdin=subprocess.DEVNULL, check=False).returncode
