"""OpenSC's way to a signature, on the same virtual card, by count: `pkcs15-crypt` through pcscd and vpcd."""

import contextlib
import hashlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kiosk.simulator.demo.demo_folder import PIN
from kiosk.simulator.tokens.card import CardAnswer
from kiosk.simulator.tokens.jpki_token import ComputingTime, JpkiToken, PinState, TokenKind
from kiosk.simulator.tokens.vpcd import connect, serve_card
from tests.benchmarks.authentication import hierarchy, runs
from tests.benchmarks.row import Lab, Measured, Unmeasured, row

VPCD = ("127.0.0.1", 35963)  #: of pcscd's own configuration
TOOLS = ("pcscd", "opensc-tool", "pkcs15-crypt")
SEARCH = "/usr/bin:/usr/sbin:/bin"
PATIENCE_S = 20.0


@dataclass
class Count:
    """What went over the interface of the card."""

    apdus: int = 0
    to_card: int = 0
    from_card: int = 0


class CountedToken(JpkiToken):
    """Our card, with a count of what is asked of it."""

    count = Count()

    def process(self, apdu: bytes) -> CardAnswer:
        answer = super().process(apdu)
        self.count.apdus += 1
        self.count.to_card += len(apdu)
        self.count.from_card += len(answer.response)
        return answer


def _listening() -> bool:
    with contextlib.suppress(OSError), socket.create_connection(VPCD, timeout=1):
        return True
    return False


def _until(reached: object, what: str) -> None:
    assert callable(reached)
    end = time.monotonic() + PATIENCE_S
    while not reached():
        if time.monotonic() > end:
            raise Unmeasured(f"waited in vain for {what}")
        time.sleep(0.05)


@contextlib.contextmanager
def _pcscd() -> Iterator[None]:
    if _listening():
        yield
        return
    command = ["/usr/sbin/pcscd", "--foreground"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as daemon:
        try:
            _until(_listening, "pcscd's vpcd port")
            yield
        finally:
            daemon.terminate()


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise Unmeasured(f"{command[0]}: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout


def opensc(lab: Lab) -> Count:
    """One signature with key 01 and its PIN; OpenSC's cache of the card is in an empty folder."""
    if missing := [tool for tool in TOOLS if shutil.which(tool, path=SEARCH) is None]:
        raise Unmeasured(f"install opensc, pcscd and vsmartcard-vpcd: no {', '.join(missing)}")
    keys = lab.once(hierarchy)
    token = CountedToken(
        TokenKind.CARD,
        keys.authentication(TokenKind.CARD),
        keys.signature,
        pin=PinState(PIN.encode()),
        time=ComputingTime(0, 0),
    )
    token.count = Count()
    with _pcscd(), connect(*VPCD, PATIENCE_S) as connection, tempfile.TemporaryDirectory() as folder:
        served = threading.Thread(target=serve_card, args=(connection, token))
        served.start()
        try:
            _until(lambda: "Yes" in _said("opensc-tool", "--list-readers"), "the card in pcscd's reader")
            digest = Path(folder) / "digest"
            digest.write_bytes(hashlib.sha256(b"bench").digest())
            token.count = Count()
            _said(
                "pkcs15-crypt", "--sign", "--key", "01", "--pkcs1", "--sha-256", "--pin", PIN,
                "--input", str(digest), "--output", str(Path(folder) / "signature"),
            )  # fmt: skip
            return token.count
        finally:
            connection.shutdown(socket.SHUT_RDWR)
            served.join(PATIENCE_S)


@row("auth_apdus_opensc", "APDUs")
def auth_apdus_opensc(lab: Lab) -> Measured:
    """How many commands OpenSC sends for one signature."""
    count, ours = lab.once(opensc), lab.once(runs).ours[0].dialogue
    return Measured(
        count.apdus, f"pkcs15-crypt --sign with the PIN; ours, certificate included: {ours.apdus}"
    )


@row("auth_bytes_opensc", "bytes")
def auth_bytes_opensc(lab: Lab) -> Measured:
    """How much goes over the card's interface."""
    count, ours = lab.once(opensc), lab.once(runs).ours[0].dialogue
    return Measured(
        count.to_card + count.from_card,
        f"{count.to_card} to the card, {count.from_card} from it; ours: {ours.to_card} and {ours.from_card}",
    )
