"""The client key at rest: sealed where the device has a secret, plain where it has none."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.uploader.identity.keypairs import draft_next, make_key
from kiosk.uploader.service.custody import (
    CREDENTIAL,
    HOST_KEY,
    PLAIN,
    device_secret,
    is_locked,
    is_sealed,
    level,
    load_key,
    to_pem,
)
from kiosk.uploader.service.tls import Credentials, next_of

SECRET = b"5ec2e7" * 10


@pytest.fixture
def place(tmp_path: Path) -> Credentials:
    return Credentials(tmp_path / "ca.pem", tmp_path / "terminal.pem", tmp_path / "terminal.key", SECRET)


@pytest.mark.parametrize(("secret", "expected"), [(SECRET, HOST_KEY), (b"", PLAIN)])
def test_a_key_is_sealed_if_there_is_a_secret(tmp_path: Path, secret: bytes, expected: int) -> None:
    path = tmp_path / "terminal.key"
    key = make_key(path, secret)
    found = load_key(path.read_bytes(), secret)
    assert found is not None
    assert found.private_numbers() == key.private_numbers()
    assert path.stat().st_mode & 0o777 == 0o600
    assert (level(path), is_sealed(path)) == (expected, bool(secret))
    assert not is_locked(path, secret)


@pytest.mark.parametrize("other", [b"", b"another secret"])
def test_another_secret_opens_nothing(tmp_path: Path, other: bytes) -> None:
    path = tmp_path / "terminal.key"
    make_key(path, SECRET)
    assert load_key(path.read_bytes(), other) is None
    assert is_locked(path, other)


def test_a_plain_key_is_read_with_a_secret_at_hand_too(tmp_path: Path) -> None:
    path = tmp_path / "terminal.key"
    make_key(path, b"")
    assert load_key(path.read_bytes(), SECRET) is not None
    assert not is_locked(path, SECRET)


@pytest.mark.parametrize("content", [None, b"", b"no key", b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"])
def test_what_is_no_key_is_none(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "terminal.key"
    if content is None:
        assert not is_locked(path, SECRET)
        assert level(path) == PLAIN
        return
    path.write_bytes(content)
    assert load_key(path.read_bytes(), SECRET) is None


@pytest.mark.parametrize(
    ("present", "may_seal", "sealed"),
    [(SECRET, True, True), (SECRET, False, True), (b"", True, True), (b"", False, False)],
)
def test_after_a_plain_key_comes_a_sealed_one_unless_an_older_version_may_come_back(
    place: Credentials, present: bytes, may_seal: bool, sealed: bool
) -> None:
    make_key(place.key, present)
    draft_next(place, may_seal=may_seal)
    assert is_sealed(next_of(place).key) == sealed


def test_the_secret_comes_as_a_credential_of_the_service_manager(tmp_path: Path) -> None:
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert device_secret({}) == device_secret(environ) == b""
    (tmp_path / CREDENTIAL).write_bytes(SECRET + b"\n")
    assert device_secret(environ) == SECRET


def test_the_secret_is_in_no_text_about_it(place: Credentials) -> None:
    assert SECRET.decode() not in repr(place) + repr(next_of(place))
    assert next_of(place).secret == SECRET
    pem = to_pem(ec.generate_private_key(ec.SECP256R1()), SECRET)
    assert SECRET not in pem
