"""The counter around a kiosk in QEMU: the service on the host, the reader on its USB, a card that staff
wrote.
"""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiosk.qualification.terms import Mode
from kiosk.simulator.demo.demo_folder import ACTIVATION_CODE, INSTITUTION, PIN, STAFF_NUMBER, STAFF_PASSCODE
from kiosk.simulator.field.field_client import FieldClient
from kiosk.simulator.service.service_control import ServiceControl
from kiosk.simulator.service.service_pki import prepare_service
from kiosk.simulator.tokens.hierarchy import default_folder, ensure_hierarchy
from tests.image.golden import BANNER, Golden
from tests.image.machine import DEBUG_SHELL, Build, Disk, Machine, MachineError, in_tools
from tests.image.usbredir import VirtualStick

HOST = "10.0.2.2"  #: the host, as a guest of QEMU's user network sees it
CLINIC = "さくら通りクリニック"
TERMINAL = "IMAGE-1"
FAT_AT = 4 * 1024 * 1024  #: where the boot partition begins (genimage.cfg: align)
READY_S = 900.0  #: most that a start may take on a loaded machine without KVM
PAGE_S = 180.0  #: most that a picture may take to come
HAND_S = 0.5  #: how long after a new picture a hand touches it; a quicker one is not taken (`touch_guard_s`)
SLOW = {"patient_s": 300, "pin_s": 300, "reading_s": 60, "challenge_s": 30, "commit_s": 60, "answer_s": 90}
REPOSITORY = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Counter:
    """Everything around the box; a context manager. `folder` keeps it all, also between starts of the
    machine.
    """

    build: Build
    folder: Path
    photographs: Path
    again: bool = False  #: the service goes on from where it was in this folder
    ports: tuple[int, int] = field(default_factory=lambda: (free_port(), free_port()))
    #: An emulated processor takes ten times as long as a board, and a busy host makes it longer still.
    timing: str = "\n[timing]\n" + "".join(f"{name} = {seconds}\n" for name, seconds in SLOW.items())
    code: str = ACTIVATION_CODE  #: of the card that was written last; each card has its own
    banner: bool = False  #: pictures may carry the banner of a service that does not answer
    _cards: int = 0
    _stack: ExitStack = field(default_factory=ExitStack)
    _stick: VirtualStick | None = None
    _shots: int = 0

    def __enter__(self) -> "Counter":
        self.folder.mkdir(parents=True, exist_ok=True)
        self.photographs.mkdir(parents=True, exist_ok=True)
        if not self.again:
            shutil.rmtree(self.folder / "service", ignore_errors=True)
        self.hierarchy = ensure_hierarchy(default_folder())
        self.files = prepare_service(self.folder / "service", names=(HOST, "127.0.0.1"))
        self.golden = Golden(CLINIC)
        self._serve()
        self._lay_out_field()
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()
        self._stack.close()

    # ---- the world -------------------------------------------------------------------------------------

    def _serve(self) -> None:
        """The qualification service, on loopback."""
        main, enrol = self.ports
        command = ["simulate", "service", "--folder", str(self.folder / "service"), "--port", str(main)]
        command += ["--enrol-port", str(enrol), "--control", str(self.folder / "service.sock")]
        command += [
            "--institution",
            INSTITUTION,
            "--activation-code",
            ACTIVATION_CODE,
            "--allow-visual",
            TERMINAL,
        ]
        command += ["--token-trust", str(self.hierarchy.trust)]
        self._process(command, "service")
        self.service = ServiceControl(self.folder / "service.sock")

    def _lay_out_field(self) -> None:
        self._process(["simulate", "field", "--socket", str(self.field_path), "--rate", "0"], "field")
        self.hand = self._stack.enter_context(FieldClient(self.field_path))

    def _process(self, command: list[str], name: str) -> None:
        log = (self.folder / f"{name}.log").open("w", encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "kiosk", *command],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=REPOSITORY,
        )
        log.close()
        self._stack.callback(process.wait)
        self._stack.callback(process.terminate)
        assert process.stdout is not None
        if not process.stdout.readline():
            raise RuntimeError(f"{name} did not start: {(self.folder / f'{name}.log').read_text()}")

    @property
    def field_path(self) -> Path:
        return self.folder / "field.sock"

    # ---- the card --------------------------------------------------------------------------------------

    def settings(self, mode: Mode = Mode.HOME_CONSENT, **changes: str) -> str:
        """The card's file as staff would write it, from the file that the image brings."""
        text = (REPOSITORY / "deploy/kiosk.toml.card").read_text(encoding="utf-8")
        main, enrol = self.ports
        wanted = {
            'name = ""                      # 医療': f'name = "{CLINIC}"  # 医療',
            'institution = ""': f'institution = "{INSTITUTION}"',
            'terminal = "K001"': f'terminal = "{TERMINAL}"',
            'mode = "home_consent"': f'mode = "{mode.value}"',
            'name = ""                      # 照会先': 'name = "simulator"  # 照会先',
            'url = ""': f'url = "https://{HOST}:{main}"',
            'enrolment_url = ""': f'enrolment_url = "https://{HOST}:{enrol}"',
            'activation_code = ""': f'activation_code = "{self.code}"',
            'staff_number = ""': f'staff_number = "{STAFF_NUMBER}"',
            'staff_passcode = ""': f'staff_passcode = "{STAFF_PASSCODE}"',
            'trust = "/usr/share/kiosk/trust"': 'trust = "trust"\ncomputing_s = 5',
            'board = "/usr/share/kiosk/board.toml"': 'board = "none"',
            **changes,
        }
        for before, after in wanted.items():
            assert before in text, f"{before} is no longer in the card's file"
            text = text.replace(before, after, 1)
        return text + self.timing

    def write_card(self, disk: Path, text: str | None = None) -> None:
        """Put the settings, the CA and the trust folder on the card's FAT partition. Each card gets a code of
        its own: its key is another one, and a code is good for one key.
        """
        self.code = f"{int(ACTIVATION_CODE) + self._cards:012}"
        self._cards += 1
        self.service.issue_code(INSTITUTION, self.code)
        staged = self.folder / "staged"
        shutil.rmtree(staged, ignore_errors=True)
        (staged / "trust").mkdir(parents=True)
        (staged / "kiosk.toml").write_text(self.settings() if text is None else text, encoding="utf-8")
        shutil.copyfile(self.files.ca, staged / "service-ca.pem")
        for file in sorted(self.hierarchy.trust.iterdir()):
            if file.is_file():
                shutil.copyfile(file, staged / "trust" / file.name)
        names = [str(path) for path in sorted(staged.iterdir())]
        self.tool(["mcopy", "-o", "-s", "-i", f"{disk}@@{FAT_AT}", *names, "::/"], disk.parent)

    def read_card(self, disk: Path, name: str = "kiosk.toml") -> str:
        """A file of the FAT partition."""
        return self.tool(["mtype", "-i", f"{disk}@@{FAT_AT}", f"::/{name}"], disk.parent)

    def fat_file(self, image: Path, name: str) -> bytes | None:
        """A file of a FAT partition in a file of its own; None when it is not there."""
        goal = self.folder / "fat-file"
        goal.unlink(missing_ok=True)
        try:
            self.tool(["mcopy", "-o", "-n", "-i", str(image), f"::/{name}", str(goal)], image.parent)
        except RuntimeError:
            return None
        return goal.read_bytes()

    def copy(self, disk: Path, goal: Path) -> Path:
        """The same card once more."""
        subprocess.run(["cp", "--sparse=always", str(disk), str(goal)], check=True)
        return goal

    def tool(self, command: list[str], *shared: Path) -> str:
        """A program of the tool root."""
        done = subprocess.run(
            in_tools(self.build.tools, command, [self.folder, *shared]),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {done.stderr.strip()}")
        return done.stdout

    def fresh_disk(self, name: str = "card.img", grown_to: str = "8G") -> Path:
        """A card as flashed: the image's bytes on a larger card (a power of two: QEMU's SD controller)."""
        disk = self.copy(self.build.image, self.folder / name)
        subprocess.run(["truncate", "-s", grown_to, str(disk)], check=True)
        return disk

    # ---- the machine -----------------------------------------------------------------------------------

    def machine(self, disk: Path, log: Path | None = None, append: str = DEBUG_SHELL, **more: Any) -> Machine:
        return Machine(self.build, self.folder / "machine", Disk(disk, log), append=append, **more)

    def plug(self, machine: Machine) -> VirtualStick:
        """Put the reader into the machine's USB socket."""
        self.unplug()
        self._stick = VirtualStick(machine.path("nfc.sock"), self.field_path)
        return self._stick

    def unplug(self) -> None:
        if self._stick is not None:
            self._stick.unplug()
            self._stick = None

    # ---- what is seen and touched ----------------------------------------------------------------------

    def photograph(self, machine: Machine, name: str) -> Path:
        """A picture for the report, numbered in the order in which it was taken."""
        self._shots += 1
        return machine.photograph(self.photographs / f"{self._shots:02d}-{name}.png")

    def see(self, machine: Machine, *names: str, limit_s: float = PAGE_S, every_s: float = 1.0) -> str:
        """Wait until the panel shows one of these pictures; keeps the photograph. Raises MachineError."""
        look = machine.path("look.png")
        found: list[str] = []
        wanted = [*names, *(map(self.golden.with_banner, names) if self.banner else ())]

        def there() -> bool:
            machine.photograph(look)
            found[:] = [name for name in wanted if self.golden.shows(name, look)]
            return bool(found)

        try:
            machine.wait(f"the picture {' or '.join(names)}", there, limit_s, every_s=every_s)
        except MachineError as fault:
            self._shots += 1
            kept = self.photographs / f"{self._shots:02d}-not-{names[0]}.png"
            shutil.copyfile(look, kept)
            raise MachineError(f"{fault}; nearest: {self.golden.nearest(look)}; photograph {kept}") from None
        self._shots += 1
        shutil.copyfile(look, self.photographs / f"{self._shots:02d}-{found[0]}.png")
        return found[0].removesuffix(BANNER)

    def press(self, machine: Machine, picture: str, target: str) -> None:
        """Touch something of a picture that is shown, as soon as a hand is there."""
        time.sleep(HAND_S)
        machine.touch(*self.golden.target(picture, target))

    def visit(
        self,
        machine: Machine,
        token: str,
        pin: str = PIN,
        ends: tuple[str, ...] = ("verified",),
        acknowledged: Callable[[], object] = lambda: None,
        asked: Callable[[], object] = lambda: None,
        back: str = "start",
    ) -> str:
        """A whole visit in home_consent, from the start screen to its end and to the page at rest, `back`.
        `asked` is called when the token is asked for, `acknowledged` when the patient sees how it ends.
        """
        self.see(machine, "start")
        self.press(machine, "start", "start")
        self.see(machine, "consent")
        self.press(machine, "consent", "all")
        self.see(machine, "device")
        self.press(machine, "device", token)
        if token != "iphone":
            name = "pin_android_empty" if token == "android" else "pin_empty"
            self._type(machine, name if name in self.golden.pictures else "pin", pin)
        self._hold(machine, token)
        asked()
        self.hand.tap(token)
        try:
            end = self.see(machine, *ends)
            acknowledged()
        finally:
            self.hand.remove()  # a token that is left there stands in the way of the next visit
        self.press(machine, end, "finish")
        self.see(machine, back)
        return end

    def _type(self, machine: Machine, picture: str, pin: str) -> None:
        for digit in pin:
            self.press(machine, picture, f"digit_{digit}")
            time.sleep(1)
        self.photograph(machine, "pin-typed")
        self.press(machine, picture, "ok")

    def _hold(self, machine: Machine, token: str) -> None:
        self.see(machine, {"card": "hold_card", "iphone": "hold_iphone", "android": "hold_android"}[token])
