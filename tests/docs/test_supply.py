"""The parts list holds everything once, and a vulnerability check that could not check is a failure."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATUS = """\
Package: libusb-1.0-0
Status: install ok installed
Architecture: arm64
Version: 2:1.0.28-1

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1.0
"""


BOOT = """\
Package: u-boot-rpi
Source: u-boot
Version: 2025.01-3+deb13u1
Architecture: arm64
Description: U-Boot for the Raspberry Pi
 Version: of a text that only looks like a field
"""


def sbom(supply: Path, root: Path, out: Path) -> dict[str, Any]:
    target = ("--python", "3.13", "--machine", "aarch64", "--unpacked", str(root.with_name("control")))
    command = [str(supply), "requirements/sbom", "--out", str(out), "--root", str(root), *target]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=300)
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def test_the_parts_list_names_every_part_once_with_its_address(supply: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "var/lib/dpkg/updates").mkdir(parents=True)
    (root / "var/lib/dpkg/status").write_text(STATUS, encoding="utf-8")
    (root / "etc").mkdir()
    (root / "etc/os-release").write_text('ID=debian\nVERSION_ID="13"\n', encoding="utf-8")
    (tmp_path / "control/u-boot-rpi").mkdir(parents=True)
    (tmp_path / "control/u-boot-rpi/control").write_text(BOOT, encoding="utf-8")
    parts = sbom(supply, root, tmp_path / "sbom.cdx.json")
    assert (parts["bomFormat"], parts["specVersion"]) == ("CycloneDX", "1.6")
    addresses = [part["purl"] for part in parts["components"]]
    assert len(set(addresses)) == len(addresses)
    lock = (ROOT / "requirements/run.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9._-]+)==(\S+)(.*)$", lock, re.MULTILINE)
    for name, version, marker in pins:
        there = f"pkg:pypi/{name}@{version}" in addresses
        assert there is ("< '3.13'" not in marker), name
    assert "pkg:deb/debian/libusb-1.0-0@2:1.0.28-1?arch=arm64&distro=debian-13" in addresses
    assert "pkg:deb/debian/u-boot-rpi@2025.01-3%2Bdeb13u1?arch=arm64&distro=debian-13" in addresses
    assert "pkg:npm/smol-toml@1.5.2" in addresses
    assert not any("gone" in address for address in addresses)
    hashed = [part for part in parts["components"] if part["purl"].startswith("pkg:pypi/requests@")]
    [pin] = re.findall(r"^requests==.*(?:\n    --hash=.*)*", lock, re.MULTILINE)
    listed = json.dumps(hashed)
    assert all(digest in listed for digest in re.findall(r"sha256:([0-9a-f]{64})", pin))
    again = tmp_path / "again.cdx.json"
    sbom(supply, root, again)
    assert again.read_bytes() == (tmp_path / "sbom.cdx.json").read_bytes()


def test_every_file_that_the_code_reads_is_installed_with_it() -> None:
    """A folder without `__init__.py` is a package to setuptools as well, so the name alone decides."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["*"]
    command = ["git", "ls-files", "kiosk"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    files = [Path(line) for line in listed if not line.endswith(".py")]
    assert len(files) > 20
    assert [str(file) for file in files if not any(file.match(pattern) for pattern in patterns)] == []


# ---- could not check ---------------------------------------------------------------------------------------

LOCK = """\
click==8.5.1 \\
    --hash=sha256:00
lgpio==0.2.2 ; python_full_version < '3.13' and platform_machine == 'aarch64' \\
    --hash=sha256:01
"""
CLEAN = [
    {"name": "click", "version": "8.5.1", "vulns": []},
    {"name": "lgpio", "version": "0.2.2", "vulns": []},
]
BAD = {"name": "click", "version": "8.5.1", "vulns": [{"id": "PYSEC-0000-1", "fix_versions": ["9.0"]}]}
SKIPPED = {"name": "lgpio", "skip_reason": "Dependency not found and could not be audited"}


def checked(tmp_path: Path, script: str) -> subprocess.CompletedProcess[str]:
    """The check with a program of ours in pip-audit's place."""
    program = tmp_path / "pip-audit"
    program.write_text(f"#!{sys.executable}\nimport json, sys\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    lock = tmp_path / "lock.txt"
    lock.write_text(LOCK, encoding="utf-8")
    command = [
        sys.executable,
        "requirements/vulnerabilities",
        "--lock",
        str(lock),
        "--pip-audit",
        str(program),
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def answering(*parts: dict[str, Any], code: int = 0) -> str:
    return f"print(json.dumps({{'dependencies': {list(parts)!r}}})); sys.exit({code})"


def test_what_was_all_looked_at_and_is_clean_is_said_to_be(tmp_path: Path) -> None:
    done = checked(tmp_path, answering(*CLEAN))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "2 Python packages: nothing is known\n"


def test_every_pin_is_asked_about_also_those_of_the_box_alone(tmp_path: Path) -> None:
    checked(tmp_path, f"open({str(tmp_path / 'asked')!r}, 'w').write(open(sys.argv[-1]).read())")
    asked = (tmp_path / "asked").read_text(encoding="utf-8")
    assert asked == LOCK.replace("; python_full_version < '3.13' and platform_machine == 'aarch64' ", "")


def test_a_known_vulnerability_is_named(tmp_path: Path) -> None:
    done = checked(tmp_path, answering(BAD, CLEAN[1], code=1))
    assert done.returncode == 1
    assert "click 8.5.1: PYSEC-0000-1, mended in: 9.0" in done.stderr


@pytest.mark.parametrize(
    "script",
    [
        answering(CLEAN[0], SKIPPED),  # what pip-audit says, with exit code 0, when it reaches nobody
        answering(SKIPPED, SKIPPED | {"name": "click"}),
        answering(BAD, SKIPPED, code=1),
        answering(CLEAN[0]),
        answering(),
        "print('No known vulnerabilities found')",
        "print('[]')",
        "sys.exit('ConnectionError: no route to the advisory service')",
    ],
    ids=[
        "one skipped",
        "all skipped",
        "known and skipped",
        "one absent",
        "empty",
        "prose",
        "no object",
        "crash",
    ],
)
def test_could_not_check_is_a_failure(tmp_path: Path, script: str) -> None:
    done = checked(tmp_path, script)
    assert done.returncode == 2
    assert "COULD NOT CHECK" in done.stderr
    assert "nothing is known" not in done.stdout


def test_without_the_program_nothing_was_checked(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(LOCK, encoding="utf-8")
    command = [
        sys.executable,
        "requirements/vulnerabilities",
        "--lock",
        str(lock),
        "--pip-audit",
        "/no/where",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2


def test_debian_packages_are_judged_alike(tmp_path: Path) -> None:
    lock, fake = tmp_path / "lock.txt", tmp_path / "fake"
    lock.write_text(LOCK, encoding="utf-8")
    fake.write_text(f"#!{sys.executable}\nimport json\n{answering(*CLEAN)}\n".replace("sys.exit(0)", ""))
    fake.chmod(0o755)
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text(STATUS, encoding="utf-8")
    command = [sys.executable, "requirements/vulnerabilities", "--lock", str(lock), "--pip-audit", str(fake)]
    for debsecan, code in (("true", 0), ("false", 2), ("/no/where", 2)):
        more = ["--root", str(tmp_path), "--debsecan", debsecan]
        done = subprocess.run([*command, *more], cwd=ROOT, capture_output=True, timeout=120, check=False)
        assert done.returncode == code, debsecan
