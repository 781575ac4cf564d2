"""What the screen's process keeps of ten thousand visits: nothing."""

import gc
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kiosk import channel as ch
from kiosk.config.choices import LANGUAGES, Theme
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Outcome, SignatureAlgorithm
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.theme import tokens_of
from kiosk.screens.kit.touch import DigitTouch, StartTouch
from kiosk.screens.words.catalogue import Catalogues
from kiosk.visit.events import Action, DeviceChosen
from kiosk.visit.states import Stage
from tests.benchmarks.row import Lab, Measured, Unmeasured, at_most, row
from tests.screens.conductor.staff_place import KEYS, VISIT, Place, open_place
from tests.screens.proof.gallery import CLINIC, DISPLAYS

FIRST, VISITS = 300, 10_000


def private_mb() -> float:
    """Memory of this process that it shares with no other (proc_pid_smaps(5))."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    kb = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return (kb["Private_Clean"] + kb["Private_Dirty"]) / 1024


def one_visit(place: Place, number: int) -> None:
    """Card and PIN, from the start screen back to it; its receipt number is its own."""
    place.conductor.touch(StartTouch())
    place.now.passes(1)
    place.app.turn()
    place.press(Action.CONSENT_ALL)
    place.app.turn()
    place.press(DeviceChosen(Device.CARD))
    place.app.turn()
    for digit in "1234":
        place.conductor.touch(DigitTouch(digit))
        place.app.turn()
    place.press(Action.OK)
    place.reader.sends(ch.Presented(visit=VISIT), ch.Recognised(visit=VISIT, token=Device.CARD))
    place.reader.sends(ch.StageDone(visit=VISIT, stage=Stage.SIGNED))
    place.app.turn()
    place.reader.sends(
        ch.Evidence(
            visit=VISIT,
            token=Device.CARD,
            certificate=number.to_bytes(8, "big") * 128,
            signature=bytes(256),
            algorithm=next(iter(SignatureAlgorithm)),
            not_after="2030-01-01T00:00:00Z",
        )
    )
    place.app.turn()
    receipt = f"A-{number:05}"
    place.uploader.sends(ch.Committed(visit=VISIT, receipt=receipt))
    place.app.turn()
    if number % 2:
        place.uploader.sends(ch.ServiceAnswered(visit=VISIT, receipt=receipt, outcome=Outcome.VERIFIED))
    else:
        place.uploader.sends(ch.Deferred(visit=VISIT, reason="no line"))
    place.app.turn()
    place.press(Action.FINISH)
    place.now.passes(1)
    place.app.turn()
    for other in (place.reader, place.uploader):
        other.drain()
    if place.screen != "start":
        raise Unmeasured(f"visit {number} ended at {place.screen}")


@row("screen_growth_mb", "MB", goal=at_most(1), full=True)
def screen_growth(_lab: Lab) -> Measured:
    """Private memory after 10,000 visits less that after the first ones."""
    fonts = FontBook()
    look = Look(DISPLAYS["800x480"], tokens_of(Theme.STANDARD), CLINIC, Catalogues(LANGUAGES), fonts)
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    with open_place(look, fonts) as place:
        place.uploader.sends(msgspec.structs.replace(KEYS, public=public, response_key=public))
        place.step()
        for number in range(FIRST):
            one_visit(place, number)
        gc.collect()
        before = private_mb()
        for number in range(FIRST, FIRST + VISITS):
            one_visit(place, number)
        gc.collect()
        after = private_mb()
    return Measured(
        after - before,
        f"{VISITS} visits by card in this process, after {FIRST} that do not count: machine, sealing, "
        f"every picture laid out and drawn; {before:.1f} → {after:.1f} MB private",
    )
