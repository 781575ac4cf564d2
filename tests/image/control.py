"""Part `control`: the same kiosk with SQLite's synchronous=OFF must lose acknowledged records.

If no crash state misses one, what the other parts look for cannot be seen, and this part fails.
"""

from tests.image import lived
from tests.image.counter import Counter
from tests.image.crash import Campaign
from tests.image.cuts import SEED
from tests.image.life import active, until
from tests.image.machine import Machine, MachineError
from tests.image.recording import VISITS
from tests.image.report import Report, Sizes

MODULE = "/opt/kiosk/lib/kiosk/uploader/database.py"
CODE = "/opt/kiosk/lib/kiosk/uploader/__pycache__/database.cpython-313.pyc"
#: The image's byte code is not checked against its source (image-build), so that a file over it is what runs.
SCRIPT = f"""
mkdir -p /run/control && cd /run/control
sed 's/"synchronous": 3,/"synchronous": 0,/' {MODULE} > database.py
grep -c '"synchronous": 0' database.py
python3 -c 'import py_compile as c; c.compile("database.py", "database.pyc", "{MODULE}", doraise=True,
    invalidation_mode=c.PycInvalidationMode.UNCHECKED_HASH)'
chmod 755 /run/control; chmod 644 database.pyc
mount --bind database.pyc {CODE} && systemctl restart kiosk-uploader
"""
ELSE = "lasting"  #: somebody else's file on the same disk, which is synced as it should be


def part(counter: Counter, report: Report, sizes: Sizes) -> None:
    """Live, but do not sync; then look for what is missing."""
    card, recording = lived.new_recording(counter, "control")
    with counter.machine(card, recording.log) as machine:
        lived.first_boot(counter, machine, recording)
        switch_off(machine)
        counter.see(machine, "start")
        recording.end("before")
        lived.visit(counter, machine, recording, "card")
        # A flush that is not the outbox's: what a card does when it is told to keep somebody else's data.
        machine.shell(f"date > /var/lib/{ELSE}; sync /var/lib/{ELSE}")
        recording.end("after")
    campaign = Campaign(recording, counter.fat_file, counter.folder)
    counts = {VISITS: sizes.states, "after": sizes.states}
    states = list(campaign.run(counts, SEED))
    owing = sum(bool(state.owed.records) for state in states)
    lost = sum(bool(state.lost) for state in states)
    report.figure("control, synchronous=OFF: states that owe a record", str(owing), owing > 0)
    report.figure("  of them without it (there must be some)", str(lost), lost > 0)


def switch_off(machine: Machine) -> None:
    """Put changed byte code over the module that sets SQLite's pragmas, and start its process anew."""
    told = machine.shell(SCRIPT)
    if told.strip().splitlines()[:1] != ["1"]:
        raise MachineError(f"synchronous=OFF could not be put in place: {told[-300:]}")
    until(lambda: active(machine, "uploader"))
