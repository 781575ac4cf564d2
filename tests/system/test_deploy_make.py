"""`make` on a fresh machine: which system packages it asks for, and what it says where it cannot."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "dirname", "tr", "cat", "mktemp", "rm", "env", "touch", "mkdir")

RUN = {"gcc", "pkg-config", "libsystemd-dev", "libusb-1.0-0", "fonts-morisawa-bizud-gothic", "fonts-noto-cjk"}
TEST = {
    "opensc",
    "opensc-pkcs11",
    "pcscd",
    "vsmartcard-vpcd",
    "openssl",
    "nginx",
    "chromium",
    "zbar-tools",
    "rauc",
    "squashfs-tools",
    "dbus-daemon",
    "e2fsprogs",
    "device-tree-compiler",
    "systemd",
    "prometheus",
    "xvfb",
    "xdotool",
}


class Machine:
    """A search path with stand-ins: which packages it has, whether apt works, who we are."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.log = folder / "apt.log"
        self.bin.mkdir()
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found, tool
            (self.bin / tool).symlink_to(found)
        self.has_python()
        self.user(0)

    def program(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)

    def has_python(self, *, venv: bool = True) -> None:
        """A stand-in that answers the script's questions: a Debian python3.11 with or without its venv."""
        self.program(
            "python3",
            f"""case "$2" in
                *_base_executable*) echo {self.bin}/python3 ;;
                *version_info*) echo python3.11 ;;
                *ensurepip*) exit {0 if venv else 1} ;;
            esac""",
        )

    def apt(self, installed: set[str], *, works: bool = True) -> None:
        words = "|".join(sorted(installed)) or "none"
        self.program("dpkg-query", f'case "$4" in {words}) printf installed ;; *) exit 1 ;; esac')
        end = "exit 0" if works else "echo 'E: no such archive' >&2; exit 100"
        self.program("apt-get", f'echo "$@" >> {self.log}; {end}')

    def user(self, uid: int) -> None:
        self.program("id", f"echo {uid}")

    def run(self, what: str, python: str = "") -> subprocess.CompletedProcess[str]:
        command = [str(ROOT / "requirements" / "system-packages"), what]
        environment = {"PATH": str(self.bin), "TMPDIR": str(self.bin), "PYTHON": python}
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=60, env=environment
        )

    def calls(self) -> list[list[str]]:
        return [line.split() for line in self.log.read_text().splitlines()] if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_nothing_is_said_or_fetched_where_nothing_is_missing(machine: Machine) -> None:
    machine.apt(RUN | TEST)
    done = machine.run("test")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.calls() == []


def test_only_what_is_missing_is_installed_with_one_line(machine: Machine) -> None:
    machine.apt(RUN - {"gcc", "fonts-noto-cjk"})
    done = machine.run("run")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Installing system packages: gcc fonts-noto-cjk\n"
    update, install = machine.calls()
    assert update[0] == "update"
    assert install[0] == "install"
    assert install[-2:] == ["gcc", "fonts-noto-cjk"]


def test_the_tests_need_more_than_the_demo(machine: Machine) -> None:
    machine.apt(RUN)
    assert machine.run("run").stdout == ""
    assert set(machine.run("test").stdout.removeprefix("Installing system packages:").split()) == TEST


def test_the_venv_of_debians_python_is_a_package(machine: Machine) -> None:
    machine.apt(RUN)
    machine.has_python(venv=False)
    assert machine.run("run").stdout == "Installing system packages: python3.11-venv\n"


def test_without_any_python_it_is_installed(machine: Machine) -> None:
    machine.apt(RUN)
    done = machine.run("run", python="no-such-python")
    assert done.stdout == "Installing system packages: python3 python3-venv python3-dev\n"


def test_neither_root_nor_sudo_says_what_to_run(machine: Machine) -> None:
    machine.apt(RUN - {"gcc"})
    machine.user(1000)
    done = machine.run("run")
    assert done.returncode == 1
    assert done.stderr == "Neither root nor sudo here; as root, please run: apt-get install gcc\n"
    assert machine.calls() == []


def test_sudo_is_used_where_we_are_not_root(machine: Machine) -> None:
    machine.apt(RUN - {"gcc"})
    machine.user(1000)
    machine.program("sudo", '"$@"')
    assert machine.run("run").returncode == 0
    assert [call[0] for call in machine.calls()] == ["update", "install"]


def test_a_failing_apt_is_shown_and_named(machine: Machine) -> None:
    machine.apt(RUN - {"gcc"}, works=False)
    done = machine.run("run")
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["E: no such archive", "apt-get could not install: gcc"]


def test_without_apt_one_line_says_what_is_needed(machine: Machine) -> None:
    done = machine.run("test")
    assert done.returncode != 0  # no compiler either: going on could only fail in a longer way
    assert done.stderr.count("\n") == 1
    for word in ("Python >= 3.11", "libsystemd", "libusb", "BIZ UDPGothic", "OpenSC"):
        assert word in done.stderr


def test_without_apt_it_goes_on_where_what_is_compiled_with_is_there(machine: Machine) -> None:
    machine.program("cc", "")
    machine.program("pkg-config", "")
    done = machine.run("run")
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1


def find_python(chosen: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "requirements" / "find-python")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHON": chosen},
    )


def test_an_old_python_is_not_taken(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)
    done = find_python(str(old))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1


def test_a_new_python_is_taken() -> None:
    done = find_python("")
    assert done.returncode == 0
    assert Path(done.stdout.strip()).is_absolute()


@pytest.mark.parametrize("name", ["run", "demo", "dev", "build"])
def test_locked_requirements_have_hashes_and_no_index_address(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    assert "/tmp/" not in text
    blocks = [block for block in text.split("\n") if block and block[0] not in "# "]
    assert blocks
    assert all(block.endswith("\\") and "==" in block for block in blocks)


def test_the_locked_files_agree() -> None:
    def versions(name: str) -> set[str]:
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        return {line.split(" ")[0] for line in text.splitlines() if line and line[0] not in "# "}

    assert versions("build") <= versions("run") <= versions("demo") <= versions("dev")
