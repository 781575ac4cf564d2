"""`python -m tests.peers.nfcpy_pairs`: how much that nfcpy's tests expect of a PN533 the virtual one answers.

Every pair meets a fresh chip. Where the pair says that a token was found, or that the EEPROM holds something,
the like is laid there first. No register is prepared: what depends on an earlier write, or was made up by the
test's author, has the same form only (status and length).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from kiosk.simulator.chip.chip import Busy, Chip, SyntaxFaultError
from kiosk.simulator.radio.airtime import INSTANT
from kiosk.simulator.radio.meter import RadioMeter
from kiosk.simulator.radio.picc import Picc, RadioFace
from kiosk.simulator.radio.radio import Placement, RadioField
from kiosk.simulator.tokens.other_tokens import payment_card

PAIRS = Path(__file__).with_name("nfcpy_pn533_pairs.txt")
NAMES = {
    0x00: "Diagnose",
    0x02: "GetFirmwareVersion",
    0x04: "GetGeneralStatus",
    0x06: "ReadRegister",
    0x08: "WriteRegister",
    0x12: "SetParameters",
    0x32: "RFConfiguration",
    0x40: "InDataExchange",
    0x42: "InCommunicateThru",
    0x46: "InJumpForPSL",
    0x4A: "InListPassiveTarget",
    0x4E: "InPSL",
    0x50: "InATR",
    0x56: "InJumpForDEP",
}
TARGET_MODE = "TgInitAsTarget and other target commands"
#: What the virtual chip is meant to answer; the others are for playing a card and for
#: peer-to-peer, which the kiosk never does.
MODELLED = (
    "Diagnose",
    "GetFirmwareVersion",
    "GetGeneralStatus",
    "ReadRegister",
    "WriteRegister",
    "SetParameters",
    "RFConfiguration",
    "InCommunicateThru",
    "InListPassiveTarget",
)


@dataclass(frozen=True)
class Pair:
    """One command and the response that nfcpy's test gives it."""

    command: bytes
    response: bytes

    @property
    def name(self) -> str:
        return NAMES.get(self.command[0], TARGET_MODE)


def pairs() -> list[Pair]:
    """All pairs of the file."""
    lines = PAIRS.read_text(encoding="ascii").splitlines()
    split = [line.split() for line in lines if not line.startswith("#")]
    return [Pair(bytes.fromhex(command), bytes.fromhex(response)) for command, response in split]


def finish(busy: Busy) -> bytes:
    """Run a command of the chip to its end, without waiting; its response."""
    try:
        for _ in range(10_000):
            next(busy)
    except StopIteration as done:
        return bytes(done.value)
    raise AssertionError("the chip does not end")


def _face(pair: Pair) -> RadioFace | None:
    """The token that a response to InListPassiveTarget speaks of; None: none, or a kind that is not ours."""
    command, response = pair.command, pair.response
    if command[0] != 0x4A or len(response) < 3 or response[1] == 0:
        return None
    if command[2] == 0x00 and len(response) > 6:
        return RadioFace("A", sak=response[5], atqa=response[3:5][::-1], uid=response[7 : 7 + response[6]])
    if command[2] == 0x03 and len(response) >= 15:
        atqb = response[3:15]
        return RadioFace(
            "B",
            uid=atqb[1:5],
            application_data=atqb[5:9],
            bit_rates=atqb[9],
            fsci=atqb[10] >> 4,
            fwi=atqb[11] >> 4,
        )
    return None


def _eeprom(pair: Pair) -> bytes:
    """The EEPROM that a response to ReadRegister speaks of."""
    if pair.command[:2] != b"\x06\xa0" or pair.response[1:2] != b"\x00" or len(pair.response) < 66:
        return b""
    return bytes(pair.command[2]) + pair.response[2:] + bytes(256)


def answer(pair: Pair) -> bytes | None:
    """The virtual chip's response without TFI, None where it sends its error frame."""
    field = RadioField(INSTANT, RadioMeter(), lambda: 0.0)
    face = _face(pair)
    if face is not None:
        field.place(Placement(Picc(payment_card(), face, Random(0)), "as in the pair", 0.0))
    chip = Chip(field, eeprom=_eeprom(pair))
    finish(chip.execute(bytes.fromhex("D43205010000")))  # one try per search, or it would search for ever
    try:
        return finish(chip.execute(b"\xd4" + pair.command))[1:]
    except SyntaxFaultError:
        return None


@dataclass(frozen=True)
class Share:
    """How the responses to one command compare."""

    pairs: int
    equal: int  #: byte for byte
    form: int  #: the same code, status and length


def _same_form(ours: bytes | None, theirs: bytes) -> bool:
    return ours is not None and len(ours) == len(theirs) and ours[:2] == theirs[:2]


def share() -> dict[str, Share]:
    """Compare every pair."""
    of: dict[str, list[tuple[bool, bool]]] = {}
    for pair in pairs():
        ours = answer(pair)
        of.setdefault(pair.name, []).append((ours == pair.response, _same_form(ours, pair.response)))
    return {
        name: Share(len(found), sum(equal for equal, _ in found), sum(form for _, form in found))
        for name, found in sorted(of.items())
    }


def total(rows: Iterable[Share]) -> Share:
    """All of these together."""
    listed = list(rows)
    return Share(sum(r.pairs for r in listed), sum(r.equal for r in listed), sum(r.form for r in listed))


def main() -> None:
    """Print the table."""
    table = share()
    print(f"{'command':42}{'pairs':>6}{'equal':>7}{'same form':>11}")
    for name, row in table.items():
        note = "" if name in MODELLED else "   not modelled"
        print(f"{name:42}{row.pairs:>6}{row.equal:>7}{row.form:>11}{note}")
    for title, names in (("modelled commands", MODELLED), ("all", tuple(table))):
        row = total(table[name] for name in names)
        parts = f"{row.equal / row.pairs:.0%} equal, {row.form / row.pairs:.0%} alike"
        print(f"{title:42}{row.pairs:>6}{row.equal:>7}{row.form:>11}   {parts}")


if __name__ == "__main__":
    main()
