"""`kiosk doctor`: names every part, finds what was broken on purpose, says how to mend it."""

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.channel import CheckItem, CheckResult
from kiosk.health import installed
from kiosk.health.finding import PartFinding, PartState
from kiosk.health.sentences import SENTENCES, of_check
from kiosk.simulator.service.service_pki import make_client
from kiosk.simulator.tokens.hierarchy import default_folder, ensure_hierarchy
from tests.simulator.service.running import RunningService
from tests.uploader.world import INSTITUTION, TERMINAL, RunningUploader, Token, running_uploader, write_config

PARTS = {
    "settings",
    "packages",
    "fonts",
    "trust",
    "modules",
    "wiring",
    "display",
    "users",
    "updates",
    "reader",
    "uploader",
    "line",
    "clock",
    "certificate",
    "outbox",
    "disk",
}


def doctor(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kiosk", "doctor", "--config", str(config), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def reported(config: Path, *words: str) -> dict[str, dict[str, Any]]:
    done = doctor(config, "--json", *words)
    document = json.loads(done.stdout)
    parts = {part["part"]: part for part in document["parts"]}
    assert document["schema"] == 1
    assert document["ok"] is (done.returncode == 0) is all(p["state"] != "fault" for p in parts.values())
    for part in parts.values():
        assert set(part) == {"part", "state", "word", "say", "mend"}
        assert bool(part["mend"]) is bool(part["word"]) is (part["state"] == "fault"), part
    return parts


@pytest.fixture
def config(service_process: RunningService, tmp_path: Path) -> Path:
    client = make_client(service_process.files, tmp_path / "client", INSTITUTION, TERMINAL)
    trust = ensure_hierarchy(default_folder()).trust
    made = write_config(
        tmp_path, service_process.url, service_process.files.ca, client.certificate, client.key
    )
    with made.open("a", encoding="utf-8") as file:
        file.write(f'[reader]\ntrust = "{trust}"\n[clock]\ntrust_file = "synchronized"\n')
    (tmp_path / "synchronized").touch()
    return made


@pytest.fixture
def uploader(config: Path, token: Token) -> Iterator[RunningUploader]:
    with running_uploader(config, token) as running:
        running.wait_for_log("requests are sealed to key")
        yield running


def test_every_word_of_the_daily_check_has_its_sentence_and_its_cure() -> None:
    text = inspect.getdoc(CheckItem)  # without the source's indentation, which Python 3.13 leaves out itself
    assert text is not None
    listed: set[tuple[str, str]] = set()
    part = ""
    for line in text.splitlines():
        if found := re.match(r"(\w+): ", line):
            part = found[1]
        listed |= {(part, word) for word in re.findall(r'"(\w+)"', line)}
    assert set(SENTENCES) == listed
    for item in listed:
        [finding] = of_check_item(*item)
        assert finding.state is PartState.FAULT
        assert finding.mend


def of_check_item(part: str, word: str) -> list[PartFinding]:
    return of_check(CheckResult(parts=(CheckItem(part=part, fault=word, value=3.0),)))


def test_a_word_that_only_a_newer_uploader_knows_is_shown() -> None:
    [finding] = of_check_item("flux", "de_phased")
    assert (finding.part, finding.text, finding.state) == ("flux", "de phased", PartState.FAULT)


def test_a_kiosk_that_does_not_run(config: Path) -> None:
    parts = reported(config)
    assert set(parts) >= PARTS
    assert parts["settings"]["state"] == "ok"
    assert (parts["reader"]["word"], parts["uploader"]["word"]) == ("absent", "absent")
    assert "systemctl start kiosk-reader" in parts["reader"]["mend"]
    assert parts["line"]["state"] == "unknown"


def test_a_running_uploader_and_its_drill(uploader: RunningUploader) -> None:
    parts = reported(uploader.config, "--drill")
    for name in ("uploader", "line", "clock", "certificate", "outbox", "disk", "drill", "trust", "packages"):
        assert parts[name]["state"] == "ok", parts[name]
    done = doctor(uploader.config)
    assert done.returncode == 1
    assert done.stderr == "Error: to be mended: reader\n"
    assert re.search(r"^FAULT reader +the reader process does not answer$", done.stdout, re.MULTILINE)
    assert re.search(r"^ +→ systemctl start kiosk-reader", done.stdout, re.MULTILINE)


def test_what_is_broken_is_found(uploader: RunningUploader, tmp_path: Path) -> None:
    (tmp_path / "synchronized").unlink()
    settings = uploader.config.read_text(encoding="utf-8")
    settings = re.sub(r'trust = ".*"', f'trust = "{tmp_path}/nowhere"', settings)
    settings += '[indicators]\nboard = "nowhere.toml"\n'
    uploader.config.write_text(settings.replace('folder = "run"', 'folder = "run"\nusers = ["nobody-there"]'))
    parts = reported(uploader.config)
    assert parts["clock"]["word"] == "untrusted"
    assert parts["trust"]["word"] == "unusable"
    assert parts["wiring"]["word"] == "unusable"
    assert "nobody-there" in parts["users"]["say"]


def test_settings_that_cannot_be_read_are_named_and_nothing_else_is_guessed(tmp_path: Path) -> None:
    (tmp_path / "kiosk.toml").write_text('[clinic]\nname = "x"\ninstitution = "12"\n', encoding="utf-8")
    done = doctor(tmp_path / "kiosk.toml", "--json")
    parts = json.loads(done.stdout)["parts"]
    assert {part["part"] for part in parts} == {"settings"}
    assert any("clinic.institution" in part["say"] for part in parts)
    assert done.returncode == 1


def test_a_kernel_driver_on_the_reader(tmp_path: Path) -> None:
    modules = tmp_path / "modules"
    modules.write_text("pn533_usb 20480 0 - Live 0x0\next4 1 1 - Live 0x0\n", encoding="ascii")
    found = installed.modules(modules)
    assert (found.word, found.mend) == ("loaded", "rmmod pn533_usb; install firmware/kiosk-blacklist.conf")
    modules.write_text("ext4 1 1 - Live 0x0\n", encoding="ascii")
    assert installed.modules(modules).state is PartState.OK
    assert installed.modules(tmp_path / "none").state is PartState.UNKNOWN
