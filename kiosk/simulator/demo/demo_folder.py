"""One demo's folder: keys, trust folder, settings, enrolment. Made once, used again."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kiosk.qualification.terms import Mode
from kiosk.simulator.tokens.hierarchy import default_folder, ensure_hierarchy

INSTITUTION = "1312345670"  #: invented
TERMINAL = "DEMO-1"
ACTIVATION_CODE = "100200300400"
STAFF_NUMBER, STAFF_PASSCODE = "1001", "246810"  #: the demo's invented member of staff
PIN = "1234"  #: of the virtual card and phone

#: Waits short enough to watch a story, long enough for a busy machine.
QUICK: Mapping[str, float] = {
    "patient_s": 5.0,
    "still_there_s": 1.0,
    "too_early_s": 4.0,
    "reading_s": 12.0,
    "commit_s": 8.0,
    "answer_s": 8.0,
    "verified_s": 30.0,
    "recorded_s": 30.0,
    "not_confirmed_s": 30.0,
    "staff_s": 30.0,
    "reader_grace_s": 0.6,
    "touch_guard_s": 0.01,
}


@dataclass(frozen=True)
class DemoFolder:
    """Where everything of one demo lies."""

    folder: Path
    board: Path
    timing: Mapping[str, float]
    passcode: str  #: hashed
    trust: Path
    service_name: str = "simulator"
    handover: Path | None = None  #: where verified answers are handed over

    @property
    def field(self) -> Path:
        return self.folder / "field.sock"

    @property
    def service_control(self) -> Path:
        return self.folder / "service.sock"

    @property
    def story_socket(self) -> Path:
        return self.folder / "story.sock"

    @property
    def service_folder(self) -> Path:
        return self.folder / "service"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    def settings(self, mode: Mode) -> Path:
        return self.folder / f"{mode.value}.toml"

    def write_settings(self, port: int, *, fullscreen: bool = False) -> None:
        """Write one settings file per mode, for a service at this port."""
        for mode in Mode:
            self.settings(mode).write_text(self._settings(mode, port, fullscreen), encoding="utf-8")

    def _settings(self, mode: Mode, port: int, fullscreen: bool) -> str:
        timing = "\n".join(f"{name} = {seconds}" for name, seconds in self.timing.items())
        return f"""\
# Written by `kiosk demo`; the clinic's own file is explained in deploy/kiosk.toml.example.
[run]
folder = "run"

[clinic]
name = "さくら通りクリニック"
institution = "{INSTITUTION}"
terminal = "{TERMINAL}"

[visit]
mode = "{mode.value}"
languages = ["ja", "ja@easy", "en"]
offer_as_registered = {"true" if mode is Mode.HOME_CONSENT else "false"}

[timing]
{timing}

[reader]
device = "virtual:{self.field.name}"
trust = {json.dumps(str(self.trust))}

[screen]
fullscreen = {"true" if fullscreen else "false"}
sound = false

[indicators]
board = {json.dumps(str(self.board))}

[service]
name = "{self.service_name}"
url = "https://127.0.0.1:{port}"
ca = "service-ca.pem"
certificate = "terminal.pem"
key = "terminal.key"
timeout_s = 5

[outbox]
path = "outbox.sqlite"
retry_base_s = 0.2
retry_cap_s = 1.0

[clock]
trust_file = "clock-is-trusted"

[handover]
folder = {json.dumps("none" if self.handover is None else str(self.handover))}
share = false

[[staff]]
number = "{STAFF_NUMBER}"
passcode = "{self.passcode}"
"""


def prepare(
    folder: Path, board: Path, timing: Mapping[str, float], handover: Path | None = None
) -> DemoFolder:
    """Make the folder and the token hierarchy; what the service gives follows when it runs."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(stat.S_IRWXU)
    hierarchy = ensure_hierarchy(default_folder())
    passcode = run_kiosk("provision", "passcode", stdin=STAFF_PASSCODE + "\n").strip()
    (folder / "clock-is-trusted").touch()
    if handover is not None:
        handover.mkdir(parents=True, exist_ok=True)
        handover = handover.resolve()
    return DemoFolder(folder, board, timing, passcode, hierarchy.trust, handover=handover)


def enrol(place: DemoFolder, ca: Path, enrol_port: int) -> None:
    """Get the terminal's certificate as the clinic would, unless it is there already."""
    (place.folder / "service-ca.pem").write_bytes(ca.read_bytes())
    run_kiosk(
        "provision",
        "enrol",
        "--config",
        str(place.settings(Mode.HOME_CONSENT)),
        "--code",
        ACTIVATION_CODE,
        "--enrolment-url",
        f"https://127.0.0.1:{enrol_port}",
    )


def kiosk_argv(*words: str) -> list[str]:
    """A kiosk command for this very interpreter."""
    return [sys.executable, "-m", "kiosk", *words]


def run_kiosk(*words: str, stdin: str = "") -> str:
    """Run a kiosk command to its end; raises CalledProcessError with what it said."""
    done = subprocess.run(
        kiosk_argv(*words), input=stdin, capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    if done.returncode != 0:
        raise RuntimeError(f"kiosk {words[0]}: {done.stderr.strip()}")
    return done.stdout
