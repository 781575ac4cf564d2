"""A JPKI card written apart from the kiosk: a flat script that shares no line and no import with it.

    python foreign_card.py HOST PORT CA.pem [PAUSE]

connects to a vpcd (pcscd's or the virtual field's), writes its own CA to CA.pem, and answers until the
other side hangs up. PIN 5678. PAUSE is how many seconds it thinks before each signature.
"""

import datetime
import socket
import sys
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def make_keys() -> tuple[rsa.RSAPrivateKey, bytes, bytes]:
    root, leaf = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Foreign card works")])
    holder = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "foreign holder 1")])
    today = datetime.datetime.now(datetime.UTC)

    def certify(name: x509.Name, public: rsa.RSAPublicKey, is_ca: bool) -> x509.Certificate:
        draft = x509.CertificateBuilder(issuer, name, public, x509.random_serial_number())
        draft = draft.not_valid_before(today - datetime.timedelta(days=2))
        draft = draft.not_valid_after(today + datetime.timedelta(days=700))
        draft = draft.add_extension(x509.BasicConstraints(is_ca, None), True)
        usage = [not is_ca, False, False, False, False, is_ca, is_ca, False, False]
        draft = draft.add_extension(x509.KeyUsage(*usage), True)
        if not is_ca:
            draft = draft.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
        return draft.sign(root, hashes.SHA256())

    pem = certify(issuer, root.public_key(), True).public_bytes(serialization.Encoding.PEM)
    der = certify(holder, leaf.public_key(), False).public_bytes(serialization.Encoding.DER)
    return leaf, der, pem


class Card:
    def __init__(self, key: rsa.RSAPrivateKey, certificate: bytes, pause: float) -> None:
        self.numbers = key.private_numbers()
        self.files = {b"\x00\x06": b"JPKIAPICCTOKEN2".ljust(32) + bytes(128), b"\x00\x0a": certificate}
        self.special = (b"\x00\x17", b"\x00\x18")
        self.left, self.pause = 3, pause
        self.reset()

    def reset(self) -> None:
        self.in_application = self.trusted = False
        self.current = b""

    def raw_rsa(self, block: bytes) -> bytes:
        modulus = self.numbers.public_numbers.n
        padded = b"\x00\x01" + b"\xff" * (256 - 3 - len(block)) + b"\x00" + block
        return pow(int.from_bytes(padded, "big"), self.numbers.d, modulus).to_bytes(256, "big")

    def handle(self, apdu: bytes) -> bytes:
        header, body = apdu[:4], apdu[4:]
        data = body[1 : 1 + body[0]] if len(body) > 1 and body[0] else b""
        if header[:2] == b"\x00\xa4":
            return self.select(header[2], data)
        if not self.in_application:
            return b"\x69\x85"
        if header[:2] == b"\x00\xb0":
            return self.read(header[2], header[3], body)
        if header == b"\x00\x20\x00\x80" and self.current == b"\x00\x18":
            return self.verify(data)
        if header == b"\x80\x2a\x00\x80" and self.current == b"\x00\x17":
            time.sleep(self.pause)
            return self.raw_rsa(data) + b"\x90\x00" if self.trusted else b"\x69\x82"
        return b"\x6d\x00"

    def select(self, how: int, name: bytes) -> bytes:
        if how == 4:
            self.reset()
            self.in_application = name.hex() == "d392f000260100000001"
            return b"\x90\x00" if self.in_application else b"\x6a\x82"
        if how != 2 or not self.in_application or not (name in self.files or name in self.special):
            return b"\x6a\x82"
        self.current = name
        return b"\x90\x00"

    def read(self, high: int, low: int, body: bytes) -> bytes:
        if high & 0x80:
            return b"\x6a\x86"  # this card knows no short file identifiers
        if self.current not in self.files:
            return b"\x69\x86"
        length = int.from_bytes(body[1:], "big") or 65536 if len(body) == 3 else body[0] or 256
        start = high * 256 + low
        return self.files[self.current][start : start + length] + b"\x90\x00"

    def verify(self, pin: bytes) -> bytes:
        if not pin:
            return bytes((0x63, 0xC0 + self.left))
        if not self.left:
            return b"\x69\x84"
        self.trusted = pin == b"5678"
        self.left = 3 if self.trusted else self.left - 1
        return b"\x90\x00" if self.trusted else bytes((0x63, 0xC0 + self.left))


def main(host: str, port: str, ca_file: str, pause: str = "0") -> None:
    key, certificate, ca = make_keys()
    with open(ca_file, "wb") as out:  # noqa: PTH123
        out.write(ca)
    card = Card(key, certificate, float(pause))
    stream = socket.create_connection((host, int(port))).makefile("rwb")
    while size := stream.read(2):
        message = stream.read(int.from_bytes(size, "big"))
        if len(message) > 1:
            answer = card.handle(message)
        elif message == b"\x04":
            answer = bytes.fromhex("3B88800100000000E0B381A1005A")
        else:
            card.reset()
            continue
        stream.write(len(answer).to_bytes(2, "big") + answer)
        stream.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
