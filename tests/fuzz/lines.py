"""Which lines of our code the inputs reach: replayed under a trace, and counted."""

import sys
import types
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import TraceFunction

ROOT = Path(__file__).resolve().parents[2]
NFC = ROOT / "kiosk" / "nfc"
#: What each target's bytes go through.
FILES = {
    "token": (
        "protocol/status_words",
        "protocol/tokens",
        "protocol/isodep",
        "protocol/dialogue",
        "protocol/token_contact",
        "antenna",
        "token_choice",
        "presentation",
    ),
    "parsers": ("protocol/tlv", "protocol/certificate"),
    "channel": ("session",),
}
Arc = tuple[str, int, int]  #: file, line before, line


class Tracer:
    """Collects the arcs between lines of the named files while inputs run."""

    def __init__(self, names: Iterable[str]) -> None:
        self._files = {str(NFC / f"{name}.py"): name for name in names}
        self._before: dict[types.FrameType, int] = {}
        self.arcs: set[Arc] = set()

    def run(self, target: Callable[[bytes], object], data: bytes) -> None:
        """Run one input under the trace."""
        sys.settrace(self._called)
        try:
            target(data)
        finally:
            sys.settrace(None)
            self._before.clear()

    def _called(self, frame: types.FrameType, event: str, _: object) -> "TraceFunction | None":
        return self._inside if event == "call" and frame.f_code.co_filename in self._files else None

    def _inside(self, frame: types.FrameType, event: str, _: object) -> "TraceFunction":
        if event == "line":
            before = self._before.get(frame, 0)
            self.arcs.add((self._files[frame.f_code.co_filename], before, frame.f_lineno))
            self._before[frame] = frame.f_lineno
        return self._inside

    def parts(self) -> dict[str, float]:
        """For each file, the part of its functions' lines that was reached."""
        return {
            name: _part(path, {line for where, _, line in self.arcs if where == name})
            for path, name in self._files.items()
        }


def measure(
    run: Callable[[bytes], object], inputs: Iterable[bytes], names: tuple[str, ...]
) -> dict[str, float]:
    """Return, for each file of kiosk/nfc, the part of its functions' lines that the inputs reach."""
    tracer = Tracer(names)
    for data in inputs:
        tracer.run(run, data)
    return tracer.parts()


def least(
    run: Callable[[bytes], object], inputs: Iterable[bytes], names: tuple[str, ...], given: Iterable[bytes]
) -> list[bytes]:
    """Return the inputs, short ones first, that go a way which neither those before nor `given` went."""
    tracer = Tracer(names)
    for data in given:
        tracer.run(run, data)
    kept = []
    for data in sorted(inputs, key=lambda data: (len(data), data)):
        known = len(tracer.arcs)
        tracer.run(run, data)
        if len(tracer.arcs) > known:
            kept.append(data)
    return kept


def _part(path: str, reached: set[int]) -> float:
    module = compile(Path(path).read_text(encoding="utf-8"), path, "exec")
    lines = _lines_of_functions(module)
    return len(lines & reached) / len(lines) if lines else 1.0


def _lines_of_functions(code: types.CodeType) -> set[int]:
    """The lines inside functions; a module's and a class's own run at import, before any input."""
    found: set[int] = set()
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= _lines_of_functions(constant)
            if constant.co_flags & 0x02:  # CO_NEWLOCALS: a function, inspect(3)
                starts = {line for _, _, line in constant.co_lines() if line is not None}
                found |= starts - {constant.co_firstlineno}
    return found
