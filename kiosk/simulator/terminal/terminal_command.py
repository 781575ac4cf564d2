"""`kiosk simulate terminal`: a folder that answers like a 資格確認端末's."""

import signal
import threading
import time
from pathlib import Path

import click

from kiosk.simulator.terminal.people import crowd
from kiosk.simulator.terminal.terminal_folder import Manners, TerminalFolder


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="Gets req and res.")
@click.option("--institution", default="1312345670", show_default=True, help="10 digits.")
@click.option(
    "--people", type=click.IntRange(0, 5000), default=5, show_default=True, help="Invented results."
)
@click.option(
    "--at-work", type=click.IntRange(0), default=1, show_default=True, help="So often 処理中 first."
)
@click.option("--delay", type=float, default=1.0, show_default=True, help="Seconds before an answer.")
def terminal(folder: Path, institution: str, people: int, at_work: int, delay: float) -> None:
    """Answer requests for consented results (OQSmuonq, OQSmuhvq) until SIGTERM."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    today = time.strftime("%Y%m%d")
    consented = [(today, unit) for unit in crowd(people, consent_time=f"{today}090000")]
    with TerminalFolder(
        folder, institution, Manners(delay_s=delay, at_work=at_work), consented
    ) as open_folder:
        click.echo(f"requests are answered from {open_folder.req} to {open_folder.res}")
        ended.wait()
