"""deploy/appliance/usr/lib/kiosk/open-secret, with the systemd-creds of this machine."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.commands import first_boot
from kiosk.uploader.service.custody import to_pem
from tests.image import host_key
from tests.image.crash import key_faults

APPLIANCE = Path(__file__).resolve().parents[2] / "deploy" / "appliance"
SCRIPT = APPLIANCE / "usr/lib/kiosk/open-secret"
OURS = Path("/etc/machine-id")  #: the test has no namespace of its own: it takes this machine's

needs_creds = pytest.mark.skipif(
    shutil.which("systemd-creds") is None or not OURS.exists() or not OURS.read_bytes().strip(),
    reason="no systemd-creds here, or no machine id",
)


@dataclass
class Secret:
    folder: Path
    opened: Path

    def open(self, machine_id: Path = OURS) -> subprocess.CompletedProcess[str]:
        words = [str(SCRIPT), str(self.folder), str(self.opened), str(machine_id)]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)

    def fresh_start(self) -> None:
        """What lay in memory is gone."""
        self.opened.unlink(missing_ok=True)


@pytest.fixture
def secret(tmp_path: Path) -> Secret:
    return Secret(tmp_path / "kiosk-secret", tmp_path / "run" / "kiosk.device")


@needs_creds
def test_a_secret_is_made_once_and_opened_at_every_start(secret: Secret) -> None:
    done = secret.open()
    assert done.returncode == 0, done.stderr
    first = secret.opened.read_text(encoding="ascii")
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert secret.opened.stat().st_mode & 0o077 == 0
    for path in secret.folder.iterdir():
        assert path.stat().st_mode & 0o077 == 0
        assert first.encode() not in path.read_bytes()
    assert first not in done.stdout + done.stderr
    secret.fresh_start()
    assert secret.open().returncode == 0
    assert secret.opened.read_text(encoding="ascii") == first
    assert host_key.opened(secret.folder) == first.encode(), "a thief with both files opens it as well"


@needs_creds
def test_the_crash_campaign_knows_a_key_that_opens_from_one_that_does_not(secret: Secret) -> None:
    assert secret.open().returncode == 0
    key = ec.generate_private_key(ec.SECP256R1())
    sealed = to_pem(key, secret.opened.read_bytes())
    assert key_faults(sealed, secret.folder) == []
    [fault] = key_faults(to_pem(key, b"the secret of another device"), secret.folder)
    assert "does not open it" in fault


@needs_creds
def test_two_devices_have_two_secrets(tmp_path: Path) -> None:
    two = [Secret(tmp_path / name, tmp_path / name / "opened") for name in ("one", "two")]
    assert [each.open().returncode for each in two] == [0, 0]
    assert two[0].opened.read_bytes() != two[1].opened.read_bytes()


@needs_creds
@pytest.mark.parametrize("left", [["host.key"], ["host.key", "device.sealed.new"], ["torn host.key"]])
def test_a_power_cut_while_it_is_made_is_made_good(secret: Secret, left: list[str]) -> None:
    assert secret.open().returncode == 0
    (secret.folder / "device.sealed").unlink()
    secret.fresh_start()
    if "host.key" not in left:
        (secret.folder / "host.key").chmod(0o600)
        (secret.folder / "host.key").write_bytes(b"")
    if "device.sealed.new" in left:
        (secret.folder / "device.sealed.new").write_bytes(b"half")
    tries = [secret.open().returncode for _ in range(2)]  # the unit that wants it is started again
    assert 0 in tries, tries
    assert host_key.opened(secret.folder) == secret.opened.read_bytes()
    assert {path.name for path in secret.folder.iterdir()} == {"host.key", "device.sealed"}


@needs_creds
@pytest.mark.parametrize("name", ["host.key", "device.sealed"])
def test_what_cannot_be_opened_is_kept_and_said_with_what_to_do(secret: Secret, name: str) -> None:
    assert secret.open().returncode == 0
    sealed = (secret.folder / "device.sealed").read_bytes()
    if name == "host.key":
        (secret.folder / name).unlink()
    else:
        (secret.folder / name).write_bytes(sealed[:20] + b"AAAA" + sealed[24:])
    kept = (secret.folder / "device.sealed").read_bytes()
    done = secret.open()
    assert done.returncode == 1
    assert "new activation code" in done.stdout
    assert not secret.opened.exists(), "not what another start left"
    assert (secret.folder / "device.sealed").read_bytes() == kept


@needs_creds
def test_under_another_machine_id_the_host_key_is_not_touched(secret: Secret, tmp_path: Path) -> None:
    assert secret.open().returncode == 0
    before = (secret.folder / "host.key").read_bytes()
    other = tmp_path / "machine-id"
    other.write_text("0123456789abcdef0123456789abcdef\n", encoding="ascii")
    assert secret.open(other).returncode == 1
    assert (secret.folder / "host.key").read_bytes() == before


def test_script_units_and_first_boot_mean_the_same_places() -> None:
    script = SCRIPT.read_text(encoding="utf-8")
    unit = (APPLIANCE / "usr/lib/systemd/system/kiosk-secret.service").read_text(encoding="utf-8")
    [folder] = re.findall(r"(?m)^folder=\$\{1:-(.+)\}$", script)
    [opened] = re.findall(r"(?m)^opened=\$\{2:-(.+)\}$", script)
    [machine_id] = re.findall(r"(?m)^id=\$\{3:-(.+)\}$", script)
    assert (Path(folder) / "device.sealed", Path(opened)) == (first_boot.SEALED, first_boot.OPENED)
    assert f"BindReadOnlyPaths={machine_id}:/etc/machine-id" in unit
    assert f"ReadWritePaths={folder} {Path(opened).parent}" in unit
    assert re.fullmatch("[0-9a-f]{32}\n", (APPLIANCE / machine_id[1:]).read_text(encoding="ascii"))
    dropin = APPLIANCE / "etc/systemd/system/kiosk-uploader.service.d/secret.conf"
    assert f"LoadCredential={first_boot.OPENED.name}\n" in dropin.read_text(encoding="utf-8")
    made = (APPLIANCE / "usr/lib/tmpfiles.d/kiosk-appliance.conf").read_text(encoding="utf-8")
    for path in (folder, Path(opened).parent):
        assert f"\nd {path} 0700 root root -\n" in made
