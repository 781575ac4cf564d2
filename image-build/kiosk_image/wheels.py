"""The locked Python packages for the image's processor and Python.

What has an aarch64 wheel is taken as it is; pure Python that has none is built here; lgpio, which has none
for this Python, is compiled across in the tool root; systemd-python binds to the system's library and comes
from Debian.
"""

import re
from pathlib import Path

from kiosk_image.roots import inside, shell

PYTHON = "3.13"
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64", "linux_aarch64")
FROM_DEBIAN = "systemd-python"
ACROSS = "lgpio"
PURE_SOURCES = ("pydes",)  #: no wheel at all, and nothing to compile


def pins(requirements: Path) -> dict[str, str]:
    """Name → its lines (version and hashes) of a locked requirements file, without markers."""
    text = "\n".join(
        line
        for line in requirements.read_text(encoding="utf-8").splitlines()
        if not line.lstrip().startswith("#")
    )
    found = {}
    for part in re.split(r"\n(?=[a-z0-9])", text.strip()):
        found[part.partition("==")[0]] = re.sub(r" ; [^\\\n]*(?=\\)", "", part)
    return found


def make_site(out: Path, requirements: Path, pip: Path, tools: Path) -> None:
    """Fill `out/site` with everything that the kiosk imports and Debian does not bring."""
    wanted = pins(requirements)
    wheels = [wanted[name] for name in wanted if name not in (FROM_DEBIAN, ACROSS, *PURE_SOURCES)]
    listed = out / "wheels.txt"
    listed.write_text("\n".join(wheels) + "\n", encoding="utf-8")
    (out / "pure").mkdir()
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--require-hashes"]
    target = [f"--platform={name}" for name in PLATFORMS]
    target += [f"--python-version={PYTHON}", "--implementation=cp", "--abi=cp313", "--abi=abi3", "--abi=none"]
    site = out / "site"
    shell(
        [
            str(pip),
            "install",
            *quiet,
            "--no-compile",
            "--only-binary=:all:",
            *target,
            f"--target={site}",
            "-r",
            str(listed),
        ]
    )
    sources = out / "sources.txt"
    sources.write_text("\n".join(wanted[name] for name in PURE_SOURCES) + "\n", encoding="utf-8")
    shell(
        [str(pip), "wheel", *quiet, "--no-build-isolation", f"--wheel-dir={out / 'pure'}", "-r", str(sources)]
    )
    for wheel in sorted((out / "pure").glob("*-none-any.whl")):
        unpack(pip, wheel, site)
    unpack(pip, _across(out, wanted[ACROSS], pip, tools), site)


def unpack(pip: Path, wheel: Path, site: Path) -> None:
    """Install one wheel file below `site`, whatever processor it is for."""
    target = [f"--platform={p}" for p in PLATFORMS] + [
        "--only-binary=:all:",
        "--no-deps",
        "--no-index",
        "--no-compile",
    ]
    target += [f"--python-version={PYTHON}", "--implementation=cp", "--abi=cp313", "--abi=none"]
    shell(
        [
            str(pip),
            "install",
            "--quiet",
            "--disable-pip-version-check",
            *target,
            f"--target={site}",
            str(wheel),
        ]
    )


def _across(out: Path, pin: str, pip: Path, tools: Path) -> Path:
    """Compile a source package with the cross compiler against the image's own headers."""
    (out / "across").mkdir()
    listed = out / "across.txt"
    listed.write_text(pin + "\n", encoding="utf-8")
    options = [
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
        "--no-build-isolation",
    ]
    shell(
        [
            str(pip),
            "download",
            *options,
            f"--no-binary={ACROSS}",
            f"--dest={out / 'across'}",
            "-r",
            str(listed),
        ]
    )
    [archive] = (out / "across").glob("*.tar.gz")
    shell(["tar", "-xf", str(archive), "-C", str(out / "across"), "--strip-components=1"])
    environment = {
        "PYPI": "1",
        "CC": "aarch64-linux-gnu-gcc",
        "LDSHARED": "aarch64-linux-gnu-gcc -shared",
        "CFLAGS": f"-O2 -I/usr/include/aarch64-linux-gnu/python{PYTHON}",
        "_PYTHON_HOST_PLATFORM": "linux-aarch64",
        "_PYTHON_SYSCONFIGDATA_NAME": "_sysconfigdata__aarch64-linux-gnu",
        "SOURCE_DATE_EPOCH": "1760000000",
    }
    build = f"cd {out / 'across'} && python3 setup.py --quiet bdist_wheel"
    inside(tools, ["sh", "-ec", build], [out], environment)
    [wheel] = (out / "across/dist").glob("*.whl")
    return wheel
