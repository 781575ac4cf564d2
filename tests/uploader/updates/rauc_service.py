"""A real `rauc service` on a session bus of its own. DBUS_STARTER_BUS_TYPE is RAUC's own switch for tests."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.uploader.updates.bundles import Box

PATIENCE_S = 60.0


@contextmanager
def private_bus() -> Iterator[dict[str, str]]:
    """A session bus; yields the environment by which programs find it."""
    bus = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert bus.stdout is not None
        address = bus.stdout.readline().strip()
        assert address, "dbus-daemon did not start"
        yield {"DBUS_SESSION_BUS_ADDRESS": address, "DBUS_STARTER_BUS_TYPE": "session"}
    finally:
        bus.terminate()
        bus.communicate(timeout=10)


@contextmanager
def rauc_service(box: Box, bus: dict[str, str]) -> Iterator[None]:
    """RAUC's service for this box, running from slot A."""
    environ = os.environ | bus
    with (box.folder / "rauc.log").open("ab") as log:
        service = subprocess.Popen(
            ["rauc", f"--conf={box.conf}", "--override-boot-slot=A", "service"],
            stdout=log,
            stderr=log,
            env=environ,
        )
    try:
        end = time.monotonic() + PATIENCE_S
        while subprocess.run(["rauc", "status"], env=environ, capture_output=True, check=False).returncode:
            living = time.monotonic() < end and service.poll() is None
            assert living, (box.folder / "rauc.log").read_text()
            time.sleep(0.05)
        yield
    finally:
        service.terminate()
        service.wait(10)


def loop_mounts_work(folder: Path) -> bool:
    """Whether RAUC can mount a bundle here: root, loop devices, squashfs."""
    (folder / "tree").mkdir(parents=True)
    (folder / "at").mkdir()
    made = ["mksquashfs", str(folder / "tree"), str(folder / "tree.squashfs"), "-quiet", "-no-progress"]
    if os.geteuid() != 0 or subprocess.run(made, capture_output=True, check=False).returncode:
        return False
    mount = ["mount", "-o", "loop,ro", str(folder / "tree.squashfs"), str(folder / "at")]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        return False
    subprocess.run(["umount", folder / "at"], check=True)
    return True
