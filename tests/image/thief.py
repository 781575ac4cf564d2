"""The stolen card: what somebody finds who has it and knows what to look for."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kiosk.simulator.service.answers import PERSONS
from kiosk.uploader.service import Service
from kiosk.uploader.tls import Credentials
from tests.image.crash import mounted

CHUNK = 8 << 20
OVERLAP = 256  #: longer than anything looked for


def words(*secrets: str) -> dict[str, bytes]:
    """What must not be there, in every coding that the kiosk or the receipt computer could have written."""
    found: dict[str, bytes] = {}
    persons = [text for person in PERSONS for text in (person.name, person.kana)]
    for text in (*secrets, *persons):
        for coding in ("utf-8", "cp932", "utf-16-le"):
            found[f"{text} ({coding})"] = text.encode(coding)
    return found


def strings_in(path: Path, wanted: dict[str, bytes]) -> list[str]:
    """Which of them lie anywhere in a file, also in free blocks and in journals."""
    found: set[str] = set()
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            if any(chunk):
                found |= {name for name, text in wanted.items() if text in tail + chunk}
            tail = chunk[-OVERLAP:]
    return sorted(found)


def carve(path: Path, out: Path) -> list[Path]:
    """SQLite databases by their first bytes, each cut out as far as its header says."""
    magic = b"SQLite format 3\0"
    data = subprocess.run(
        ["grep", "-obUaP", "SQLite format 3\\x00", str(path)], capture_output=True, check=False
    )
    carved = []
    for line in data.stdout.splitlines():
        at = int(line.split(b":")[0])
        with path.open("rb") as file:
            file.seek(at)
            head = file.read(100)
            page = int.from_bytes(head[16:18], "big") or 65536
            count = int.from_bytes(head[28:32], "big")
            if head.startswith(magic) and 512 <= page <= 65536 and 0 < count < 100_000:
                file.seek(at)
                goal = out / f"carved-{at}.sqlite"
                goal.write_bytes(file.read(page * count))
                carved.append(goal)
    return carved


def keys_on(partition: Path, out: Path) -> Credentials | None:
    """The client key and certificate, as a thief would copy them."""
    with mounted(partition) as folder:
        place = folder / "lib/kiosk-uploader"
        if not (place / "terminal.key").exists():
            return None
        for name in ("terminal.key", "terminal.pem"):
            (out / name).write_bytes((place / name).read_bytes())
            (out / name).chmod(0o600)
        (out / "ca.pem").write_bytes((folder / "lib/kiosk/service-ca.pem").read_bytes())
    load_pem_private_key((out / "terminal.key").read_bytes(), None)
    return Credentials(out / "ca.pem", out / "terminal.pem", out / "terminal.key")


def told(url: str, credentials: Credentials, records: Sequence[str]) -> list[str]:
    """What the service answers to the stolen key about each record, as text."""
    service = Service(url, credentials, 10.0)
    return [repr(service.status(record)) for record in records]
