"""One fuzzing process: `python -m tests.fuzz.child TARGET libFuzzer's-arguments…`. `tests.fuzz` starts it."""

import sys
import warnings

import atheris

INSTRUMENTED = ["kiosk.nfc", "kiosk.channel", "kiosk.qualification"]

with atheris.instrument_imports(include=INSTRUMENTED):
    from tests.fuzz.harness import Harness


def main() -> None:
    """Fuzz until libFuzzer ends the process."""
    warnings.simplefilter("ignore")  # cryptography warns of strange serial numbers; a token may send them
    target = Harness().targets[sys.argv[1]]

    def once(data: bytes) -> None:
        target(data)

    atheris.Setup([sys.argv[0], *sys.argv[2:]], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
