"""Card programs that answer nonsense, each in its own way, through the field's open door (vpcd)."""

import random
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

#: A whole answer to a command, status word included; None: no answer at all.
Habit = Callable[[bytes], bytes | None]

ATR = bytes.fromhex("3B88800100000000E0B381A1005A")
APPLICATION = bytes.fromhex("D392F000260100000001")
OK = b"\x90\x00"


class JpkiButFor:
    """Behaves like the application up to a point: names itself a card, and has one bad part."""

    def __init__(self, certificate: bytes = b"\x30\x82\x05\x00" + bytes(1280), counter: bytes = b"\x63\xc3"):
        self.files = {b"\x00\x06": b"JPKIAPICCTOKEN2".ljust(32) + bytes(128), b"\x00\x0a": certificate}
        self.counter = counter
        self.current = b""

    def __call__(self, apdu: bytes) -> bytes:
        data = apdu[5 : 5 + apdu[4]] if len(apdu) > 5 else b""
        match apdu[1]:
            case 0xA4 if apdu[2] == 4:
                return OK if data == APPLICATION else b"\x6a\x82"
            case 0xA4:
                self.current = data
                return OK
            case 0xB0 if apdu[2] & 0x80:
                self.current = bytes((0, apdu[2] & 0x1F))
                return self._part(apdu[3], apdu)
            case 0xB0:
                return self._part(apdu[2] * 256 + apdu[3], apdu)
            case 0x20:
                return OK if data else self.counter
            case _:
                return bytes(256) + OK  # a signature of noughts

    def _part(self, start: int, apdu: bytes) -> bytes:
        return (
            self.files.get(self.current, b"")[start : start + (apdu[4] if len(apdu) > 4 and apdu[4] else 256)]
            + OK
        )


def noise(seed: int) -> Habit:
    """Answers of any length, with anything in them."""
    dice = random.Random(seed)
    return lambda _: dice.randbytes(dice.randrange(0, 240))


HABITS: dict[str, Callable[[], Habit]] = {
    "noise": lambda: noise(1),
    "other noise": lambda: noise(2),
    "one byte": lambda: lambda _: b"\x90",
    "no application": lambda: lambda _: b"\x6a\x82",
    "yes to everything": lambda: lambda _: OK,
    "yes, with rubbish": lambda: lambda _: b"\xff" * 200 + OK,
    "more to come, for ever": lambda: lambda _: b"\x61\x10",
    "another length, for ever": lambda: lambda _: b"\x6c\x10",
    "a certificate that is none": JpkiButFor,
    "a certificate without end": lambda: JpkiButFor(b"\x30\x84\xff\xff\xff\xff" + b"\xaa" * 40_000),
    "an empty certificate": lambda: JpkiButFor(b""),
    "no counter, but yes": lambda: JpkiButFor(counter=OK),
    "no counter, but an error": lambda: JpkiButFor(counter=b"\x6f\x00"),
    "a counter of one": lambda: JpkiButFor(counter=b"\x63\xc1"),
    "silence": lambda: lambda apdu: None if apdu[1] == 0xB0 else OK,
}


@dataclass
class NonsenseCard:
    """Lies on the field from the moment it is made until `close`. Keeps every command that it got."""

    port: int
    habit: Habit
    commands: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self.port))
        self._thread = threading.Thread(target=self._serve, name="nonsense", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            with self._socket.makefile("rwb") as stream:
                while size := stream.read(2):
                    message = stream.read(int.from_bytes(size, "big"))
                    answer = self._answer(message)
                    if answer is not None:
                        stream.write(len(answer).to_bytes(2, "big") + answer)
                        stream.flush()
        except OSError:
            return

    def _answer(self, message: bytes) -> bytes | None:
        if len(message) == 1:
            return ATR if message == b"\x04" else None
        self.commands.append(message)
        return self.habit(message)

    @property
    def pins(self) -> int:
        """How often a PIN was sent to it: VERIFY with data."""
        return sum(1 for command in self.commands if command[1] == 0x20 and len(command) > 5)

    def close(self) -> None:
        """Go away from the field."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
