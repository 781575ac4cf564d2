"""The settings of the uploader process: service, outbox, clock, updates, metrics, reports."""

from dataclasses import dataclass
from pathlib import Path

from kiosk.config.table import Table


@dataclass(frozen=True)
class ServiceSettings:
    name: str
    url: str
    ca: Path
    certificate: Path
    key: Path
    timeout_s: float


@dataclass(frozen=True)
class OutboxSettings:
    path: Path
    max_records: int
    max_age_h: float
    retry_base_s: float  #: back-off doubles from here; short in demos and tests
    retry_cap_s: float
    drain_per_s: float  #: waiting records sent per second when the service is back; 0: unpaced
    fallback_after_s: float  #: so long the service is not reached before fallback operation begins by itself


@dataclass(frozen=True)
class ClockSettings:
    trust_file: Path  #: exists once the time is synchronised (systemd-timesyncd makes it)


@dataclass(frozen=True)
class UpdateSettings:
    """Where newer versions come from; docs/updates.md."""

    channel: str | None  #: https address of the channel file; None: USB stick only
    ca: Path  #: the only CA that the channel's server is believed by
    folder: Path  #: where a bundle is kept until it is installed
    stick: Path  #: where the USB stick's files are seen while it is let in
    flags: Path  #: wishes to the service manager: files "stick" and "restart" (deploy/)
    rauc: Path  #: RAUC's system.conf: product, keyring, slots
    os_release: Path  #: IMAGE_VERSION in it is the running version, os-release(5)

    @property
    def slot_good(self) -> Path:
        """There when the boot loader was told that the running version works (deploy/)."""
        return self.flags.with_name("good")


@dataclass(frozen=True)
class MetricsSettings:
    file: Path | None  #: the text file for node-exporter's textfile collector; None: no metrics
    every_s: float


@dataclass(frozen=True)
class ReportSettings:
    folder: Path | None  #: where each day's and each month's report is put by itself; None: nowhere
    language: str  #: "ja" or "en"


def service(table: Table, base: Path) -> ServiceSettings:
    """Read `[service]`."""
    return ServiceSettings(
        name=table.text("name", "the service's name as it stands in transcripts"),
        url=table.text("url", "an https:// address without a path", pattern=r"https://[A-Za-z0-9.:\[\]-]+"),
        ca=table.path("ca", base, "service-ca.pem"),
        certificate=table.path("certificate", base, "terminal.pem"),
        key=table.path("key", base, "terminal.key"),
        timeout_s=table.number("timeout_s", 0.1, 120, 30),
    )


def outbox(table: Table, base: Path) -> OutboxSettings:
    """Read `[outbox]`."""
    return OutboxSettings(
        path=table.path("path", base, "outbox.sqlite"),
        max_records=table.whole("max_records", 1, 100_000, 500),
        max_age_h=table.number("max_age_h", 1, 168, 24),
        retry_base_s=table.number("retry_base_s", 0.01, 60, 2),
        retry_cap_s=table.number("retry_cap_s", 0.01, 3600, 300),
        drain_per_s=table.number("drain_per_s", 0, 1000, 2),
        fallback_after_s=table.number("fallback_after_s", 0, 3600, 20),
    )


def update(table: Table, base: Path) -> UpdateSettings:
    """Read `[update]`."""
    what = 'the https:// address of the channel file, or "none"'
    channel = table.text("channel", what, "none", pattern=r"none|https://[A-Za-z0-9.:\[\]-]+/[!-~]+")
    return UpdateSettings(
        channel=None if channel == "none" else channel,
        ca=table.path("ca", base, "update-ca.pem"),
        folder=table.path("folder", base, "/var/lib/kiosk-uploader/update"),
        stick=table.path("stick", base, "/run/kiosk-update/media"),
        flags=table.path("flags", base, "/run/kiosk-update/wanted"),
        rauc=table.path("rauc", base, "/etc/rauc/system.conf"),
        os_release=table.path("os_release", base, "/etc/os-release"),
    )


def metrics(table: Table, base: Path) -> MetricsSettings:
    """Read `[metrics]`."""
    file = table.text("file", 'a path that ends in .prom, or "none"', "none", pattern=r"none|.+\.prom")
    return MetricsSettings(
        file=None if file == "none" else base / file, every_s=table.number("every_s", 1, 3600, 30)
    )


def report(table: Table, base: Path) -> ReportSettings:
    """Read `[report]`."""
    folder = table.text("folder", 'a path to a folder, or "none"', "none")
    language = table.text("language", '"ja" or "en"', "ja", pattern=r"ja|en")
    return ReportSettings(None if folder == "none" else base / folder, language)
