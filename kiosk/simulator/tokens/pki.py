"""A test hierarchy shaped like the one of J-LIS, made at run time and kept in a folder, never committed.

Two generations of the CA for authentication certificates carry the same DN, as the real ones do, so
whoever checks a chain has to try signatures. Nobody is named in these certificates, as in the real ones:
the subject is a serial name. Profile after 「署名用電子証明書及び利用者証明用電子証明書のプロファイル仕様書」
as far as sources go: policy OID, extended key usage clientAuth, OCSP and CRL addresses, about 1573 bytes
with RSA-2048.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from kiosk.simulator.tokens.jpki_token import Identity

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

AUTHENTICATION_POLICY = x509.ObjectIdentifier("1.2.392.200149.8.5.1.3.30")
SIGNATURE_POLICY = x509.ObjectIdentifier("1.2.392.200149.8.5.1.1.10")

CA_LIFE = dt.timedelta(days=3653)
TOKEN_LIFE = dt.timedelta(days=1826)

ORGANISATION = "Kiosk virtual JPKI"
OPERATOR = "Virtual Agency for Local Information Systems"


@dataclass(frozen=True)
class Authority:
    """A CA: one generation of one purpose."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)


@dataclass(frozen=True)
class Validity:
    """From when to when, both UTC."""

    not_before: dt.datetime
    not_after: dt.datetime


def new_rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def new_ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


def authority_name(purpose: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, f"JPKI for {purpose}"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, OPERATOR),
        ]
    )


def new_authority(
    purpose: str, serial: int, validity: Validity, key: rsa.RSAPrivateKey | None = None
) -> Authority:
    """A self-signed CA for `purpose` ("user authentication" or "digital signature")."""
    key = key or new_rsa_key()
    name = authority_name(purpose)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(key, certificate)


def _key_usage(*, ca: bool, non_repudiation: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=non_repudiation,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def issue(
    authority: Authority, key: Key, serial: int, validity: Validity, *, signature: bool = False
) -> Identity:
    """A token's certificate for `key`: for authentication, or for digital signature if `signature`."""
    ca = authority.certificate
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{serial:014X}13001A"),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
        .add_extension(_key_usage(ca=False, non_repudiation=signature), critical=True)
        .add_extension(_policies(SIGNATURE_POLICY if signature else AUTHENTICATION_POLICY), critical=True)
        .add_extension(_issuer_alternative_name(), critical=False)
        .add_extension(_distribution_points(ca.subject), critical=False)
        .add_extension(_ocsp(), critical=False)
        .add_extension(_authority_key(authority), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if not signature:
        client = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = builder.add_extension(client, critical=False)
    certificate = builder.sign(authority.key, hashes.SHA256())
    return Identity(key, certificate.public_bytes(serialization.Encoding.DER), authority.der)


def _policies(policy: x509.ObjectIdentifier) -> x509.CertificatePolicies:
    practice = "http://virtual-jpki.invalid/cps.html"
    return x509.CertificatePolicies([x509.PolicyInformation(policy, [practice])])


def _issuer_alternative_name() -> x509.IssuerAlternativeName:
    """The real ones repeat the issuer in Japanese here."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "公的個人認証サービス（模擬）"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "公的個人認証サービス利用者証明用"),
        ]
    )
    return x509.IssuerAlternativeName([x509.DirectoryName(name)])


def _distribution_points(issuer: x509.Name) -> x509.CRLDistributionPoints:
    parts = [
        *issuer.rdns,
        x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "CRLDP 00001")]),
    ]
    point = x509.DistributionPoint([x509.DirectoryName(x509.Name(parts))], None, None, None)
    return x509.CRLDistributionPoints([point])


def _ocsp() -> x509.AuthorityInformationAccess:
    address = x509.UniformResourceIdentifier("http://ocsp.authentication.virtual-jpki.invalid")
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, address)]
    )


def _authority_key(authority: Authority) -> x509.AuthorityKeyIdentifier:
    ca = authority.certificate
    digest = x509.SubjectKeyIdentifier.from_public_key(authority.key.public_key()).digest
    return x509.AuthorityKeyIdentifier(digest, [x509.DirectoryName(ca.subject)], ca.serial_number)
