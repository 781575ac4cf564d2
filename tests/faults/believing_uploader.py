"""The control's uploader: it takes every refusal for one of the record that was asked about, as it did once.

Run in place of `kiosk`, as `python -m tests.faults.believing_uploader uploader --config FILE`.
"""

import dataclasses

from kiosk import cli
from kiosk.uploader.service import wire


class AnyRecord(str):
    """A name that is every record's."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash("")


def main() -> None:
    as_it_is = wire.read_problem

    def believing(status: int, body: bytes, retry_after: str | None, date: str | None) -> wire.ServiceProblem:
        return dataclasses.replace(as_it_is(status, body, retry_after, date), instance=AnyRecord())

    wire.read_problem = believing
    cli.main()


if __name__ == "__main__":
    main()
