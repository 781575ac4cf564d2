"""`kiosk provision`: settings checked, this kiosk enrolled, passcodes of staff hashed."""

import os
import re
import secrets
import sys
from pathlib import Path

import click

from kiosk.config.first_boot_settings import ACTIVATION_CODE, PASSCODE, PASSCODE_WHAT, digits_of
from kiosk.config.passcodes import SALT_BYTES, hash_passcode
from kiosk.config.settings import ConfigError, Settings, load, load_card
from kiosk.config.table import ConfigFault
from kiosk.provisioning import fault_lines as notice
from kiosk.provisioning.settings_page import html
from kiosk.uploader.identity import enrolment
from kiosk.uploader.service import service_client as service
from kiosk.uploader.service.credentials import credentials_of
from kiosk.uploader.service.custody import device_secret

LANGUAGES = click.Choice(["ja", "en"])


def _readers_language() -> str:
    """The language of the terminal: the POSIX variables, the most binding first."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name):
            return "ja" if os.environ[name].startswith("ja") else "en"
    return "en"


@click.group()
def provision() -> None:
    """Set a kiosk up: check, enrol, passcode."""


@provision.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--enrolled", is_flag=True, help="The kiosk was set up before: no activation code is wanted.")
@click.option("--language", type=LANGUAGES, default=_readers_language, help="[default: the terminal's]")
def check(file: Path, enrolled: bool, language: str) -> None:
    """Check the settings file of a card before its first boot; every fault is named with its line."""
    try:
        card = load_card(file, fresh=not enrolled)
    except ConfigError as refused:
        for line in notice.lines(refused.faults, language):
            click.echo(f"{file}: {line}", err=True)
        raise click.exceptions.Exit(1) from None
    settings = card.settings
    for line in notice.lines((*card.doubts, *_absent(file, settings)), language):
        click.echo(f"{file}: {line}", err=True)
    clinic = f"{settings.clinic.name}, {settings.clinic.institution}, {settings.clinic.terminal}"
    click.echo(f"{file}: {'このまま使えます' if language == 'ja' else 'is in order'} ({clinic})")


def _absent(file: Path, settings: Settings) -> list[ConfigFault]:
    """What the settings expect beside them; elsewhere only the kiosk can look."""
    beside = file.resolve().parent
    wanted = (settings.service.ca, settings.reader.trust)
    return [
        ConfigFault(
            None,
            path.name,
            "is not beside the settings; put it there",
            "が設定の隣にありません。置いてください",
        )
        for path in wanted
        if path.is_relative_to(beside) and not path.exists()
    ]


@provision.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The HTML file to write.")
def page(out: Path) -> None:
    """Write the page that checks a settings file in any browser, without a line."""
    out.write_text(html(), encoding="utf-8")
    click.echo(f"{out}: written")


@provision.command()
@click.option("--config", required=True, type=click.Path(path_type=Path), help="The settings, kiosk.toml.")
@click.option("--code", required=True, help="The activation code, 12 digits; - reads it from standard input.")
@click.option("--enrolment-url", required=True, help="https://HOST:PORT of the service's enrolment.")
@click.option(
    "--sealed", is_flag=True, help="The last line of standard input is the secret to seal the key with."
)
def enrol(config: Path, code: str, enrolment_url: str, sealed: bool) -> None:
    """Make this kiosk's key and get its certificate.

    May be repeated with the same code, also after a power cut: the same key gets the same certificate.
    """
    if code == "-":
        code = sys.stdin.readline().strip()
    if not re.fullmatch(ACTIVATION_CODE, code):
        raise click.UsageError("--code must be the 12 digits of the activation code")
    if not enrolment_url.startswith("https://"):
        raise click.UsageError("--enrolment-url must begin with https://")
    secret = sys.stdin.readline().strip().encode() if sealed else device_secret(os.environ)
    if sealed and not secret:
        raise click.UsageError("--sealed needs the secret on standard input")
    settings = load(config)
    try:
        done = enrolment.enrol(
            settings,
            secret,
            digits_of(code),
            lambda request: service.enrol(
                enrolment_url, credentials_of(settings.service, b""), request, settings.service.timeout_s
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
        if not re.fullmatch(PASSCODE.encode(), typed):
            raise click.ClickException(f"a passcode is {PASSCODE_WHAT}")
        click.echo(hash_passcode(typed, secrets.token_bytes(SALT_BYTES)))
    finally:
        typed[:] = bytes(len(typed))


def _typed() -> bytearray:
    if sys.stdin.isatty():
        return bytearray(click.prompt("Passcode", hide_input=True, confirmation_prompt=True).encode())
    return bytearray(sys.stdin.buffer.readline(64).rstrip(b"\r\n"))
