"""The client certificate's life, cut off at every instant, and the day on which everything has expired."""

import json
import shutil
import sqlite3
import sys
from base64 import b64encode
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kiosk.channel import (
    AskCheck,
    AskRecords,
    AskStatus,
    AskWaitingList,
    CheckItem,
    CheckResult,
    Committed,
    Deferred,
    LineState,
    Records,
    ServiceAnswered,
    Status,
    WaitingList,
)
from kiosk.commands.provision import provision
from kiosk.qualification.terms import Outcome
from kiosk.simulator.service.service_pki import (
    ClientFiles,
    Dates,
    ServiceFiles,
    issue_client,
    make_client,
    prepare_service,
)
from kiosk.uploader.identity.keypairs import draft_next, has_next, keep_next, promote_next, tidy
from kiosk.uploader.service.custody import load_key, to_pem
from kiosk.uploader.service.tls import Credentials, client_context, fit_each_other, in_use, next_of
from kiosk.uploader.service.wire import RequestFault
from tests.simulator.service.running import RunningService, running_service
from tests.uploader.world import (
    INSTITUTION,
    TERMINAL,
    RunningUploader,
    Screen,
    Token,
    new_visit,
    running_uploader,
    write_config,
)

CODE = "123456789012"
DEVICE_SECRET = b"a secret of this device"


def days(begins: float, ends: float) -> Dates:
    now = datetime.now(UTC)
    return Dates(now + timedelta(days=begins), now + timedelta(days=ends))


def write_short(service: RunningService, folder: Path, dates: Dates) -> Path:
    """Settings of a synchronised kiosk with a certificate of these dates."""
    client = make_client(service.files, folder / "client", INSTITUTION, TERMINAL, dates=dates)
    config = write_config(folder, service.url, service.files.ca, client.certificate, client.key)
    (folder / "synchronised").touch()
    text = config.read_text(encoding="utf-8") + '[clock]\ntrust_file = "synchronised"\n'
    config.write_text(text, encoding="utf-8")
    return config


def credentials(
    service: RunningService, folder: Path, client: Path | None = None, secret: bytes = b""
) -> Credentials:
    place = client or folder / "client"
    return Credentials(service.files.ca, place / "terminal.pem", place / "terminal.key", secret)


def parts(screen: Screen) -> dict[str, CheckItem]:
    return {item.part: item for item in screen.ask(AskCheck(), CheckResult).parts}


def serial(path: Path) -> int:
    return x509.load_pem_x509_certificate(path.read_bytes()).serial_number


# ---- renewal by itself -------------------------------------------------------------------------------------


def test_at_two_thirds_of_its_life_the_certificate_and_its_key_are_renewed(
    service: RunningService, tmp_path: Path, token: Token
) -> None:
    config = write_short(service, tmp_path, days(-70, 30))
    mine = credentials(service, tmp_path)
    before, key = serial(mine.certificate), mine.key.read_bytes()
    with running_uploader(config, token) as uploader, uploader.screen() as screen:
        uploader.wait_for_log("certificate was renewed")
        visit = screen.visit()
        screen.wait_for(ServiceAnswered, visit)
        status = screen.ask(AskStatus(), Status)
        assert status.certificate_fault is None
        assert status.certificate_days == pytest.approx(365, abs=1)
        assert parts(screen)["certificate"].fault is None
        assert "not enrolled" not in uploader.log
    assert serial(mine.certificate) != before
    assert mine.key.read_bytes() != key, "with a new key"
    assert mine.key.stat().st_mode & 0o777 == 0o600
    assert fit_each_other(mine)
    assert not next_of(mine).key.exists()


def test_before_two_thirds_nothing_is_asked_for(
    service: RunningService, tmp_path: Path, token: Token
) -> None:
    before = service.control.requests_by_operation().get("renewal", 0)
    config = write_short(service, tmp_path, days(-60, 40))
    with running_uploader(config, token) as uploader, uploader.screen() as screen:
        visit = screen.visit()
        screen.wait_for(ServiceAnswered, visit)
        del uploader
    assert service.control.requests_by_operation().get("renewal", 0) == before


@pytest.mark.parametrize(("left", "warned"), [(29.8, "30"), (13.8, "14"), (2.8, "3")])
def test_while_it_cannot_be_renewed_staff_are_warned(
    service: RunningService, tmp_path: Path, token: Token, left: float, warned: str
) -> None:
    service.control.refuse(503, operation="renewal", times=None)
    config = write_short(service, tmp_path, days(-300, left))
    with running_uploader(config, token) as uploader, uploader.screen() as screen:
        screen.wait_for(LineState, online=True)
        uploader.wait_for_log(f"ends in {warned} days")
        item = parts(screen)["certificate"]
        assert item.fault == "ends_soon"
        assert item.value == pytest.approx(left, abs=0.1)
        assert screen.ask(AskStatus(), Status).certificate_fault == "ends_soon"


def test_a_lost_answer_to_the_renewal_gets_the_same_certificate_next_time(
    service: RunningService, tmp_path: Path, token: Token
) -> None:
    service.control.lose_answer(operation="renewal")
    config = write_short(service, tmp_path, days(-70, 30))
    mine = credentials(service, tmp_path)
    before = serial(mine.certificate)
    with running_uploader(config, token) as uploader:
        uploader.wait_for_log("is not renewed yet")
        uploader.kill()
    key = next_of(mine).key.read_bytes()
    assert serial(mine.certificate) == before
    with running_uploader(config, token) as again:
        again.wait_for_log("certificate was renewed")
    assert mine.key.read_bytes() == key, "the drafted key, not another one"


def test_a_new_certificate_that_is_not_taken_is_given_up_and_the_old_one_stays(
    service: RunningService, tmp_path: Path, token: Token
) -> None:
    config = write_short(service, tmp_path, days(-70, 30))
    mine = credentials(service, tmp_path)
    other = prepare_service(tmp_path / "other")
    put_next(other, mine)
    before = serial(mine.certificate)
    for _ in range(3):
        with running_uploader(config, token) as uploader, uploader.screen() as screen:
            uploader.wait_for_log("does not take the new")
            visit = screen.visit()
            screen.wait_for(ServiceAnswered, visit)
            (uploader.folder / "uploader.log").unlink()
    assert serial(mine.certificate) == before


def put_next(files: ServiceFiles, mine: Credentials) -> None:
    """A whole next pair, certified by this CA."""
    key = draft_next(mine)
    certificate = issue_client(files, INSTITUTION, TERMINAL, key.public_key(), days(-1, 365))
    assert keep_next(mine, pem(certificate))


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


# ---- every instant of it -----------------------------------------------------------------------------------


@pytest.fixture
def pair(tmp_path: Path) -> tuple[ServiceFiles, Credentials]:
    files = prepare_service(tmp_path / "service")
    client = make_client(files, tmp_path / "client", INSTITUTION, TERMINAL)
    return files, Credentials(files.ca, client.certificate, client.key)


class Instants:
    """Copies of a folder as a kill would leave it, before every rename and removal; sys.addaudithook(3.8)."""

    def __init__(self, folder: Path, copies: Path) -> None:
        self._folder, self._copies = folder, copies
        self._copying = self._over = False
        self.taken: list[Path] = []
        sys.addaudithook(self._hook)  # for good: Python knows no way to take one off

    def _hook(self, event: str, _values: tuple[object, ...]) -> None:
        if event in ("os.rename", "os.remove") and not self._copying and not self._over:
            self._copy()

    def _copy(self) -> None:
        self._copying = True
        copy = self._copies / str(len(self.taken))
        shutil.copytree(self._folder, copy)
        self.taken.append(copy)
        self._copying = False

    def end(self) -> list[Path]:
        self._copy()
        self._over = True
        return self.taken


@pytest.mark.parametrize(
    ("before", "secret"), [(b"", b""), (b"", DEVICE_SECRET), (DEVICE_SECRET, DEVICE_SECRET)]
)
def test_a_kill_at_every_instant_of_a_renewal_leaves_a_pair_that_works(
    pair: tuple[ServiceFiles, Credentials], tmp_path: Path, before: bytes, secret: bytes
) -> None:
    files, mine = pair
    mine = replace(mine, secret=secret)
    key = load_key(mine.key.read_bytes(), b"")
    assert key is not None
    mine.key.write_bytes(to_pem(key, before))

    instants = Instants(mine.key.parent, tmp_path / "states")
    put_next(files, mine)
    promote_next(mine)
    states = instants.end()
    assert len(states) >= 7
    for state in states:
        left = Credentials(files.ca, state / "terminal.pem", state / "terminal.key", secret)
        assert fit_each_other(in_use(left)), f"{state.name}: {sorted(each.name for each in state.iterdir())}"
        assert not isinstance(client_context(left), RequestFault)
        tidy(left)
        assert fit_each_other(left)
        drafted = draft_next(left) if not has_next(left) else None
        present = x509.load_pem_x509_certificate(left.certificate.read_bytes()).public_key()
        assert drafted is None or drafted.public_key() != present, (
            "the next renewal begins with a key that is new"
        )


def test_a_certificate_for_another_key_is_not_kept(pair: tuple[ServiceFiles, Credentials]) -> None:
    files, mine = pair
    draft_next(mine)
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert not keep_next(mine, pem(issue_client(files, INSTITUTION, TERMINAL, stranger, days(-1, 1))))
    assert not has_next(mine)


# ---- everything expired at once ----------------------------------------------------------------------------


def test_with_every_trust_item_expired_patients_are_recorded_and_a_local_repair_delivers_them(
    tmp_path: Path, token: Token
) -> None:
    folder = tmp_path / "service"
    long_ago = datetime.now(UTC) - timedelta(days=4000)
    files = prepare_service(folder, now=long_ago)  # the CA and the service's certificate have expired
    client = make_client(files, tmp_path / "client", INSTITUTION, TERMINAL, dates=days(-400, -35))
    with running_service(folder) as service:
        leave_keys(folder, client)
        config = write_config(tmp_path, service.url, service.files.ca, client.certificate, client.key)
        with running_uploader(config, token) as uploader, uploader.screen() as screen:
            visit = new_visit()
            screen.send(screen.sealed(visit))
            receipt = screen.wait_for(Committed, visit).receipt
            screen.wait_for(Deferred, visit)
            found = parts(screen)
            assert found["line"].fault == "clock"
            assert found["certificate"].fault in ("expired", "clock")
            assert found["outbox"].fault is None
            assert screen.ask(AskWaitingList(staff="1001"), WaitingList).waiting == 1
            uploader.stop()
    # The repair, by hand and without the line: a new CA on the card, a new enrolment.
    shutil.rmtree(folder / "pki")
    prepare_service(folder)
    with running_service(folder) as service:
        service.control.issue_code(INSTITUTION, CODE)
        text = config.read_text(encoding="utf-8")
        config.write_text(
            "\n".join(
                f'url = "{service.url}"' if line.startswith("url") else line for line in text.splitlines()
            ),
            encoding="utf-8",
        )
        done = CliRunner().invoke(
            provision,
            ["enrol", "--config", str(config), "--code", CODE, "--enrolment-url", service.enrol_url],
        )
        assert done.exit_code == 0, done.output
        with running_uploader(config, token) as again, again.screen() as screen:
            screen.wait_for(LineState, online=True, waiting=0)
            [late] = screen.ask(AskWaitingList(staff="1001"), WaitingList).late
            assert (late.receipt, late.outcome) == (receipt, Outcome.VERIFIED)
            del again


def leave_keys(folder: Path, client: ClientFiles) -> None:
    """What the enrolment of former days left: the service's keys beside the certificate."""
    with closing(sqlite3.connect(folder / "service.sqlite3")) as store:
        rows = store.execute("SELECT key_id, suite, private FROM service_keys ORDER BY seq DESC").fetchall()
    listed = [
        {
            "key_id": key_id,
            "suite": suite,
            "public": b64encode(
                X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
            ).decode(),
        }
        for key_id, suite, private in rows
    ]
    document = json.dumps({"service": "simulator", "keys": listed})
    client.certificate.with_name("terminal.pem.keys.json").write_text(document, encoding="utf-8")


# ---- rotation of the service's key while records wait ------------------------------------------------------


@pytest.mark.parametrize("dropped", [False, True])
def test_a_record_sealed_to_an_old_key_is_delivered_or_kept_and_told(
    uploader: RunningUploader, service: RunningService, dropped: bool
) -> None:
    with uploader.screen() as screen:
        old = screen.keys()
        service.control.close()
        visit = new_visit()
        screen.send(screen.sealed(visit))
        receipt = screen.wait_for(Committed, visit).receipt
        screen.wait_for(LineState, online=False)
        new_key = service.control.rotate_key()
        if dropped:
            service.control.drop_key(old.key_id)
        screen.forget()
        service.control.open()
        if not dropped:
            assert screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED
            return
        uploader.wait_for_log("no longer knows the key")
        assert screen.keys().key_id == new_key, "what comes next is sealed to the new key"
        board = screen.ask(AskWaitingList(staff="1001"), WaitingList)
        assert (board.waiting, board.held) == (1, 1)
        outbox = parts(screen)["outbox"]
        assert (outbox.fault, outbox.value) == ("key_unknown", 1)
        [line] = [each for each in screen.ask(AskRecords(), Records).records if each.visit == visit]
        assert (line.receipt, line.reason) == (receipt, "key_unknown")
        assert line.state in ("pending", "sending")
        fresh = screen.visit()
        assert screen.wait_for(ServiceAnswered, fresh).outcome is Outcome.VERIFIED, "and the others go on"


# ---- a challenge that ended while the record waited --------------------------------------------------------


def test_a_challenged_record_of_a_kiosk_without_a_clock_is_not_lost_by_waiting(
    uploader: RunningUploader, service: RunningService
) -> None:
    with uploader.screen() as screen:
        visit = new_visit()
        challenge = screen.challenge(visit)
        screen.keys()
        service.control.close()
        screen.send(screen.sealed(visit, challenge=challenge, clock_trusted=False))
        screen.wait_for(Deferred, visit)
        service.control.expire_challenges()
        service.control.open()
        assert screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED
    told = service.control.transcript(visit)
    assert told is not None
    assert told["late"] is True
