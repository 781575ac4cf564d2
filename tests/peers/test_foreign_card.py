"""A card program that knows nothing of the kiosk lies on the virtual field; stock nfcpy reads it."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nfc.tag.tt4
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from kiosk.simulator.field.field import FieldSettings, VirtualField
from kiosk.simulator.field.field_client import FieldClient
from kiosk.simulator.radio.airtime import INSTANT
from kiosk.simulator.radio.picc import RadioFace
from kiosk.simulator.tokens.hierarchy import Hierarchy
from tests.nfc.stock_stick import activate, ask, plugged_in, read_file, select_application, select_file, sign

SCRIPT = Path(__file__).with_name("foreign_card.py")

pytestmark = pytest.mark.peer


@contextmanager
def foreign_card(field: VirtualField, folder: Path, pause: float = 0) -> Iterator[subprocess.Popen[bytes]]:
    command = [
        sys.executable,
        str(SCRIPT),
        "127.0.0.1",
        str(field.vpcd_port),
        str(folder / "ca.pem"),
        str(pause),
    ]
    child = subprocess.Popen(command)
    try:
        yield child
    finally:
        child.kill()
        child.wait(timeout=10)


@pytest.fixture(params=["A", "B"])
def field(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VirtualField]:
    settings = FieldSettings(
        tmp_path / "field", model=INSTANT, vpcd_port=0, vpcd_face=RadioFace(request.param)
    )
    with VirtualField(settings, Hierarchy({}, tmp_path)) as running:
        yield running


def wait_for_token(hand: FieldClient) -> None:
    hand.wait("token", seconds=20)


def test_stock_nfcpy_reads_the_foreign_certificate_and_gets_a_valid_signature(
    field: VirtualField, tmp_path: Path
) -> None:
    with FieldClient(field.settings.path) as hand, foreign_card(field, tmp_path):
        wait_for_token(hand)
        with plugged_in(field.settings.path) as stick:
            tag = activate(stick)
            assert select_application(tag) == b"\x90\x00"
            certificate = x509.load_der_x509_certificate(read_file(tag, 0x000A))
            select_file(tag, 0x0018)
            assert ask(tag, "00200080") == b"\x63\xc3"
            assert ask(tag, "002000800435363738") == b"\x90\x00"
            signature = sign(tag, hashlib.sha256(b"transcript").digest())
        key = certificate.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        key.verify(signature, b"transcript", padding.PKCS1v15(), hashes.SHA256())
        ca = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
        certificate.verify_directly_issued_by(ca)
        assert [entry["ins"] for entry in hand.apdus()][:3] == ["A4", "A4", "B0"]


def test_a_foreign_card_that_thinks_longer_than_its_waiting_time_asks_for_more(
    field: VirtualField, tmp_path: Path
) -> None:
    with FieldClient(field.settings.path) as hand, foreign_card(field, tmp_path, pause=0.7):
        wait_for_token(hand)
        with plugged_in(field.settings.path) as stick:
            tag = activate(stick)
            select_application(tag)
            select_file(tag, 0x0018)
            assert ask(tag, "002000800435363738") == b"\x90\x00"
            assert len(sign(tag, bytes(32))) == 256


def test_a_foreign_program_that_ends_is_a_token_taken_away(field: VirtualField, tmp_path: Path) -> None:
    with FieldClient(field.settings.path) as hand, foreign_card(field, tmp_path) as program:
        wait_for_token(hand)
        with plugged_in(field.settings.path) as stick:
            tag = activate(stick)
            select_application(tag)
            program.kill()
            hand.wait("empty")
            with pytest.raises(nfc.tag.tt4.Type4TagCommandError):
                select_application(tag)


def test_somebody_who_is_no_card_is_not_laid_on_the_field(field: VirtualField) -> None:
    command = [
        sys.executable,
        "-c",
        f"import socket; socket.create_connection(('127.0.0.1', {field.vpcd_port}))",
    ]
    subprocess.run(command, check=True, timeout=20)
    assert field.radio.placements == ()
