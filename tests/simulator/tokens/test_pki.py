"""The test hierarchy: shape, size, dates, and that it is made once and kept private."""

import datetime as dt
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from kiosk.simulator.tokens.hierarchy import Hierarchy, ensure_hierarchy
from kiosk.simulator.tokens.jpki_token import TokenKind
from kiosk.simulator.tokens.pki import AUTHENTICATION_POLICY


def certificate(hierarchy: Hierarchy, kind: TokenKind = TokenKind.CARD, **which: object) -> x509.Certificate:
    identity = hierarchy.authentication(kind, **which)  # type: ignore[arg-type]  # forwarded as they are
    return x509.load_der_x509_certificate(identity.certificate)


def trusted(hierarchy: Hierarchy) -> list[x509.Certificate]:
    first = x509.load_pem_x509_certificate((hierarchy.trust / "authentication-1.pem").read_bytes())
    second = x509.load_der_x509_certificate((hierarchy.trust / "authentication-2.der").read_bytes())
    return [first, second]


@pytest.mark.parametrize("kind", list(TokenKind))
def test_rsa_certificates_have_the_size_of_real_ones(hierarchy: Hierarchy, kind: TokenKind) -> None:
    for expired in (False, True):
        size = len(hierarchy.authentication(kind, expired=expired).certificate)
        assert 1543 <= size <= 1603


@pytest.mark.parametrize("kind", list(TokenKind))
@pytest.mark.parametrize("key", ["rsa", "ec"])
def test_each_certificate_is_signed_by_one_generation_of_a_ca_whose_name_both_share(
    hierarchy: Hierarchy, kind: TokenKind, key: str
) -> None:
    leaf = certificate(hierarchy, kind, key=key)
    first, second = trusted(hierarchy)
    assert first.subject == second.subject == leaf.issuer
    signers = [ca for ca in (first, second) if signed_by(leaf, ca)]
    assert len(signers) == 1


def signed_by(leaf: x509.Certificate, ca: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(ca)
    except InvalidSignature:
        return False
    return True


def test_the_tokens_use_both_generations(hierarchy: Hierarchy) -> None:
    first, second = trusted(hierarchy)
    assert signed_by(certificate(hierarchy, TokenKind.ANDROID), first)
    assert signed_by(certificate(hierarchy, TokenKind.CARD), second)


def test_the_profile_is_that_of_authentication_certificates(hierarchy: Hierarchy) -> None:
    extensions = certificate(hierarchy).extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert not usage.content_commitment
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.CLIENT_AUTH
    ]
    policies = extensions.get_extension_for_class(x509.CertificatePolicies).value
    assert [policy.policy_identifier for policy in policies] == [AUTHENTICATION_POLICY]
    assert not extensions.get_extension_for_class(x509.CRLDistributionPoints).critical
    assert not extensions.get_extension_for_class(x509.AuthorityInformationAccess).critical


def test_both_kinds_of_key_and_both_kinds_of_dates_are_there(hierarchy: Hierarchy) -> None:
    now = dt.datetime.now(dt.UTC)
    elliptic = certificate(hierarchy, key="ec").public_key()
    assert isinstance(elliptic, ec.EllipticCurvePublicKey)
    assert elliptic.curve.name == "secp384r1"
    assert certificate(hierarchy).not_valid_after_utc > now
    assert certificate(hierarchy, expired=True).not_valid_after_utc < now


def test_it_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    first = ensure_hierarchy(folder).authentication(TokenKind.CARD).certificate
    assert ensure_hierarchy(folder).authentication(TokenKind.CARD).certificate == first
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.rglob("*") if file.is_file()} == {0o600}
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_dir()] == ["pki"]


def test_two_who_want_it_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: ensure_hierarchy(tmp_path / "pki"), range(2)))
    assert both[0].signature.certificate == both[1].signature.certificate


def test_one_that_has_nearly_ended_is_made_anew(tmp_path: Path) -> None:
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=1826)
    old = ensure_hierarchy(tmp_path / "pki", now=long_ago).authentication(TokenKind.CARD).certificate
    assert x509.load_der_x509_certificate(old).not_valid_before_utc < long_ago
    new = ensure_hierarchy(tmp_path / "pki").authentication(TokenKind.CARD).certificate
    assert new != old


def test_a_half_written_folder_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "pki" / "keys").mkdir(parents=True)
    assert ensure_hierarchy(tmp_path / "pki").signature.certificate
