"""The public file shape: reading a long bulk answer, and how soon an answer lies in the clinic's folder."""

import gc
import os
import time
from pathlib import Path

from kiosk.simulator.service.service_pki import make_client
from kiosk.simulator.terminal.people import crowd
from kiosk.uploader.oqs.code_tables import CharacterCode
from kiosk.uploader.oqs.document import Read, read, write
from kiosk.uploader.oqs.messages import Body, FileHeader, XmlMsg
from tests.benchmarks.row import Lab, Measured, Unmeasured, at_most, ms_of, percentile, row, spread
from tests.simulator.service.running import running_service
from tests.uploader.world import INSTITUTION, TERMINAL, Token, running_uploader, write_config

LINES = 5_000
ROUNDS = 5
VISITS = 40
PATIENCE_S = 10.0
HANDOVER = '\n[handover]\nfolder = "face"\nshare = false\n'


@row("oqs_bulk_parse_ms", "ms", goal=at_most(1_000))
def oqs_bulk_parse_ms(lab: Lab) -> Measured:
    """A bulk answer about 5,000 persons, from bytes to models."""
    header = FileHeader(SegmentOfResult="1", ReceptionNumber="R1", CharacterCodeIdentifier="1")
    message = XmlMsg(MessageHeader=header, MessageBody=Body(BulkConfirmUnit=tuple(crowd(LINES))))
    took: list[float] = []
    elements = sum(len(unit.shown()) for unit in message.body.BulkConfirmUnit)
    sizes = []
    for code in CharacterCode:
        data = write(message, code)
        sizes.append(f"{code.ja} {len(data) / 1e6:.1f} MB")
        for _ in range(ROUNDS):
            count = 0

            def one(_unit: object) -> None:
                nonlocal count
                count += 1

            gc.collect()
            took.append(ms_of(lambda data=data: read(data, one)))  # type: ignore[misc]
            if count != LINES:
                raise Unmeasured("not all lines were read")
    return Measured(
        percentile(took, 50),
        f"median; {LINES} persons, {elements / LINES:.0f} elements each, {', '.join(sizes)};"
        f" {spread(took, 0)}",
    )


def _seen(folder: Path, before: set[str]) -> tuple[float, str]:
    """When another program, listing the folder again and again, sees a new file."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        new = {entry.name for entry in os.scandir(folder) if entry.is_file()} - before
        if new:
            return time.monotonic(), new.pop()
        time.sleep(0.0005)
    raise Unmeasured("no file came")


@row("handover_ms", "ms", goal=at_most(100))
def handover_ms(lab: Lab) -> Measured:
    """The service hands its answer to the connection → the whole file is seen in the folder."""
    folder = lab.subfolder("handover")
    (folder / "face").mkdir()
    service = lab.enter(running_service(folder / "service"))
    client = make_client(service.files, folder / "client", INSTITUTION, TERMINAL)
    config = write_config(folder, service.url, service.files.ca, client.certificate, client.key)
    config.write_text(config.read_text(encoding="utf-8") + HANDOVER, encoding="utf-8")
    took: list[float] = []
    with running_uploader(config, Token.make()) as uploader, uploader.screen() as screen:
        screen.keys()
        for _ in range(VISITS):
            before = {path.name for path in (folder / "face").iterdir()}
            visit = screen.visit()
            seen, name = _seen(folder / "face", before)
            if not isinstance(read((folder / "face" / name).read_bytes()), Read):
                raise Unmeasured("the file was not whole when it was seen")
            sent = service.control.answered_at(visit)
            if sent is None:
                raise Unmeasured("the service did not answer a record that was handed over")
            took.append((seen - sent) * 1000)
    return Measured(
        percentile(took, 95),
        f"95 % of {VISITS} visits: TLS, commit of the answer with its syncs, file flushed and moved on "
        f"the local disk; {spread(took, 1)}",
    )
