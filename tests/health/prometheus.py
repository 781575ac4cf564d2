"""Debian's Prometheus as a process of its own: loopback only, a port that the kernel chose."""

import json
import ssl
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

PATIENCE_S = 180.0


@dataclass(frozen=True)
class Prometheus:
    """A running one. `context`: how to speak with it, where it wants a client certificate."""

    process: psutil.Popen
    log: Path
    port: int
    context: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def api(self, path: str, **query: str) -> Any:
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=20, context=self.context) as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        found = self.api("query", query=expression)["result"]
        return [(each["metric"], float(each["value"][1])) for each in found]

    def alerts(self) -> set[tuple[str, str, str]]:
        """(alert, kiosk, "firing" or "pending")."""
        found = self.api("alerts")["alerts"]
        return {(a["labels"]["alertname"], a["labels"].get("kiosk", ""), a["state"]) for a in found}

    def until(self, holds: Callable[[], bool], why: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not holds():
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")[-2000:]
            assert time.monotonic() < end, why
            time.sleep(0.3)


@contextmanager
def running(
    folder: Path, config: Path, *options: str, context: ssl.SSLContext | None = None
) -> Iterator[Prometheus]:
    """Start it with this configuration; killed at the end."""
    folder.mkdir(exist_ok=True)
    log = folder / "prometheus.log"
    command = ["prometheus", f"--config.file={config}", "--web.listen-address=127.0.0.1:0", *options]
    with log.open("wb") as out:
        process = psutil.Popen(command, stdout=out, stderr=out, cwd=folder)
    try:
        yield Prometheus(process, log, _port(process, log), context)
    finally:
        process.kill()
        process.wait(10)


def _port(process: psutil.Popen, log: Path) -> int:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text(encoding="utf-8")[-2000:]
        for found in process.net_connections(kind="tcp"):
            if found.status == psutil.CONN_LISTEN:
                assert found.laddr.ip == "127.0.0.1"
                return int(found.laddr.port)
        time.sleep(0.1)
    raise AssertionError(log.read_text(encoding="utf-8")[-2000:])
