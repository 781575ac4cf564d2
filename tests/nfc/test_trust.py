"""The trust folder, and what a token's certificate must be."""

import datetime as dt
import hashlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.nfc.protocol.certificate import Doubt, Leaf, parse_certificate, signature_holds
from kiosk.nfc.trust_folder import TrustFolderError, load_trust_folder
from kiosk.nfc.wall_clock import WallClock
from kiosk.qualification.terms import SignatureAlgorithm
from kiosk.simulator.tokens import pki

NOW = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
VALID = pki.Validity(NOW - YEAR, NOW + YEAR)


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return pki.new_rsa_key()


@pytest.fixture(scope="module")
def generations() -> list[pki.Authority]:
    """Two CAs with one and the same name, as J-LIS has them."""
    return [pki.new_authority("user authentication", serial, VALID) for serial in (1, 2)]


@pytest.fixture
def folder(tmp_path: Path, generations: list[pki.Authority]) -> Path:
    first, second = (authority.certificate for authority in generations)
    (tmp_path / "1.pem").write_bytes(first.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "2.der").write_bytes(second.public_bytes(serialization.Encoding.DER))
    (tmp_path / "README").write_text("not a certificate and not looked at")
    return tmp_path


def leaf(der: bytes) -> Leaf:
    parsed = parse_certificate(der)
    assert isinstance(parsed, Leaf)
    return parsed


def custom(
    authority: pki.Authority,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    *extensions: tuple[x509.ExtensionType, bool],
) -> bytes:
    """A certificate with just these extensions."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "invented")]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(77)
        .not_valid_before(VALID.not_before)
        .not_valid_after(VALID.not_after)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def usage(*, signature: bool) -> x509.KeyUsage:
    return x509.KeyUsage(signature, not signature, False, False, False, False, False, False, False)


# ---- the folder ------------------------------------------------------------------------------------------


def test_a_folder_of_pem_and_der_is_loaded(folder: Path) -> None:
    assert len(load_trust_folder(folder)) == 2


def test_a_missing_folder_says_what_to_put_there(tmp_path: Path) -> None:
    with pytest.raises(TrustFolderError, match="does not exist; put the JPKI CA certificates there"):
        load_trust_folder(tmp_path / "none")


def test_an_empty_folder_says_what_to_put_there(tmp_path: Path) -> None:
    with pytest.raises(TrustFolderError, match="holds no certificate"):
        load_trust_folder(tmp_path)


def test_a_file_that_is_no_certificate_is_named(folder: Path) -> None:
    (folder / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(TrustFolderError, match=r"broken\.pem is no certificate"):
        load_trust_folder(folder)


def test_a_certificate_that_is_no_ca_is_not_trusted(
    folder: Path, generations: list[pki.Authority], key: rsa.RSAPrivateKey
) -> None:
    (folder / "leaf.der").write_bytes(pki.issue(generations[0], key, 5, VALID).certificate)
    with pytest.raises(TrustFolderError, match=r"leaf\.der is not the certificate of a CA"):
        load_trust_folder(folder)


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "trust").write_text("")
    with pytest.raises(TrustFolderError, match="cannot be read"):
        load_trust_folder(tmp_path / "trust")


# ---- certificates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("generation", [0, 1])
def test_the_issuer_is_found_by_its_signature(
    folder: Path, generations: list[pki.Authority], key: rsa.RSAPrivateKey, generation: int
) -> None:
    issued = leaf(pki.issue(generations[generation], key, 5, VALID).certificate)
    assert load_trust_folder(folder).check(issued, NOW) is None


def test_a_third_ca_of_the_same_name_is_not_trusted(folder: Path, key: rsa.RSAPrivateKey) -> None:
    stranger = pki.new_authority("user authentication", 1, VALID)
    issued = leaf(pki.issue(stranger, key, 5, VALID).certificate)
    assert load_trust_folder(folder).check(issued, NOW) is Doubt.UNKNOWN_ISSUER


def test_dates_are_checked_where_the_clock_is_trusted(
    folder: Path, generations: list[pki.Authority], key: rsa.RSAPrivateKey
) -> None:
    store, issued = load_trust_folder(folder), leaf(pki.issue(generations[0], key, 5, VALID).certificate)
    assert store.check(issued, NOW + YEAR + dt.timedelta(seconds=1)) is Doubt.EXPIRED
    assert store.check(issued, NOW - YEAR - dt.timedelta(seconds=1)) is Doubt.NOT_YET_VALID
    assert store.check(issued, None) is None


def test_a_certificate_for_signing_documents_is_not_for_authentication(
    folder: Path, generations: list[pki.Authority], key: rsa.RSAPrivateKey
) -> None:
    store = load_trust_folder(folder)
    signing = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
    for extensions in (
        [(usage(signature=False), True)],
        [],
        [(usage(signature=True), True), (signing, False)],
        [(usage(signature=True), True), (x509.BasicConstraints(True, None), True)],
    ):
        der = custom(generations[0], key, *extensions)
        assert store.check(leaf(der), NOW) is Doubt.KEY_USAGE
    good = custom(generations[0], key, (usage(signature=True), True))
    assert store.check(leaf(good), NOW) is None


def test_the_key_decides_the_algorithm(generations: list[pki.Authority], key: rsa.RSAPrivateKey) -> None:
    of_rsa = leaf(pki.issue(generations[0], key, 5, VALID).certificate)
    of_ec = leaf(pki.issue(generations[0], pki.new_ec_key(), 5, VALID).certificate)
    assert (of_rsa.algorithm, of_rsa.key_name) == (SignatureAlgorithm.RSA_PKCS1_SHA256, "rsa-2048")
    assert (of_ec.algorithm, of_ec.key_name) == (SignatureAlgorithm.ECDSA_P384_SHA384, "ec-p384")
    assert of_rsa.not_after == "2027-07-01T00:00:00Z"
    assert of_rsa.serial == "5"


def test_other_keys_are_refused(generations: list[pki.Authority]) -> None:
    for other in (
        rsa.generate_private_key(65537, 1024),
        rsa.generate_private_key(65537, 3072),
        ec.generate_private_key(ec.SECP256R1()),
    ):
        assert parse_certificate(custom(generations[0], other)) is Doubt.ALGORITHM


@settings(max_examples=200)
@given(data=st.data())
def test_a_damaged_certificate_is_doubted_and_never_raises(
    folder: Path, generations: list[pki.Authority], key: rsa.RSAPrivateKey, data: st.DataObject
) -> None:
    sound = pki.issue(generations[0], key, 5, VALID).certificate
    der = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] ^= data.draw(st.integers(1, 255))
    parsed = parse_certificate(bytes(der))
    if isinstance(parsed, Leaf) and der != sound:
        assert load_trust_folder(folder).check(parsed, NOW) is not None


@pytest.mark.parametrize("version", [3, 4, 9, 127])
def test_a_certificate_of_a_version_that_does_not_exist_is_malformed(
    folder: Path, generations: list[pki.Authority], key: rsa.RSAPrivateKey, version: int
) -> None:
    """`x509.InvalidVersion` is no ValueError."""
    sound = pki.issue(generations[0], key, 5, VALID).certificate
    v3 = bytes.fromhex("A003020102")
    assert sound.count(v3) == 1
    odd = sound.replace(v3, v3[:-1] + bytes([version]))
    assert parse_certificate(odd) is Doubt.MALFORMED
    (folder / "odd.der").write_bytes(odd)
    with pytest.raises(TrustFolderError, match="is no certificate"):
        load_trust_folder(folder)


def test_a_serial_number_that_is_not_positive_is_malformed_and_warns_nobody(
    generations: list[pki.Authority], key: rsa.RSAPrivateKey
) -> None:
    sound = pki.issue(generations[0], key, 5, VALID).certificate
    for serial in ("FB", "00"):
        odd = sound.replace(bytes.fromhex("020105"), bytes.fromhex("0201" + serial), 1)
        assert parse_certificate(odd) is Doubt.MALFORMED


@given(st.binary(max_size=200))
def test_what_is_no_certificate_is_malformed(der: bytes) -> None:
    assert parse_certificate(der) is Doubt.MALFORMED


# ---- signatures ------------------------------------------------------------------------------------------


def test_signatures_hold_over_their_digest_only(
    generations: list[pki.Authority], key: rsa.RSAPrivateKey
) -> None:
    digest = hashlib.sha256(b"transcript").digest()
    issued = leaf(pki.issue(generations[0], key, 5, VALID).certificate)
    signature = key.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
    assert signature_holds(issued, digest, signature)
    assert not signature_holds(issued, hashlib.sha256(b"another").digest(), signature)
    assert not signature_holds(issued, digest, signature[:-1])
    assert not signature_holds(issued, digest, b"")


def test_p384_signatures_hold_over_their_digest_only(generations: list[pki.Authority]) -> None:
    key = pki.new_ec_key()
    digest = hashlib.sha384(b"transcript").digest()
    issued = leaf(pki.issue(generations[0], key, 5, VALID).certificate)
    signature = key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA384())))
    assert signature_holds(issued, digest, signature)
    assert not signature_holds(issued, bytes(48), signature)
    assert not signature_holds(issued, digest, b"\x30\x00")


def test_an_unsynchronised_clock_is_not_believed(tmp_path: Path) -> None:
    file = tmp_path / "synchronized"
    clock = WallClock(now=lambda: NOW, trusted=file.exists)
    assert clock.believed() is None
    file.touch()
    assert clock.believed() == NOW
