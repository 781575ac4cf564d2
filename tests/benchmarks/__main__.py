"""`make bench`: every figure of the kiosk, measured now, as a table and as `bench.json`.

Goals that are not met are shown as such and change nothing; the exit code is 1 only if a row could not be
measured at all.
"""

import json
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import click

from tests.benchmarks import (
    authentication,
    demo,
    frames,
    health,
    opensc,
    oqs,
    outbox_commit,
    outbox_delivery,
    outbox_growth,
    presence,
    reader_growth,
    screen_growth,
    screen_steps,
    screen_window,
    starts,
)
from tests.benchmarks.row import MISHAPS, Lab, Row, said
from tests.benchmarks.table import Line, heading, machine, report, shown

PATH = click.Path(path_type=Path)

#: Where rows are found, in the order in which they are measured: what stops the demo's processes comes last.
MODULES: tuple[ModuleType, ...] = (
    frames,
    screen_growth,
    outbox_commit,
    outbox_delivery,
    outbox_growth,
    oqs,
    authentication,
    opensc,
    reader_growth,
    demo,
    presence,
    screen_window,
    screen_steps,
    health,
    starts,
)


def rows() -> list[Row]:
    """Every row of every module, in the order of their definition."""
    return [each for module in MODULES for each in vars(module).values() if isinstance(each, Row)]


def measured(lab: Lab, row: Row) -> Line:
    """Measure one row, or note why that was not possible."""
    try:
        result = row.measure(lab)
    except MISHAPS as fault:
        return Line(row, None, said(fault))
    return Line(row, result.value, result.note)


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="Measure only this row; repeatable.")
@click.option("--full", is_flag=True, help="Also what takes longer than a minute.")
@click.option(
    "--json", "path", type=click.Path(path_type=Path), default=Path("bench.json"), show_default=True
)
def main(only: tuple[str, ...], full: bool, path: Path) -> None:
    """Measure the kiosk: a table on stdout, the same in bench.json."""
    every = rows()
    if unknown := set(only) - {row.name for row in every}:
        raise click.UsageError(f"no row is called {', '.join(sorted(unknown))}")
    wanted = [row for row in every if (row.name in only if only else full or not row.full)]
    machine_then = machine()
    began = time.monotonic()
    click.echo(" · ".join(f"{name} {value}" for name, value in machine_then.items()))
    click.echo(heading())
    lines = []
    with tempfile.TemporaryDirectory(prefix="kiosk-bench-") as folder, ExitStack() as stack:
        lab = Lab(Path(folder), stack)
        for row in wanted:
            lines.append(measured(lab, row))
            click.echo(shown(lines[-1]))
    whole = report(machine_then, lines)
    path.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    missed = [line.row.name for line in lines if line.met is False]
    unmeasured = [line.row.name for line in lines if line.value is None]
    click.echo(
        "Wall times include whatever else this machine did meanwhile: load average "
        f"{machine_then['load_1min']} before and {os.getloadavg()[0]:.2f} after, on {os.cpu_count()} cores."
    )
    click.echo(
        f"{len(lines)} rows in {time.monotonic() - began:.0f} s, written to {path}; "
        f"goals not met: {', '.join(missed) or 'none'}; not measured: {', '.join(unmeasured) or 'none'}"
    )
    sys.exit(1 if unmeasured else 0)


if __name__ == "__main__":
    main(prog_name="python -m tests.benchmarks")
