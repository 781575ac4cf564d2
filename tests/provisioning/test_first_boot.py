"""The first boot: settings in force only when enrolled, secrets wiped, cut off anywhere it goes on."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kiosk.channel.notice_file import from_text
from kiosk.commands.first_boot import UNWRITABLE, command, notice_of
from kiosk.config.passcodes import verify
from kiosk.config.settings import CardFile, Settings, load
from kiosk.provisioning.first_boot_steps import (
    Faulty,
    FirstBootPaths,
    NoCa,
    NoSecret,
    NotEnrolled,
    Ready,
    SecretError,
    first_boot,
)
from kiosk.uploader.identity.enrolment import EnrolmentError

CARD = Path(__file__).resolve().parents[2] / "deploy" / "kiosk.toml.card"
CODE, PASSCODE, WIFI = "100200300400", "246813", "a password of nobody"


class PowerCutError(Exception):
    """The power fails here."""


def written(**changes: str) -> str:
    """The card's file, filled in."""
    text = CARD.read_text(encoding="utf-8")
    wanted = {
        'name = ""                      # 医療': 'name = "架空クリニック"  # 医療',
        'institution = ""': 'institution = "1312345670"',
        'name = ""                      # 照会先': 'name = "simulator"  # 照会先',
        'url = ""                       # 照会先': 'url = "https://service.example"  # 照会先',
        'enrolment_url = ""': 'enrolment_url = "https://service.example:8443"',
        'activation_code = ""': f'activation_code = "{CODE}"',
        'staff_number = ""': 'staff_number = "1001"',
        'staff_passcode = ""': f'staff_passcode = "{PASSCODE}"',
        'wifi_name = ""': 'wifi_name = "clinic"',
        'wifi_password = ""': f'wifi_password = "{WIFI}"',
        **changes,
    }
    for before, after in wanted.items():
        assert before in text
        text = text.replace(before, after, 1)
    return text


@pytest.fixture
def places(tmp_path: Path) -> FirstBootPaths:
    card, kept = tmp_path / "card", tmp_path / "kept"
    card.mkdir()
    kept.mkdir()
    (card / "kiosk.toml").write_text(written(), encoding="utf-8")
    (card / "service-ca.pem").write_text("a certificate", encoding="utf-8")
    return FirstBootPaths(card, kept)


def enrolled(settings: Settings, file: Path, code: str, url: str) -> None:
    assert (settings.clinic.institution, code, url) == ("1312345670", CODE, "https://service.example:8443")


def no_line(_: CardFile) -> None:
    """Nothing to set up here."""


def never(settings: Settings, file: Path, code: str, url: str) -> None:
    raise AssertionError("enrolled although nothing called for it")


def secrets_in(folder: Path) -> list[str]:
    found = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return [secret for secret in (CODE, PASSCODE, WIFI) if secret.encode() in found]


def test_settings_come_into_force_and_secrets_go(places: FirstBootPaths) -> None:
    before = places.written.stat().st_size
    lines: list[str] = []
    assert first_boot(places, enrolled, lambda card: lines.append(card.network.wifi_password)) == Ready()
    settings = load(places.in_force)
    assert settings.clinic.name == "架空クリニック"
    assert [member.number for member in settings.staff] == ["1001"]
    assert settings.service.ca.read_text() == "a certificate"
    assert settings.service.ca.parent == places.kept
    assert lines == [WIFI]
    assert secrets_in(places.card) == secrets_in(places.kept) == []
    assert places.written.stat().st_size == before  # overwritten where it lay
    assert first_boot(places, never, no_line) == Ready()


def test_every_member_of_staff_on_the_card_gets_in_and_leaves_no_passcode_there(
    places: FirstBootPaths,
) -> None:
    text = written() + '\n[[staff]]\nnumber = "1002"\npasscode = "739164"  # the second\n'
    places.written.write_text(text, encoding="utf-8")
    assert first_boot(places, enrolled, no_line) == Ready()
    kept = {member.number: member.passcode for member in load(places.in_force).staff}
    assert verify(bytearray(b"739164"), kept["1002"])
    assert verify(bytearray(PASSCODE.encode()), kept["1001"])
    card = places.written.read_text(encoding="utf-8")
    assert "739164" not in card
    assert "scrypt$" not in card
    assert "# the second" in card


def test_faults_are_named_and_nothing_is_done(places: FirstBootPaths) -> None:
    places.written.write_text(written(**{'institution = ""': 'institution = "131"'}), encoding="utf-8")
    outcome = first_boot(places, never, no_line)
    assert isinstance(outcome, Faulty)
    assert [(fault.key, fault.line is not None) for fault in outcome.error.faults] == [
        ("clinic.institution", True)
    ]
    assert not places.in_force.exists()
    assert CODE in places.written.read_text(encoding="utf-8")


@pytest.mark.parametrize("text", [None, "", "[clinic", "\x00\x01"])
def test_a_missing_or_ruined_file_is_a_fault(places: FirstBootPaths, text: str | None) -> None:
    places.written.unlink()
    if text is not None:
        places.written.write_text(text, encoding="utf-8")
    assert isinstance(first_boot(places, never, no_line), Faulty)


def test_a_missing_ca_is_named(places: FirstBootPaths) -> None:
    (places.card / "service-ca.pem").unlink()
    assert first_boot(places, never, no_line) == NoCa("service-ca.pem")


def refused(settings: Settings, file: Path, code: str, url: str) -> None:
    raise EnrolmentError("the activation code has expired (24 hours): ask for a new one")


def test_what_the_service_refuses_stays_on_the_card_to_be_mended(places: FirstBootPaths) -> None:
    outcome = first_boot(places, refused, no_line)
    assert outcome == NotEnrolled("the activation code has expired (24 hours): ask for a new one")
    assert not places.in_force.exists()
    assert CODE in places.written.read_text(encoding="utf-8")
    assert first_boot(places, enrolled, no_line) == Ready()


def without_secret(settings: Settings, file: Path, code: str, url: str) -> None:
    raise SecretError


def test_a_device_that_cannot_seal_its_key_does_not_enrol_with_a_plain_one(places: FirstBootPaths) -> None:
    assert first_boot(places, without_secret, no_line) == NoSecret()
    assert not places.in_force.exists()
    told = notice_of(NoSecret(), data_lost=False)
    assert "鍵" in "".join(told.ja.lines)
    assert first_boot(places, enrolled, no_line) == Ready()


def cut_at(path: Path, operation: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let `Path.operation` fail once it would touch `path`; returns what undoes it."""
    real = getattr(Path, operation)

    def cut(self: Path, *words: object, **named: object) -> object:
        if self == path:
            raise PowerCutError
        return real(self, *words, **named)

    monkeypatch.setattr(Path, operation, cut)
    return monkeypatch.undo


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        (".service-ca.pem.new", "rename"),
        (".kiosk.toml.draft.new", "rename"),
        (".taken.toml.new", "rename"),
        (".to-wipe.new", "rename"),
        ("kiosk.toml.draft", "rename"),
        ("to-wipe", "unlink"),
    ],
)
def test_a_power_cut_anywhere_is_made_good(
    places: FirstBootPaths, name: str, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    undo = cut_at(places.kept / name, operation, monkeypatch)
    with pytest.raises(PowerCutError):
        first_boot(places, enrolled, no_line)
    undo()
    assert first_boot(places, enrolled, no_line) == Ready()
    assert load(places.in_force).clinic.terminal == "K001"
    assert secrets_in(places.card) == secrets_in(places.kept) == []


def test_a_half_written_card_is_overwritten_again(places: FirstBootPaths) -> None:
    assert first_boot(places, enrolled, no_line) == Ready()
    digest = hashlib.sha256(places.in_force.read_bytes()).hexdigest()
    places.to_wipe.write_text(digest, encoding="utf-8")
    torn = places.written.read_bytes()[:512] + written().encode()[512:]
    places.written.write_bytes(torn)
    assert first_boot(places, never, no_line) == Ready()
    assert secrets_in(places.card) == []


def test_a_changed_card_is_taken_with_a_new_code_only(places: FirstBootPaths) -> None:
    assert first_boot(places, enrolled, no_line) == Ready()
    places.written.write_text(
        written(**{'activation_code = ""': 'activation_code = ""  #'}), encoding="utf-8"
    )
    assert first_boot(places, never, no_line) == Ready(changed=True)
    places.written.write_text(written(**{'terminal = "K001"': 'terminal = "K002"'}), encoding="utf-8")
    assert first_boot(places, enrolled, no_line) == Ready()
    assert load(places.in_force).clinic.terminal == "K002"


def test_a_trust_folder_on_the_card_is_kept_where_the_reader_can_look(places: FirstBootPaths) -> None:
    here = {'trust = "/usr/share/kiosk/trust"': 'trust = "trust"'}
    places.written.write_text(written(**here), encoding="utf-8")
    (places.card / "trust").mkdir()
    (places.card / "trust" / "ca.pem").write_text("another certificate", encoding="utf-8")
    umask = os.umask(0o077)  # as in kiosk-setup.service
    try:
        assert first_boot(places, enrolled, no_line) == Ready()
    finally:
        os.umask(umask)
    trust = load(places.in_force).reader.trust
    assert trust == places.kept / "trust"
    assert (trust / "ca.pem").read_text() == "another certificate"
    assert (trust.stat().st_mode & 0o777, (trust / "ca.pem").stat().st_mode & 0o777) == (0o755, 0o644)


# ---- the command -----------------------------------------------------------------------------------------


def run(places: FirstBootPaths, folder: Path) -> Result:
    (folder / "notice").mkdir(exist_ok=True)
    named = {
        "card": places.card,
        "kept": places.kept,
        "line": folder / "line",
        "notice": folder / "notice",
        "lost": folder / "made-anew",
    }
    return CliRunner().invoke(
        command, [word for name, path in named.items() for word in (f"--{name}", str(path))]
    )


def test_a_card_that_takes_nothing_is_told_on_the_screen_and_is_not_waiting_for_settings(
    places: FirstBootPaths, tmp_path: Path
) -> None:
    (tmp_path / "notice").mkdir()
    (tmp_path / "notice/settings").touch()
    done = run(FirstBootPaths(places.card, Path("/proc/self")), tmp_path)  # root may write anywhere else
    assert done.exit_code == 1
    assert "the card does not take the settings" in done.output
    assert from_text((tmp_path / "notice/notice.json").read_text(encoding="utf-8")) == UNWRITABLE
    assert not (tmp_path / "notice/settings").exists()


def test_a_loss_is_told_until_the_kiosk_has_been_set_up_anew(places: FirstBootPaths, tmp_path: Path) -> None:
    lost, told = tmp_path / "made-anew", tmp_path / "notice/notice.json"
    lost.touch()
    (places.card / "service-ca.pem").unlink()
    for _ in range(2):  # also at the next start
        assert run(places, tmp_path).exit_code == 1
        assert "失われています" in told.read_text(encoding="utf-8")
        assert lost.exists()
    (places.card / "service-ca.pem").write_text("a certificate", encoding="utf-8")
    assert first_boot(places, enrolled, no_line) == Ready()
    assert run(places, tmp_path).exit_code == 0
    assert not lost.exists()
    assert not told.exists()
