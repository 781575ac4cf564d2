"""`kiosk simulate field`, `tap` and `card`."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any, get_args

import click

from kiosk.simulator.chip.replay import BadRecordingError, Recording
from kiosk.simulator.chip.tape import describe
from kiosk.simulator.field.field import FieldSettings, VirtualField
from kiosk.simulator.field.field_client import FieldAbsentError, FieldClient, FieldRefusedError
from kiosk.simulator.field.pocket import (
    KINDS,
    TECHNOLOGIES,
    BadOrderError,
    Pocket,
    TokenName,
    TokenOrder,
    TokenState,
)
from kiosk.simulator.radio.airtime import RadioModel, Technology
from kiosk.simulator.radio.picc import RadioFace
from kiosk.simulator.tokens.hierarchy import Hierarchy, default_folder, ensure_hierarchy
from kiosk.simulator.tokens.jpki_token import ComputingTime
from kiosk.simulator.tokens.vpcd import connect, serve_card

TYPES: tuple[Technology, ...] = get_args(Technology)
PATH = click.Path(path_type=Path)
MILLISECONDS = click.FloatRange(min=0)
PKI_HELP = "Folder of the test hierarchy, made if it is not there.  [default: in the user's cache]"


def _hierarchy(folder: Path | None) -> Hierarchy:
    folder = folder or default_folder()
    try:
        return ensure_hierarchy(folder)
    except OSError as fault:
        raise click.ClickException(f"cannot keep the test hierarchy in {folder}: {fault.strerror}") from fault


@click.command()
@click.option("--socket", "path", type=PATH, required=True, help="UNIX socket to listen on.")
@click.option(
    "--vpcd", "vpcd_port", type=click.IntRange(0, 65535), help="Port where card programs lie on the field."
)
@click.option("--vpcd-technology", type=click.Choice(TYPES), default="B", show_default=True)
@click.option(
    "--rate", type=click.Choice(["0", "106"]), default="106", show_default=True, help="0: air costs no time."
)
@click.option("--usb-ms", type=MILLISECONDS, default=0.0, show_default=True, help="Per USB bulk transfer.")
@click.option(
    "--poll-ms", type=MILLISECONDS, default=10.0, show_default=True, help="Per empty InListPassiveTarget."
)
@click.option(
    "--wake-ms", type=MILLISECONDS, default=5.0, show_default=True, help="Until a token answers in the field."
)
@click.option("--card-sign-ms", type=MILLISECONDS, default=400.0, show_default=True)
@click.option("--card-verify-ms", type=MILLISECONDS, default=60.0, show_default=True)
@click.option(
    "--technology", "choices", multiple=True, metavar="TOKEN=A|B", help="Radio type of a token; repeatable."
)
@click.option("--seed", type=int, default=0, help="For identifiers drawn at random.")
@click.option("--pki", type=PATH, help=PKI_HELP)
@click.option(
    "--replay", type=PATH, help="Say again what `kiosk read --record` wrote down, instead of what lies here."
)
def field(
    path: Path,
    vpcd_port: int | None,
    vpcd_technology: Technology,
    rate: str,
    usb_ms: float,
    poll_ms: float,
    wake_ms: float,
    card_sign_ms: float,
    card_verify_ms: float,
    choices: tuple[str, ...],
    seed: int,
    pki: Path | None,
    replay: Path | None,
) -> None:
    """A virtual PN533 and what lies on it."""
    settings = FieldSettings(
        path=path,
        model=RadioModel(106 if rate == "106" else 0, poll_ms / 1000, wake_ms / 1000, usb_ms / 1000),
        time=ComputingTime(card_sign_ms / 1000, card_verify_ms / 1000),
        vpcd_port=vpcd_port,
        vpcd_face=RadioFace(vpcd_technology),
        technologies=_technologies(choices),
        seed=seed,
        replay=None if replay is None else _recording(replay),
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    host = VirtualField(settings, _hierarchy(pki))
    try:
        host.start()
    except OSError as fault:
        where = f"{path}" if vpcd_port is None else f"{path} and port {vpcd_port}"
        raise click.ClickException(f"cannot listen on {where}: {fault.strerror or fault}") from fault
    door = "" if host.vpcd_port is None else f", card programs at 127.0.0.1:{host.vpcd_port}"
    click.echo(f"virtual field at {path}{door}")
    sys.stdout.flush()
    stop.wait()
    host.close()


def _recording(path: Path) -> Recording:
    try:
        return Recording.load(path)
    except BadRecordingError as fault:
        raise click.ClickException(str(fault)) from fault
    except OSError as fault:
        raise click.ClickException(f"cannot read {path}: {fault.strerror}") from fault


def _technologies(choices: tuple[str, ...]) -> Mapping[TokenName, Technology]:
    possible: dict[str, tuple[TokenName, Technology]] = {
        f"{name}={technology}": (name, technology) for name in TECHNOLOGIES for technology in TYPES
    }
    technologies = dict(TECHNOLOGIES)
    for choice in choices:
        if choice not in possible:
            raise click.UsageError(
                f"--technology {choice}: TOKEN is one of {', '.join(TECHNOLOGIES)}, then =A or =B"
            )
        name, technology = possible[choice]
        technologies[name] = technology
    return technologies


@click.command()
@click.argument("token", type=click.Choice([*get_args(TokenName), "none"]))
@click.option("--socket", "path", type=PATH, required=True, help="UNIX socket of the field.")
@click.option("--state", type=click.Choice(get_args(TokenState)), help="Default: as its last tap left it.")
@click.option("--pin", help="Four digits.  [default: 1234]")
@click.option("--technology", type=click.Choice(TYPES))
@click.option("--key", type=click.Choice(["rsa", "ec"]))
@click.option("--beside", is_flag=True, default=None, help="Leave there what lies there.")
@click.option("--remove-after-apdu", type=click.IntRange(0), help="Goes by itself after so many answers.")
@click.option(
    "--remove-after-frame", type=click.IntRange(0), help="Goes by itself after so many block frames."
)
@click.option(
    "--then", type=click.Choice(get_args(TokenName)), help="Takes its place when it goes by itself."
)
@click.option(
    "--forgets",
    type=click.Choice(["deselect", "field-off", "both", "never"]),
    help="iPhone: Face ID lost by.",
)
@click.option("--wtx-first", type=click.IntRange(0), help="S(WTX) before each response.")
@click.option("--wtx-in-chain", type=click.IntRange(0), help="S(WTX) at every n-th link of a chain.")
def tap(token: str, path: Path, **settings: Any) -> None:
    """Lay a token on the virtual field, or take off what lies there (none)."""
    try:
        with FieldClient(path) as client:
            if token == "none":
                client.remove()
            else:
                client.tap(token, **{name: value for name, value in settings.items() if value is not None})
    except (FieldAbsentError, FieldRefusedError) as fault:
        raise click.ClickException(str(fault)) from fault


@click.command()
@click.option(
    "--to", "address", required=True, metavar="HOST:PORT", help="Where a vpcd listens; pcscd's is port 35963."
)
@click.option("--token", type=click.Choice(list(KINDS)), default="card", show_default=True)
@click.option("--state", type=click.Choice(get_args(TokenState)), default="normal", show_default=True)
@click.option("--pin", default="1234", show_default=True)
@click.option("--key", type=click.Choice(["rsa", "ec"]), default="rsa", show_default=True)
@click.option("--card-sign-ms", type=MILLISECONDS, default=0.0, show_default=True)
@click.option("--card-verify-ms", type=MILLISECONDS, default=0.0, show_default=True)
@click.option("--patience", type=click.FloatRange(min=0), default=10.0, help="Seconds to try to connect.")
@click.option("--pki", type=PATH, help=PKI_HELP)
def card(
    address: str,
    token: TokenName,
    state: TokenState,
    pin: str,
    key: str,
    card_sign_ms: float,
    card_verify_ms: float,
    patience: float,
    pki: Path | None,
) -> None:
    """Put our card into a vpcd reader, until that closes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise click.UsageError("--to needs HOST:PORT")
    try:
        order = TokenOrder.from_json({"token": token, "state": state, "pin": pin, "key": key})
    except BadOrderError as fault:
        raise click.UsageError(str(fault)) from fault
    times = ComputingTime(card_sign_ms / 1000, card_verify_ms / 1000)
    pocket = Pocket(_hierarchy(pki), times, time.monotonic, Random(0))  # noqa: S311 (identifiers of a test card)
    try:
        connection = connect(host, int(port), patience)
    except OSError as fault:
        raise click.ClickException(
            f"no vpcd at {address}: {fault.strerror or fault}; is pcscd running?"
        ) from fault
    with connection:
        click.echo(f"{token} in the reader at {address}")
        sys.stdout.flush()
        serve_card(connection, pocket.jpki_token(order))


@click.command()
@click.argument("file", type=PATH)
def tape(file: Path) -> None:
    """Tell what a recording of `kiosk read --record` says, without any data of the token."""
    for line in describe(_recording(file)):
        click.echo(line)


@click.group()
def simulate() -> None:
    """These commands alone, where the whole command line is not wanted: python -m
    kiosk.simulator.field.field_commands.
    """


for command in (field, tap, card, tape):
    simulate.add_command(command)

if __name__ == "__main__":
    simulate()
