"""`kiosk read`: one token as JSON on stdout, for whoever sets a kiosk up and for programs."""

import hashlib
import json
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import click

from kiosk.nfc import recording
from kiosk.nfc.antenna import Antenna, Found, Several
from kiosk.nfc.pn533 import Pn533, open_reader
from kiosk.nfc.presentation import TokenReader, read_to_end
from kiosk.nfc.protocol.certificate import Doubt, TrustStore
from kiosk.nfc.protocol.faults import ReaderGone
from kiosk.nfc.protocol.secret import Pin, wipe
from kiosk.nfc.protocol.token_contact import (
    Authenticated,
    Digests,
    Failed,
    Learnt,
    Order,
    Other,
    Outcome,
    Wrong,
)
from kiosk.nfc.recording import RecordingTransport
from kiosk.nfc.trust_folder import TrustFolderError, load_trust_folder
from kiosk.nfc.wall_clock import WallClock, now_utc
from kiosk.qualification.terms import SignatureAlgorithm

LOOK_EVERY_S = 0.02
CHALLENGE_SIZE = 32


def _digests(challenge: bytes) -> Digests:
    return {
        SignatureAlgorithm.RSA_PKCS1_SHA256: hashlib.sha256(challenge).digest(),
        SignatureAlgorithm.ECDSA_P384_SHA384: hashlib.sha384(challenge).digest(),
    }


@click.command()
@click.option(
    "--device", default="usb", show_default=True, metavar="DEVICE", help="usb, usb:04e6:5591 or virtual:PATH."
)
@click.option("--pin-stdin", is_flag=True, help="Read the four digits of the PIN from standard input.")
@click.option(
    "--trust",
    "trust_folder",
    type=click.Path(path_type=Path),
    default=Path("trust"),
    show_default=True,
    help="Folder of the CA certificates.",
)
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=20.0, show_default=True, metavar="S")
@click.option("--trust-clock", is_flag=True, help="Check dates though nobody has synchronised this clock.")
@click.option("--type-b-modulation", "modulation", type=click.IntRange(0, 255), default=4, show_default=True)
@click.option(
    "--record",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write down every frame to and from the reader, VERIFY data blanked. It holds the certificate.",
)
@click.option(
    "--challenge", metavar="HEX", help="Sign this instead of a random one: a recording's, to replay it."
)
def read(
    device: str,
    pin_stdin: bool,
    trust_folder: Path,
    timeout: float,
    trust_clock: bool,
    modulation: int,
    record: Path | None,
    challenge: str | None,
) -> None:
    """Read one token and print what it gave as JSON.

    With the PIN (card, Android) or after Face ID (iPhone) it signs a random challenge; without, a card's
    certificate and PIN counter are read. Exit code 0: signature valid and chain trusted.
    """
    signed = _challenge(challenge)
    tape = None if record is None else _tape(record, device, signed)
    pin = Pin()
    if pin_stdin:
        pin.take(_typed_pin())
    try:
        report = _read(
            _opener(device, modulation, tape), pin, signed, trust_folder, timeout, _clock(trust_clock)
        )
    finally:
        if tape is not None:
            tape.close()
        pin.forget()
    click.echo(json.dumps(report, ensure_ascii=False))
    trusted = report["certificate"] is not None and report["certificate"]["chain"] == "trusted"
    sys.exit(0 if trusted and report["signature"] == "valid" else 1)


def _typed_pin() -> bytearray:
    digits = bytearray(sys.stdin.buffer.readline(16).rstrip(b"\r\n"))
    if len(digits) != 4 or not digits.isdigit():
        wipe(digits)
        raise click.UsageError("--pin-stdin needs four digits on standard input")
    return digits


def _challenge(text: str | None) -> bytes:
    try:
        challenge = secrets.token_bytes(CHALLENGE_SIZE) if text is None else bytes.fromhex(text)
    except ValueError:
        challenge = b""
    if len(challenge) != CHALLENGE_SIZE:
        raise click.UsageError(f"--challenge needs {CHALLENGE_SIZE} bytes in hexadecimal")
    return challenge


def _tape(path: Path, device: str, challenge: bytes) -> IO[str]:
    made = now_utc().strftime("%Y-%m-%dT%H:%M:%SZ")
    return recording.begin(path, recording.Head(recording.FORMAT, made, device, challenge.hex()))


def _opener(device: str, modulation: int, tape: IO[str] | None) -> Callable[[], Pn533]:
    if tape is None:
        return lambda: open_reader(device, modulation)
    return lambda: open_reader(
        device, modulation, lambda transport: RecordingTransport(transport, tape, time.monotonic)
    )


def _clock(trusted: bool) -> WallClock:
    return WallClock(trusted=lambda: True) if trusted else WallClock()


def _read(
    opener: Callable[[], Pn533],
    pin: Pin,
    challenge: bytes,
    trust_folder: Path,
    timeout: float,
    wall: WallClock,
) -> dict[str, Any]:
    try:
        store = load_trust_folder(trust_folder)
    except TrustFolderError as fault:
        return _report(Learnt(), "trust", str(fault))
    try:
        antenna = Antenna(opener())
    except ReaderGone as fault:
        return _report(Learnt(), "reader", str(fault))
    try:
        return _with_reader(antenna, pin, _digests(challenge), store, wall, timeout, time.monotonic)
    except ReaderGone as fault:
        return _report(Learnt(), "reader", str(fault))
    finally:
        antenna.close()


def _with_reader(
    antenna: Antenna,
    pin: Pin,
    digests: Digests,
    store: TrustStore,
    wall: WallClock,
    timeout: float,
    clock: Callable[[], float],
) -> dict[str, Any]:
    found = _wait_for_token(antenna, clock() + timeout, clock)
    if found is None:
        return _report(Learnt(), "no_token", f"no token was presented within {timeout:g} s")
    order = Order(None, None) if pin.held else None
    done = read_to_end(TokenReader(store, wall, pin).read(antenna, found, order), digests)
    return _report(done.learnt, *_error(done.outcome))


def _wait_for_token(antenna: Antenna, until: float, clock: Callable[[], float]) -> Found | Several | None:
    while (found := antenna.look()) is None and clock() < until:
        time.sleep(LOOK_EVERY_S)
    return found


def _error(outcome: Outcome | None) -> tuple[str | None, str]:
    match outcome:
        case None | Authenticated():
            return None, ""
        case Failed(failure=failure, reason=reason):
            return failure.value, reason
        case Wrong(kind=kind):
            return "wrong_token", f"this is not a My Number card or phone ({kind.value})"
        case Other():
            return "unknown_token", "a My Number token whose name is newer than this program"


def _report(learnt: Learnt, code: str | None, reason: str) -> dict[str, Any]:
    leaf, valid = learnt.leaf, learnt.signature_valid
    certificate = None
    if leaf is not None:
        strange = learnt.doubt in (Doubt.UNKNOWN_ISSUER, Doubt.KEY_USAGE)
        certificate = {
            "serial": leaf.serial,
            "not_after": leaf.not_after,
            "key": leaf.key_name,
            "chain": "untrusted" if strange else "trusted",
        }
    return {
        "token": "unknown" if learnt.token is None else learnt.token.device.value,
        "certificate": certificate,
        "signature": "none" if valid is None else "valid" if valid else "invalid",
        "attempts_left": learnt.tries,
        "stages": [
            {
                "name": stage.name,
                "ms": stage.ms,
                "apdus": stage.apdus,
                "bytes_to": stage.bytes_to,
                "bytes_from": stage.bytes_from,
            }
            for stage in learnt.stages
        ],
        "error": None if code is None else {"code": code, "say": reason},
    }
