"""Debian's nginx in a folder of its own, unprivileged ports, one process, for the time of a test."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/bin")
START_S = 15.0


@dataclass(frozen=True)
class Front:
    """How nginx stands before what it answers. `answer` is the body of its one location."""

    certificate: Path
    key: Path
    client_ca: Path
    answer: str
    verify: str = "on"  #: ssl_verify_client
    protocols: str = "TLSv1.3"


@dataclass(frozen=True)
class Nginx:
    """A running one."""

    url: str
    access_log: Path

    def requests(self) -> list[str]:
        """Request line and status of each answered request."""
        return self.access_log.read_text(encoding="utf-8").splitlines() if self.access_log.exists() else []


def configuration(front: Front, folder: Path, port: int) -> str:
    temporary = "\n".join(
        f"    {name}_temp_path {folder / name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
daemon off;
master_process off;
pid {folder / "nginx.pid"};
error_log {folder / "error.log"} info;
events {{ worker_connections 64; }}
http {{
{temporary}
    log_format line '$request $status';
    access_log {folder / "access.log"} line;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {front.certificate};
        ssl_certificate_key {front.key};
        ssl_protocols {front.protocols};
        ssl_verify_client {front.verify};
        ssl_client_certificate {front.client_ca};
        location / {{
            {front.answer}
        }}
    }}
}}
"""


@contextmanager
def running_nginx(front: Front, folder: Path) -> Iterator[Nginx]:
    """Start it, wait until it listens, end it."""
    assert PROGRAM is not None
    folder.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    written = folder / "nginx.conf"
    written.write_text(configuration(front, folder, port), encoding="utf-8")
    log = folder / "error.log"
    process = subprocess.Popen(
        [PROGRAM, "-p", str(folder), "-e", str(log), "-c", str(written)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port, process, log)
        yield Nginx(f"https://127.0.0.1:{port}", folder / "access.log")
    finally:
        process.terminate()
        process.wait(10)


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < end, "nginx does not listen"
            time.sleep(0.02)
        else:
            return
