"""What the two processes say of themselves, as findings: a sentence and a way to mend it for each word."""

from kiosk.channel import CheckItem, CheckResult, DrillProgress, ReaderHealth
from kiosk.health.finding import PartFinding, PartState, fault, ok, unknown
from kiosk.visit.vocabulary import ReaderCondition

#: (part, word) of `CheckItem` -> what is wrong, how to mend it. {value}: its number.
SENTENCES: dict[tuple[str, str], tuple[str, str]] = {
    ("line", "unreachable"): (
        "the service is not reached",
        "check network, cable and the address in [service]",
    ),
    ("line", "failing"): ("the service answers that it cannot work", "wait; call the service if it lasts"),
    ("line", "refused"): ("the service does not take this kiosk", "enrol it again: kiosk provision enrol"),
    ("line", "not_enrolled"): ("this kiosk is not enrolled", "kiosk provision enrol"),
    ("line", "key_unsafe"): ("others may read the client key", "chown it to kiosk-uploader, chmod 600"),
    ("line", "key_locked"): ("the client key cannot be opened", "enrol again with a new activation code"),
    ("line", "untrusted"): ("the service's certificate is not from our CA", "send nothing; call support"),
    ("line", "insecure"): ("no TLS 1.3 with client certificates", "send nothing; call support"),
    ("line", "service_expired"): ("the service's certificate has expired", "call the service"),
    ("line", "clock"): (
        "certificates cannot be judged: the clock is not set",
        "let NTP through, wait a minute",
    ),
    ("line", "nonsense"): ("the service answers nonsense", "is a login page in between? else call support"),
    ("line", "address"): ("that address is not the service", "mend [service] url in kiosk.toml"),
    ("line", "other_service"): ("the service has another name", "mend [service] name in kiosk.toml"),
    ("line", "not_asked_yet"): ("the service has not been asked yet", "wait ten seconds and ask again"),
    ("clock", "untrusted"): ("the clock has not been set since the start", "let NTP (UDP 123) through"),
    ("clock", "behind"): ("the clock is {value:.0f} h behind", "let NTP through; is a battery fitted?"),
    ("certificate", "missing"): ("there is no client certificate", "kiosk provision enrol"),
    ("certificate", "unusable"): (
        "client certificate and key do not fit",
        "enrol again: kiosk provision enrol",
    ),
    ("certificate", "key_unsafe"): (
        "others may read the client key",
        "chown it to kiosk-uploader, chmod 600",
    ),
    ("certificate", "key_locked"): (
        "the client key cannot be opened",
        "switch off and on; if that does not help, enrol again with a new activation code",
    ),
    ("certificate", "expired"): ("the client certificate has expired", "enrol again: kiosk provision enrol"),
    ("certificate", "ends_soon"): (
        "the client certificate ends in {value:.0f} days",
        "it renews by itself: if it has not in a week, enrol again",
    ),
    ("certificate", "clock"): ("the certificate's dates cannot be judged", "set the clock: let NTP through"),
    ("outbox", "lost"): ("the outbox cannot be used", "kiosk status says why; else change the SD card"),
    ("outbox", "full"): (
        "{value:.0f} records wait: patients are refused",
        "restore the line; kiosk outbox retry",
    ),
    ("outbox", "key_unknown"): ("{value:.0f} records are sealed to a key that is gone", "call the service"),
    ("outbox", "quarantined"): (
        "{value:.0f} records are damaged",
        "kiosk outbox list --all; change the SD card",
    ),
    ("outbox", "expired"): (
        "{value:.0f} records were given up",
        "kiosk outbox list --all; deal with them by hand",
    ),
    ("disk", "read_only"): (
        "the data partition is read-only",
        "restart; if that does not help, change the card",
    ),
    ("disk", "low"): ("only {value:.0f} MB are free", "remove *.part in the update folder; a larger card"),
    ("heat", "hot"): ("the processor has {value:.0f} °C", "free the vents, out of the sun"),
    ("power", "undervoltage"): ("the supply voltage is too low", "change the power supply and its cable"),
    ("folders", "away"): (
        "the receipt computer's folder takes nothing: {value:.0f} files wait",
        "check the share: mounted, writable, its password",
    ),
    ("folders", "untaken"): (
        "{value:.0f} files still lie where they were handed over",
        "is the receipt computer's program running?",
    ),
    ("folders", "lookup_failed"): (
        "the look-up of consented results failed, and visits wait for it",
        "kiosk lookup list says why; fetch them at the terminal, or kiosk lookup start",
    ),
    ("folders", "lookup_uncertain"): (
        "{value:.0f} visits could not be told apart by the look-up",
        "fetch them at the terminal",
    ),
}
_WELL = {
    "line": "the service answered {value:.0f} s ago",
    "clock": "set since the start",
    "certificate": "{value:.0f} days left",
    "outbox": "{value:.0f} records wait",
    "disk": "{value:.0f} MB free",
    "heat": "{value:.0f} °C",
    "power": "the voltage is right",
    "folders": "{value:.0f} files wait to be taken",
}


def of_check(result: CheckResult) -> list[PartFinding]:
    """What the uploader checked."""
    return [_item(item) for item in result.parts]


def _item(item: CheckItem) -> PartFinding:
    value = item.value or 0.0
    if item.fault is None:
        return ok(item.part, _WELL.get(item.part, "in order").format(value=value))
    known = SENTENCES.get((item.part, item.fault))
    if known is None:  # a part or a word newer than this program
        return fault(item.part, item.fault, item.fault.replace("_", " "), "see its log")
    return fault(item.part, item.fault, known[0].format(value=value), known[1])


def of_reader(health: ReaderHealth | None) -> PartFinding:
    """What the reader process says."""
    if health is None:
        mend = "systemctl start kiosk-reader; journalctl -u kiosk-reader"
        return fault("reader", "absent", "the reader process does not answer", mend)
    if health.condition is ReaderCondition.READY:
        return ok("reader", " at ".join(each for each in (health.model, health.where) if each) or "ready")
    text = health.reason or "the reader is not there"
    return fault("reader", health.condition.value, text, "take its USB plug out and put it in again")


def of_drill(progress: DrillProgress | None) -> PartFinding:
    """How the drill ended; None: it did not."""
    if progress is None:
        return fault(
            "drill", "unfinished", "the drill did not end in time", "ask again; see the uploader's log"
        )
    if progress.passed:
        return ok("drill", "a dummy record was sealed, kept, refused by a closed line and erased")
    return fault(
        "drill",
        progress.step,
        f"stopped at {progress.step}: {progress.reason}",
        "mend the parts above, then again",
    )


def without_uploader(text: str) -> list[PartFinding]:
    """What cannot be known while its process does not answer."""
    mend = "systemctl start kiosk-uploader; journalctl -u kiosk-uploader"
    silent = fault("uploader", "absent", text, mend)
    return [
        silent,
        *(unknown(part, "the uploader would know") for part in _WELL if part not in ("heat", "power")),
    ]


def all_well(findings: list[PartFinding]) -> bool:
    """Whether nothing has to be mended."""
    return all(each.state is not PartState.FAULT for each in findings)
