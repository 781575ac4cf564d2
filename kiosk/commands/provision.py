"""`kiosk provision`: settings checked, this kiosk enrolled, passcodes of staff hashed."""

import secrets
import sys
from pathlib import Path

import click

from kiosk.config import load
from kiosk.staff import SALT_BYTES, hash_passcode
from kiosk.uploader import enrolment, service
from kiosk.uploader.from_settings import credentials_of

MIN_DIGITS, MAX_DIGITS = 6, 12  #: the screen's pad has digits only; six hold off guessing between two alarms


@click.group()
def provision() -> None:
    """Set a kiosk up: check, enrol, passcode."""


@provision.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check a settings file; every fault is named with its line."""
    settings = load(file)
    click.echo(f"{file}: is in order ({settings.clinic.name}, terminal {settings.clinic.terminal})")


@provision.command()
@click.option("--config", required=True, type=click.Path(path_type=Path), help="The settings, kiosk.toml.")
@click.option("--code", required=True, help="The activation code, 12 digits.")
@click.option("--enrolment-url", required=True, help="https://HOST:PORT of the service's enrolment.")
def enrol(config: Path, code: str, enrolment_url: str) -> None:
    """Make this kiosk's key and get its certificate.

    May be repeated with the same code, also after a power cut: the same key gets the same certificate.
    """
    digits = code.replace("-", "").replace(" ", "")
    if len(digits) != 12 or not (digits.isascii() and digits.isdigit()):
        raise click.UsageError("--code must be the 12 digits of the activation code")
    if not enrolment_url.startswith("https://"):
        raise click.UsageError("--enrolment-url must begin with https://")
    settings = load(config)
    try:
        done = enrolment.enrol(
            settings,
            digits,
            lambda request: service.enrol(
                enrolment_url, credentials_of(settings), request, settings.service.timeout_s
            ),
        )
    except enrolment.EnrolmentError as fault:
        raise click.ClickException(str(fault)) from None
    click.echo(f"enrolled at {done.service}; {done.certificate} is valid until {done.not_after}")


@provision.command()
def passcode() -> None:
    """Hash a passcode, typed or on standard input, for a [[staff]] section of the settings."""
    typed = _typed()
    try:
        if not MIN_DIGITS <= len(typed) <= MAX_DIGITS or not typed.isdigit():
            raise click.ClickException(f"a passcode is {MIN_DIGITS} to {MAX_DIGITS} digits")
        click.echo(hash_passcode(typed, secrets.token_bytes(SALT_BYTES)))
    finally:
        typed[:] = bytes(len(typed))


def _typed() -> bytearray:
    if sys.stdin.isatty():
        return bytearray(click.prompt("Passcode", hide_input=True, confirmation_prompt=True).encode())
    return bytearray(sys.stdin.buffer.readline(64).rstrip(b"\r\n"))
