"""The metrics of one kiosk in Prometheus' text format. No patient data, no card ids, no per-patient times.

Every name is listed with its meaning in docs/fleet.md; the alert rules in deploy/fleet/ are built on them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest, write_to_textfile
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kiosk.channel import ReaderHealth, Status
from kiosk.visit.vocabulary import OutboxCondition, ReaderCondition


@dataclass(frozen=True)
class MachineReadings:
    """What the box itself says; None: it cannot be asked."""

    celsius: float | None = None
    throttled_flags: int | None = None
    undervoltage: bool | None = None
    card_bytes_written: int | None = None
    data_free_bytes: int | None = None
    restarts: Mapping[str, int] = field(
        default_factory=dict
    )  #: unit -> by the service manager, since the start


@dataclass(frozen=True)
class Snapshot:
    """One look at everything. `now_s` is seconds since 1970; None: the process does not answer."""

    now_s: float
    version: str
    image: str
    status: Status | None
    reader: ReaderHealth | None
    machine: MachineReadings


Labelled = tuple[Mapping[str, str], float]


class _Kiosk(Collector):
    """Turns a snapshot into metric families."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        shot = self._snapshot
        info = {"version": shot.version, "image_digest": shot.image}
        yield _gauge("build_info", "What runs; always 1.", (info, 1))
        yield _gauge("uploader_up", "The uploader process answers.", ({}, shot.status is not None))
        ready = shot.reader is not None and shot.reader.condition is ReaderCondition.READY
        yield _gauge("reader_up", "The reader process answers and has its reader.", ({}, ready))
        if shot.status is not None:
            yield from _uploader(shot.status, shot.now_s)
        if shot.reader is not None:
            yield from _reader(shot.reader)
        yield from _machine(shot.machine)


def _uploader(status: Status, now_s: float) -> Iterator[Metric]:
    yield _gauge("queue_depth", "Records that wait to be delivered.", ({}, status.waiting))
    yield _gauge(
        "queue_oldest_seconds", "How long the oldest of them has waited.", ({}, status.oldest_s or 0)
    )
    yield _counter("delivered", "Records that the service has answered.", ({}, status.answered))
    given_up = {"rejected": status.rejected, "expired": status.expired, "quarantined": status.quarantined}
    yield _counter("dead_letter", "Records that are no longer sent.", *_by("kind", given_up))
    yield _counter("retry", "Attempts that had to be made again.", *_by("reason", status.retries))
    yield _gauge("breaker_state", "1: the service is not worth trying now.", ({}, not status.online))
    yield _gauge("visits_today", "How today's visits ended.", *_by("outcome", status.outcomes_today))
    fallback = {} if status.fallback is None else {status.fallback.value: 1}
    yield _gauge("fallback", "Fallback operation, by its reason.", *_by("reason", fallback))
    yield _gauge("clock_synced", "The clock has been set since the start.", ({}, status.clock_trusted))
    if status.certificate_not_after is not None:
        until = ({"name": "client"}, status.certificate_not_after)
        yield _gauge("cert_not_after_seconds", "When a certificate ends, seconds since 1970.", until)
    if status.last_answer_s is not None:
        heard: Labelled = ({}, round(now_s - status.last_answer_s))
        yield _gauge("last_success_seconds", "When the service last answered, seconds since 1970.", heard)
    yield _gauge(
        "key_custody_level", "Where the client key lies (docs/keys.md).", ({}, status.key_custody_level)
    )
    sound = status.outbox is not OutboxCondition.LOST
    yield _gauge("db_integrity", "The outbox is open and sound.", ({}, sound))
    full = status.outbox is OutboxCondition.FULL
    yield _gauge("outbox_full", "Patients are refused: too much waits.", ({}, full))


def _reader(reader: ReaderHealth) -> Iterator[Metric]:
    yield _counter("reader_resets", "Times the reader had to be reset.", ({}, reader.resets))
    yield _counter("reader_lost", "Times the reader went away.", ({}, reader.lost))
    yield _counter("taps", "Contacts of tokens, by what came of them.", *_by("result", reader.contacts))


def _machine(machine: MachineReadings) -> Iterator[Metric]:
    if machine.celsius is not None:
        yield _gauge("cpu_celsius", "Temperature of the processor.", ({}, machine.celsius))
    if machine.throttled_flags is not None:
        yield _gauge("throttled_flags", "vcgencmd get_throttled.", ({}, machine.throttled_flags))
    if machine.undervoltage is not None:
        yield _gauge("undervoltage", "The supply is or was too weak.", ({}, machine.undervoltage))
    if machine.card_bytes_written is not None:
        yield _counter(
            "sd_write_bytes", "Written to the card since the start.", ({}, machine.card_bytes_written)
        )
    if machine.data_free_bytes is not None:
        yield _gauge("data_free_bytes", "Free on the data partition.", ({}, machine.data_free_bytes))
    yield _counter("watchdog_restarts", "Restarts by the service manager.", *_by("unit", machine.restarts))


def _by(label: str, counts: Mapping[str, float]) -> list[Labelled]:
    return [({label: word}, n) for word, n in sorted(counts.items())]


def _gauge(name: str, text: str, *values: Labelled) -> GaugeMetricFamily:
    labels = list(values[0][0]) if values else []
    family = GaugeMetricFamily(f"kiosk_{name}", text, labels=labels)
    for labelled, value in values:
        family.add_metric(list(labelled.values()), float(value))
    return family


def _counter(name: str, text: str, *values: Labelled) -> CounterMetricFamily:
    labels = list(values[0][0]) if values else []
    family = CounterMetricFamily(f"kiosk_{name}", text, labels=labels)
    for labelled, value in values:
        family.add_metric(list(labelled.values()), float(value))
    return family


def _registry(snapshot: Snapshot) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Kiosk(snapshot))
    return registry


def exposition(snapshot: Snapshot) -> bytes:
    """The text as a scrape sees it."""
    return generate_latest(_registry(snapshot))


def write(snapshot: Snapshot, path: Path) -> None:
    """Replace the file in one step, as node-exporter's textfile collector wants it; raises OSError."""
    write_to_textfile(str(path), _registry(snapshot))
