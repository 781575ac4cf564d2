"""`kiosk update`: what newer version there is, installing it, restarting into it; and publishing one."""

import hashlib
import json
import time
from datetime import datetime
from pathlib import Path

import click
import msgspec

from kiosk.box import rauc
from kiosk.channel import (
    AskStatus,
    AskUpdate,
    RestartKiosk,
    StartUpdate,
    Status,
    UpdateFault,
    UpdateOffer,
    UpdatePhase,
    UpdateSource,
    UpdateStatus,
)
from kiosk.commands.uploader_client import UploaderClient, config_option
from kiosk.uploader.updates import channel_file
from kiosk.uploader.updates.stick import changes_of

WHO = "kiosk"  #: in the audit table: not a member of staff
LOOK_S = 60.0  #: a plain bundle on a slow stick is read whole
_SHOWN = {
    UpdatePhase.FETCHING: "Fetching",
    UpdatePhase.CHECKING: "Checking",
    UpdatePhase.INSTALLING: "Installing",
}


@click.group(invoke_without_command=True)
@click.pass_context
def update(context: click.Context) -> None:
    """Newer versions: `show` (the default), `install`, `restart`; `publish` for who serves a channel."""
    if context.invoked_subcommand is None:
        context.invoke(show)


@update.command()
@config_option
def show(config: Path) -> None:
    """What runs, and what may be installed: from the channel, from a USB stick."""
    with UploaderClient(config) as client:
        status = _looked(client)
    click.echo(f"running   {status.running}")
    if status.phase is UpdatePhase.INSTALLED:
        click.echo(f"installed {status.version}: in force with the next start; `kiosk update restart`")
    for offer in status.offers:
        hour = "" if offer.by_hand else f", from {offer.by_hand_from} on"
        click.echo(f"{offer.source:9} {offer.version}, {offer.megabytes:g} MB{hour}")
        for line in offer.changes.get("en") or offer.changes.get("ja") or ():
            click.echo(f"          - {line}")
    if status.fault is not None:
        click.echo(f"last      {sentence(status.fault)}")
    for fault in status.absent:
        click.echo(f"{fault.source:9} {sentence(fault)}")


@update.command()
@config_option
@click.option(
    "--from",
    "source",
    type=click.Choice([source.value for source in UpdateSource]),
    help="Where from; else what there is.",
)
def install(config: Path, source: str | None) -> None:
    """Fetch, check and install the newer version. It is in force after `kiosk update restart`."""
    with UploaderClient(config) as client:
        status = _looked(client)
        offer = _chosen(status, None if source is None else UpdateSource(source))
        client.ask(AskStatus(), Status)  # nothing of an earlier attempt is still under way to us
        client.send(StartUpdate(staff=WHO, version=offer.version, source=offer.source))
        done = _followed(client, offer)
    if done.fault is not None:
        raise click.ClickException(f"{offer.version} was not installed: {sentence(done.fault)}")
    click.echo(f"{offer.version} is installed; in force with the next start: `kiosk update restart`")


@update.command()
@config_option
def restart(config: Path) -> None:
    """Start the kiosk again, with what was installed; waits for the end of a visit."""
    with UploaderClient(config) as client:
        status = client.ask(RestartKiosk(staff=WHO), UpdateStatus)
    click.echo(f"the kiosk starts again with {status.version or status.running} when no visit goes on")


@update.command()
@click.argument("bundle", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--conf",
    type=click.Path(path_type=Path),
    default=Path("/etc/rauc/system.conf"),
    show_default=True,
    help="RAUC's system.conf with the keyring of the kiosks.",
)
@click.option("--by-hand-from", metavar="TIME", help="RFC 3339, such as 2026-03-23T10:00+09:00.")
@click.option("--offer-from", metavar="TIME", help="Offered when a kiosk starts, from then on.")
@click.option("--out", type=click.Path(path_type=Path), help="Else channel.json beside the bundle.")
def publish(
    bundle: Path, conf: Path, by_hand_from: str | None, offer_from: str | None, out: Path | None
) -> None:
    """Write the channel file for a bundle: version and changes are taken from under its signature."""
    found = rauc.inspect(conf, bundle)
    if isinstance(found, rauc.Judged):
        raise click.ClickException(f"{bundle.name}: {found.reason}")
    made = channel_file.ChannelFile(
        product=found.product,
        version=found.version,
        bundle=bundle.name,
        size=bundle.stat().st_size,
        sha256=_sha256(bundle),
        changes=msgspec.convert(changes_of(found.description), channel_file.Changes),
        by_hand_from=_moment("--by-hand-from", by_hand_from),
        offer_from=_moment("--offer-from", offer_from),
    )
    content = json.dumps(msgspec.to_builtins(made), ensure_ascii=False, indent=1).encode() + b"\n"
    if channel_file.read(content) != made:
        raise click.ClickException(f"{bundle.name}: its name or version cannot stand in a channel file")
    path = out or bundle.with_name("channel.json")
    path.write_bytes(content)
    click.echo(f"{path}: {found.product} {found.version}")


def sentence(fault: UpdateFault) -> str:
    """A fault for people."""
    return f"{SAY.get(fault.word, fault.word)}" + (f" ({fault.reason})" if fault.reason else "")


#: One for each word of `UpdateFault`.
SAY = {
    "not_configured": "no channel is set in [update] of the settings",
    "unreachable": "the channel is not reached; check the line",
    "untrusted": "the channel's server is not the one it should be; call support",
    "clock": "dates do not fit; check this kiosk's clock",
    "nonsense": "what the channel answers is no channel file; call support",
    "not_found": "the channel has no such file; call support",
    "no_stick": "no USB stick; put one in",
    "no_bundle": "no update on the stick; copy the file *.raucb to its top folder",
    "other_product": "it is for another product",
    "other_key": "it is not signed by who may sign updates; do not use it, call support",
    "truncated": "the file is cut off; copy or download it again",
    "damaged": "the file is damaged; copy or download it again",
    "older": "it is older than what runs; nothing is set back",
    "same": "nothing newer",
    "changed": "not what the channel describes; try again later",
    "no_room": "not enough room on the data partition",
    "visit": "a visit goes on; wait for its end",
    "too_early": "its hour has not come yet",
    "clock_unset": "the time is not known yet; wait until the clock is set",
    "busy": "an update is under way already",
    "gone": "it is no longer there",
    "stopped": "it was given up",
    "no_installer": "RAUC is missing or does not answer; call support",
    "failed": "RAUC could not install it; the old version goes on",
    "fell_back": "the newer version did not start well; the old one came back; call support",
    "no_restart": "no restart from here; switch the kiosk off and on again",
}


def _looked(client: UploaderClient) -> UpdateStatus:
    """What there is, once channel and stick have been looked at."""
    client.ask(AskStatus(), Status)  # what every newcomer is told has come by then, and is not the answer
    status = client.ask(AskUpdate(staff=WHO), UpdateStatus)
    end = time.monotonic() + LOOK_S
    while status.phase is UpdatePhase.LOOKING and time.monotonic() < end:
        time.sleep(0.1)
        status = client.ask(AskUpdate(staff=WHO), UpdateStatus)
    return status


def _chosen(status: UpdateStatus, source: UpdateSource | None) -> UpdateOffer:
    offers = [offer for offer in status.offers if source in (None, offer.source)]
    if not offers:
        reasons = "; ".join(f"{f.source}: {sentence(f)}" for f in status.absent if source in (None, f.source))
        raise click.ClickException(f"nothing to install: {reasons or 'nothing newer'}")
    return max(offers, key=lambda offer: (offer.by_hand, channel_file.parsed(offer.version)))


def _followed(client: UploaderClient, offer: UpdateOffer) -> UpdateStatus:
    """Show how far it is, until it ends."""
    label: UpdatePhase | None = None
    with click.progressbar(length=100, label=f"{offer.version:24}") as bar:
        for status in client.follow():
            if not isinstance(status, UpdateStatus):
                continue
            if status.phase in _SHOWN and status.version == offer.version:
                if status.phase != label:
                    label = status.phase
                    bar.label, bar.pos = f"{_SHOWN[status.phase]} {offer.version}".ljust(24), 0
                bar.update(max(0, (status.percent or 0) - bar.pos))
            elif status.fault is not None or status.version == offer.version:
                return status
    raise click.ClickException("the uploader went away; see its log")


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{option} must be a time such as 2026-03-23T10:00+09:00") from None
    if moment.tzinfo is None:
        raise click.UsageError(f"{option} needs its zone, such as +09:00")
    return moment


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
