"""`kiosk simulate service`: the simulated qualification service as a process."""

import asyncio
import json
import re
import signal
from pathlib import Path

import click

from kiosk.simulator.service.enrolments import CODE_FORM, INSTITUTION_FORM
from kiosk.simulator.service.service_pki import prepare_service
from kiosk.simulator.service.service_server import Setup, StartError, start
from kiosk.simulator.service.token_trust import TokenTrustError, load_trust


@click.command()
@click.option(
    "--folder", type=click.Path(path_type=Path), required=True, help="CA, keys and store; made if absent."
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Main port; 0: any free one.")
@click.option(
    "--enrol-port", type=click.IntRange(0, 65535), default=0, help="Enrolment port; 0: any free one."
)
@click.option(
    "--control", type=click.Path(path_type=Path), required=True, help="UNIX socket for ServiceControl."
)
@click.option("--name", default="simulator", show_default=True, help="The service's name in transcripts.")
@click.option(
    "--token-trust", type=click.Path(path_type=Path), help="CA folder; without it chains go unchecked."
)
@click.option("--activation-code", help="12 digits, to be accepted for --institution.")
@click.option("--institution", help="10 digits.")
@click.option("--allow-visual", multiple=True, metavar="TERMINAL", help="May send visual checks; repeatable.")
@click.option("--seed", type=int, default=0, help="Of the faults that come by chance.")
def service(
    folder: Path,
    host: str,
    port: int,
    enrol_port: int,
    control: Path,
    name: str,
    token_trust: Path | None,
    activation_code: str | None,
    institution: str | None,
    allow_visual: tuple[str, ...],
    seed: int,
) -> None:
    """Run the simulated qualification service until SIGTERM.

    Prints one JSON line with the real ports when it is ready.
    """
    codes = _codes(institution, activation_code)
    try:
        setup = Setup(
            files=prepare_service(folder),
            name=name,
            host=host,
            port=port,
            enrol_port=enrol_port,
            control=control,
            trust=None if token_trust is None else load_trust(token_trust),
            codes=codes,
            visual=allow_visual,
            seed=seed,
        )
        asyncio.run(_serve(setup))
    except (TokenTrustError, StartError) as fault:
        raise click.ClickException(str(fault)) from None
    except OSError as fault:
        raise click.ClickException(f"{folder}: cannot be used: {fault.strerror}") from None


def _codes(institution: str | None, code: str | None) -> tuple[tuple[str, str], ...]:
    if institution is None and code is None:
        return ()
    if not (_fits(INSTITUTION_FORM, institution) and _fits(CODE_FORM, code)):
        raise click.UsageError("--institution (10 digits) and --activation-code (12 digits) go together")
    assert institution is not None
    assert code is not None
    return ((institution, code),)


def _fits(form: re.Pattern[str], text: str | None) -> bool:
    return text is not None and form.fullmatch(text) is not None


async def _serve(setup: Setup) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running = await start(setup)
    port, enrol_port = running.ports
    ready = {
        "ready": True,
        "name": setup.name,
        "port": port,
        "enrol_port": enrol_port,
        "control": str(setup.control),
        "ca": str(setup.files.ca),
        "token_trust": setup.trust is not None,
    }
    click.echo(json.dumps(ready))
    await stop.wait()
    await running.stop()
