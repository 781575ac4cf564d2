"""OpenSC, a reader that nobody here wrote, through pcscd and vpcd, on our card: names, reads, makes it sign.

Debian packages: opensc, pcscd, vsmartcard-vpcd. The port is fixed by pcscd's own configuration of vpcd.
"""

import contextlib
import hashlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from kiosk.simulator.tokens.hierarchy import Hierarchy, ensure_hierarchy
from kiosk.simulator.tokens.jpki_token import TokenKind

VPCD = ("127.0.0.1", 35963)
TOOLS = ("pcscd", "opensc-tool", "pkcs15-tool", "pkcs15-crypt", "openssl")
MISSING = [tool for tool in TOOLS if shutil.which(tool, path="/usr/bin:/usr/sbin:/bin") is None]

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(
        bool(MISSING), reason=f"install opensc, pcscd and vsmartcard-vpcd: no {', '.join(MISSING)}"
    ),
]


def run(*command: str, expect: int = 0) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == expect, f"{command[0]} ended with {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def wait_until(reached: object, what: str, seconds: float = 15.0) -> None:
    assert callable(reached)
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, f"waited {seconds:g} s in vain for {what}"
        time.sleep(0.05)


def listening() -> bool:
    with contextlib.suppress(OSError), socket.create_connection(VPCD, timeout=1):
        return True
    return False


@contextlib.contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield child
    finally:
        child.terminate()
        child.wait(timeout=10)


@pytest.fixture(scope="module")
def hierarchy(tmp_path_factory: pytest.TempPathFactory) -> Hierarchy:
    return ensure_hierarchy(tmp_path_factory.mktemp("opensc") / "pki")


@pytest.fixture(scope="module")
def alone() -> Iterator[None]:
    """The reader's port is one for the machine: wait for the worker, or the other run, that has it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as lock:
        wait_until(lambda: taken(lock), "other tests to give pcscd back", 600)
        yield


def taken(lock: socket.socket) -> bool:
    """Whether the name is ours now. It is abstract, unix(7): it belongs to the network, as the port does."""
    with contextlib.suppress(OSError):
        lock.bind("\0kiosk-tests-vpcd")
        return True
    return False


@pytest.fixture(scope="module")
def pcscd(alone: None) -> Iterator[None]:
    """pcscd in the foreground, ended with the tests; one that already runs with a vpcd is used as it is."""
    if listening():
        yield
        return
    # Debian 13's asks polkit, which knows no session here and refuses; Debian 12's has no such option.
    options = [each for each in ("--disable-polkit",) if each in run("/usr/sbin/pcscd", "--help")]
    with process("/usr/sbin/pcscd", "--foreground", *options) as daemon:
        wait_until(lambda: listening() or daemon.poll() is not None, "pcscd's vpcd port")
        assert daemon.poll() is None, "pcscd ended at once"
        yield


@pytest.fixture(scope="module")
def card(pcscd: None, hierarchy: Hierarchy) -> Iterator[None]:
    """`kiosk simulate card` in that reader, with PIN 1234. One for all: pcscd notices changes slowly."""
    command = [sys.executable, "-m", "kiosk", "simulate", "card", "--to", f"{VPCD[0]}:{VPCD[1]}"]
    with process(*command, "--token", "card", "--pin", "1234", "--pki", str(hierarchy.trust.parent)):
        present = ["opensc-tool", "--list-readers"]
        wait_until(lambda: "Yes" in run(*present), "the card in the reader")
        yield


def test_opensc_names_the_card(card: None) -> None:
    assert run("opensc-tool", "-n").strip() == "jpki"


def test_opensc_lists_certificates_keys_and_pins(card: None) -> None:
    listing = run("pkcs15-tool", "--list-certificates", "--list-keys", "--list-pins")
    assert "User Authentication Certificate" in listing
    assert "User Authentication Key" in listing
    assert "User Authentication PIN" in listing


def test_opensc_reads_the_very_certificate_of_the_token(card: None, hierarchy: Hierarchy) -> None:
    pem = run("pkcs15-tool", "--read-certificate", "01")
    read = x509.load_pem_x509_certificate(pem.encode())
    assert (
        read.public_bytes(serialization.Encoding.DER) == hierarchy.authentication(TokenKind.CARD).certificate
    )


def test_openssl_verifies_what_opensc_made_the_card_sign(card: None, tmp_path: Path) -> None:
    message, digest, signature, key = (
        tmp_path / name for name in ("message", "digest", "signature", "key.pem")
    )
    message.write_bytes(b"a transcript")
    digest.write_bytes(hashlib.sha256(b"a transcript").digest())
    pem = run("pkcs15-tool", "--read-certificate", "01")
    public = x509.load_pem_x509_certificate(pem.encode()).public_key()
    key.write_bytes(
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    run(
        "pkcs15-crypt", "--sign", "--key", "01", "--pkcs1", "--sha-256", "--pin", "1234",
        "--input", str(digest), "--output", str(signature),
    )  # fmt: skip
    verdict = run(
        "openssl", "dgst", "-sha256", "-verify", str(key), "-signature", str(signature), str(message)
    )
    assert verdict.strip() == "Verified OK"


def test_a_wrong_pin_from_opensc_costs_one_try_and_asking_costs_none(card: None) -> None:
    select_application = "00A4040C0AD392F000260100000001"
    select_pin = "00A4020C020018"

    def answers(*apdus: str) -> list[str]:
        command = ["opensc-tool"]
        for apdu in apdus:
            command += ["-s", apdu]
        lines = run(*command).splitlines()
        return [line.split("SW1=0x")[1].replace(", SW2=0x", "")[:4] for line in lines if "SW1" in line]

    right, wrong, empty = "002000800431323334", "002000800439393939", "00200080"
    asked = answers(select_application, select_pin, right, empty, wrong, empty, empty, right, empty)
    assert asked == ["9000", "9000", "9000", "63C3", "63C2", "63C2", "63C2", "9000", "63C3"]
