"""The stolen card: what somebody finds who has it and knows what to look for."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from kiosk.simulator.demo.demo_folder import INSTITUTION, STAFF_PASSCODE
from kiosk.simulator.service.invented_answers import PERSONS
from kiosk.uploader.service.custody import is_sealed, load_key
from kiosk.uploader.service.service_client import ServiceClient
from kiosk.uploader.service.tls import Credentials
from tests.image import host_key
from tests.image.counter import TERMINAL, Counter
from tests.image.crash import mounted
from tests.image.replay import DATA, copy_range, partition
from tests.image.report import Report

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
            if chunk.strip(b"\0"):
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
    """The client key and certificate, as a thief would copy them who knows systemd-creds: the host key lies
    on the same card, opens the device's secret, and that opens the key. None when one of them is not there.
    """
    with mounted(partition) as folder:
        place = folder / "lib/kiosk-uploader"
        if not (place / "terminal.key").exists():
            return None
        secret = host_key.opened(folder / "lib/kiosk-secret")
        for name in ("terminal.key", "terminal.pem"):
            (out / name).write_bytes((place / name).read_bytes())
            (out / name).chmod(0o600)
        (out / "ca.pem").write_bytes((folder / "lib/kiosk/service-ca.pem").read_bytes())
    if secret is None or load_key((out / "terminal.key").read_bytes(), secret) is None:
        return None
    return Credentials(out / "ca.pem", out / "terminal.pem", out / "terminal.key", secret)


def told(url: str, credentials: Credentials, records: Sequence[str]) -> list[str]:
    """What the service answers to the stolen key about each record, as text."""
    service = ServiceClient(url, credentials, 10.0)
    return [repr(service.status(record)) for record in records]


def stolen(counter: Counter, report: Report, card: Path, code: str, records: list[str]) -> None:
    """The card in a thief's hands, which enrolled with `code`, before and after the clinic had it revoked."""
    work = counter.folder / "thief"
    work.mkdir(exist_ok=True)
    data = work / "data.img"
    copy_range(card, partition(card, DATA), data)
    wanted = words(code, STAFF_PASSCODE)
    found = strings_in(data, wanted)
    report.figure(f"of {len(wanted)} secrets and persons, found on the card", str(len(found)), not found)
    for each in found:
        report.say(f"on the card: {each}")
    report.figure("databases carved from it", str(len(carve(data, work))))
    credentials = keys_on(data, work)
    opened = "opened with the host key on it" if credentials else "not opened"
    report.figure("client key on the card (level 0)", opened)
    if credentials is None:
        return
    sealed = is_sealed(credentials.key)
    report.figure("  lies sealed", "yes" if sealed else "no", sealed)
    url = f"https://127.0.0.1:{counter.ports[0]}"
    answers = " ".join(told(url, credentials, records))
    persons = [name for name, text in words().items() if text in answers.encode()]
    report.figure("persons that the service tells that key", str(len(persons)), not persons)
    counter.service.revoke(INSTITUTION, TERMINAL)
    after = told(url, credentials, records)
    refused = all("Problem" in each or "Fault" in each for each in after)
    report.figure("the same key once it is revoked", "refused" if refused else "answered", refused)
