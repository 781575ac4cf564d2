"""What must be found nowhere, in every shape that a program might write it in, and where to look for it."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from kiosk.simulator.service.invented_answers import PERSONS

_PIECE = 24  #: bytes of a certificate's key and signature that are looked for: too many to meet by chance


@dataclass(frozen=True)
class Secret:
    """Something by its name, never printed, and the shapes in which it would betray itself."""

    name: str
    shapes: tuple[re.Pattern[bytes], ...]


def of_text(name: str, text: str) -> Secret:
    """A text in the encodings of logs, databases, Python and the clinic's other machines."""
    written = {text.encode("utf-8"), text.encode("utf-16-le"), text.encode("utf-8").hex().encode()}
    written |= {json.dumps(text).strip('"').encode(), repr(text.encode("utf-8"))[2:-1].encode()}
    written.add(text.encode("shift_jis"))
    shapes = [re.escape(each) for each in written if len(each) > 3]
    return Secret(name, tuple(re.compile(shape) for shape in (*shapes, *_base64(text.encode("utf-8")))))


def _base64(data: bytes) -> Iterator[bytes]:
    """What of `data` shows in a base64 text, wherever it begins in the three-byte rhythm."""
    for before in range(3):
        whole = base64.b64encode(bytes(before) + data)
        yield re.escape(whole[4 if before else 0 : len(whole) // 4 * 4 - 4])


def of_digits(name: str, digits: str) -> Secret:
    """A number that may stand nowhere by itself, nor as hex; inside another number it is there by chance."""
    plain = rb"(?<![0-9A-Za-z+/.:-])" + digits.encode() + rb"(?![0-9A-Za-z+/-])"
    return Secret(name, (re.compile(plain), re.compile(digits.encode().hex().encode())))


def of_certificate(name: str, der: bytes) -> Iterator[Secret]:
    """A certificate: itself, its serial number, its holder's name, its fingerprints."""
    read = x509.load_der_x509_certificate(der)
    key = read.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pieces = [der[:200], key[-_PIECE - 8 : -8], read.signature[:_PIECE], read.signature[-_PIECE:]]
    shapes = [re.compile(re.escape(piece)) for piece in pieces]
    shapes += [re.compile(re.escape(piece.hex().encode()), re.IGNORECASE) for piece in pieces]
    shapes += [re.compile(shape) for piece in pieces for shape in _base64(piece)]
    yield Secret(f"{name}: certificate", tuple(shapes))
    pem = base64.b64encode(der)
    lines = [pem[at : at + 64] for at in range(0, len(pem) - 63, 64)]
    # The first lines hold the issuer and the version, which all certificates share.
    yield Secret(f"{name}: PEM", tuple(re.compile(re.escape(line)) for line in lines[len(lines) // 2 :]))
    serial = read.serial_number
    numbers = {f"{serial}", f"{serial:x}", f"{serial:X}"}
    long = [number.encode() for number in numbers if len(number) >= 5]
    bounded = [rb"(?<![0-9A-Za-z+/])" + number + rb"(?![0-9A-Za-z+/])" for number in long]
    yield Secret(f"{name}: serial number", tuple(re.compile(shape) for shape in bounded))
    for digest in (hashlib.sha256(der), hashlib.sha1(der, usedforsecurity=False)):
        shapes = [
            re.compile(re.escape(digest.digest())),
            re.compile(digest.hexdigest().encode(), re.IGNORECASE),
        ]
        yield Secret(f"{name}: {digest.name} fingerprint", tuple(shapes))
    for common_name in read.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
        yield of_text(f"{name}: holder", str(common_name.value))


def of_persons() -> Iterator[Secret]:
    """Everybody whom the simulated service may name in an answer."""
    for number, person in enumerate(PERSONS):
        for what, text in vars(person).items():
            if len(text) >= 5:
                yield of_text(f"person {number}: {what}", text)


@dataclass(frozen=True)
class Found:
    """A secret in a place; no more is said, so that a failing test does not spread it."""

    place: str
    secret: str
    at: int


def search(place: str, content: bytes, secrets: Iterable[Secret]) -> list[Found]:
    """Every secret of which a shape is in `content`."""
    found = []
    for secret in secrets:
        hit = next((match for shape in secret.shapes if (match := shape.search(content))), None)
        if hit is not None:
            found.append(Found(place, secret.name, hit.start()))
    return found


@dataclass
class Eavesdropper:
    """Reads files that live for milliseconds: what stood in the database's journal while it was there."""

    paths: tuple[Path, ...]
    heard: dict[Path, set[bytes]] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Eavesdropper":
        self._thread = threading.Thread(target=self._listen, name="eavesdropper", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _listen(self) -> None:
        while not self._stop.wait(0.001):
            for path in self.paths:
                try:
                    content = path.read_bytes()
                except OSError:
                    continue
                if content:
                    self.heard.setdefault(path, set()).add(content)


def memory_of(pid: int) -> Iterator[tuple[str, bytes]]:
    """Every writable mapping of a process, as far as it may be read now; needs the rights of a debugger."""
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="ascii", errors="replace").splitlines()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in maps:
            limits, rights, *_ = line.split()
            if not rights.startswith("rw") or line.endswith(("[vvar]", "[vsyscall]")):
                continue
            begin, end = (int(each, 16) for each in limits.split("-"))
            content = b""
            try:
                memory.seek(begin)
                while len(content) < end - begin and (chunk := memory.read(end - begin - len(content))):
                    content += chunk
            except OSError:
                pass
            yield line, content
