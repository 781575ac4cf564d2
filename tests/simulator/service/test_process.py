"""`kiosk simulate service` as a process: start, stop, restart, bad input; and the folder it prepares."""

import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from kiosk.simulator.service.service_pki import ServiceFiles, prepare_service
from kiosk.simulator.tokens.hierarchy import Hierarchy
from kiosk.simulator.tokens.jpki_token import Identity, TokenKind
from tests.simulator.service.openapi_conformity import Conformity
from tests.simulator.service.running import INSTITUTION, Terminal, new_visit, running_service

NewTerminal = Callable[..., Terminal]


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kiosk", "simulate", "service", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


def test_it_stops_cleanly_on_sigterm_and_leaves_no_socket(tmp_path: Path) -> None:
    with running_service(tmp_path) as service:
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(5) == 0
        assert not (tmp_path / "control.sock").exists()
        assert service.process.stdout is not None
        assert service.process.stdout.read() == ""


def test_what_it_knew_survives_kill_and_restart_on_the_same_port(
    tmp_path: Path, tokens: Hierarchy, conformity: Conformity
) -> None:
    identity = tokens.authentication(TokenKind.CARD)
    with running_service(tmp_path) as service:
        terminal = Terminal(service, tmp_path, identity, conformity)
        visit = new_visit()
        body = terminal.sealed(visit, terminal.transcript(visit, terminal.challenge(visit)))
        answer = terminal.post(visit, body).json()
        service.process.kill()
        service.process.wait(5)
    with running_service(tmp_path, port=service.port) as again:
        assert again.port == service.port
        assert terminal.status(visit).json() == answer
        assert terminal.post(visit, body).json() == answer
        assert again.control.effects(visit) == 1
        assert terminal.keys()[0]["key_id"] == body["key_id"]


def test_options_name_code_visual_terminals_and_the_service(
    tmp_path: Path, tokens: Hierarchy, conformity: Conformity
) -> None:
    options = ["--activation-code", "123456789012", "--institution", INSTITUTION, "--allow-visual", "K001"]
    with running_service(tmp_path, *options, "--name", "another") as service:
        terminal = Terminal(service, tmp_path, tokens.authentication(TokenKind.CARD), conformity)
        assert terminal.call("GET", "/v1/keys").json()["service"] == "another"


def test_without_a_trust_folder_chains_go_unchecked(
    tmp_path: Path, foreign_identity: Identity, conformity: Conformity
) -> None:
    with running_service(tmp_path) as service:
        terminal = Terminal(service, tmp_path, foreign_identity, conformity)
        assert terminal.submit(new_visit()).status_code == 200


def test_a_second_service_on_the_same_port_or_socket_says_so(tmp_path: Path) -> None:
    with running_service(tmp_path / "one") as service:
        control = str(tmp_path / "two.sock")
        taken = run("--folder", str(tmp_path / "two"), "--control", control, "--port", str(service.port))
        assert (taken.returncode, taken.stdout) == (1, "")
        assert "is taken" in taken.stderr
        same = run("--folder", str(tmp_path / "two"), "--control", str(tmp_path / "one" / "control.sock"))
        assert (same.returncode, same.stdout) == (1, "")
        assert len(same.stderr.strip().splitlines()) == 1
        assert service.control.requests() == 0


@pytest.mark.parametrize(
    ("options", "code", "say"),
    [
        (["--token-trust", "{tmp}/nowhere"], 1, "no such folder"),
        (["--token-trust", "{tmp}"], 1, "no certificate here"),
        (["--institution", "1312345678"], 2, "go together"),
        (["--institution", "13", "--activation-code", "1"], 2, "go together"),
    ],
)
def test_bad_options_get_one_clear_line(tmp_path: Path, options: list[str], code: int, say: str) -> None:
    filled = [option.format(tmp=tmp_path) for option in options]
    failed = run("--folder", str(tmp_path / "f"), "--control", str(tmp_path / "c"), *filled)
    assert (failed.returncode, failed.stdout) == (code, "")
    assert say in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_broken_trust_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    failed = run(
        "--folder", str(tmp_path / "f"), "--control", str(tmp_path / "c"), "--token-trust", str(tmp_path)
    )
    assert failed.returncode == 1
    assert "ca.pem" in failed.stderr


def test_the_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    with running_service(tmp_path / "f") as service:
        for path in [service.files.folder, *service.files.folder.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), path


def test_preparing_twice_changes_nothing(tmp_path: Path) -> None:
    first = prepare_service(tmp_path)
    before = first.certificate.read_bytes()
    assert prepare_service(tmp_path) == first
    assert first.certificate.read_bytes() == before


def test_an_interrupted_preparation_is_made_anew(tmp_path: Path) -> None:
    draft = tmp_path / ".pki-interrupted"
    draft.mkdir()
    (draft / "ca.key").write_text("half")
    os.utime(draft, (0, 0))
    files = prepare_service(tmp_path)
    assert files.ca.exists()
    assert not draft.exists()


def test_many_preparing_at_once_agree(tmp_path: Path) -> None:
    barrier = threading.Barrier(4)

    def prepare() -> tuple[ServiceFiles, bytes]:
        barrier.wait()
        files = prepare_service(tmp_path)
        return files, files.ca.read_bytes()

    with ThreadPoolExecutor(4) as pool:
        made = [future.result() for future in [pool.submit(prepare) for _ in range(4)]]
    assert all(each == made[0] for each in made)


def test_names_and_dates_of_the_certificate_are_as_asked(tmp_path: Path) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    files = prepare_service(tmp_path, now=now, names=("service.example",))
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["service.example"]


def test_it_is_ready_soon(tmp_path: Path) -> None:
    prepare_service(tmp_path)
    begun = time.monotonic()
    with running_service(tmp_path):
        assert time.monotonic() - begun < 15.0  # alone it takes 0.5 s; the machine may be busy


def test_the_control_socket_answers_nonsense_politely(tmp_path: Path) -> None:
    with running_service(tmp_path) as service, socket.socket(socket.AF_UNIX) as link:
        link.settimeout(5)
        link.connect(str(tmp_path / "control.sock"))
        lines = link.makefile("rwb")
        for text in (b"hello", b"[]", b"{}", b'{"do": "dance"}', b'{"do": "effects"}', b'{"do": "nonsense"}'):
            lines.write(text + b"\n")
            lines.flush()
            assert lines.readline().startswith(b'{"ok": false'), text
        lines.close()
        assert service.control.requests() == 0


def test_it_listens_with_tls_13_before_it_says_so(tmp_path: Path) -> None:
    with running_service(tmp_path) as service:
        context = ssl.create_default_context(cafile=str(service.files.ca))
        with (
            socket.create_connection(("127.0.0.1", service.enrol_port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as link,
        ):
            assert link.version() == "TLSv1.3"
