"""The running service: two TLS ports, the control socket, and everything behind them."""

import asyncio
import contextlib
import errno
import random
import secrets
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from kiosk.simulator.service.control_server import ControlServer
from kiosk.simulator.service.enrolments import EnrolmentOperations
from kiosk.simulator.service.injected_faults import FaultPlan
from kiosk.simulator.service.operations import Operations
from kiosk.simulator.service.service_pki import ServiceFiles
from kiosk.simulator.service.store import Store
from kiosk.simulator.service.token_trust import TokenTrust
from kiosk.simulator.service.web import Front, RequestMeter


class StartError(Exception):
    """The service cannot start; the text says what to do."""


@dataclass(frozen=True)
class Setup:
    """What a service is started with. Port 0: any free one."""

    files: ServiceFiles
    name: str
    host: str
    port: int
    enrol_port: int
    control: Path
    trust: TokenTrust | None
    codes: tuple[tuple[str, str], ...] = ()  #: (institution, activation code)
    visual: tuple[str, ...] = ()  #: terminals that may send visual checks
    seed: int = 0  #: of the faults that come by chance


@dataclass
class _Listener:
    """One port: closed and opened again under the same number."""

    runner: web.AppRunner
    tls: ssl.SSLContext
    host: str
    port: int
    listening: asyncio.Server | None = None


class Listeners:
    """Both ports."""

    def __init__(self, listeners: tuple[_Listener, ...]) -> None:
        self._listeners = listeners

    async def open(self) -> None:
        """Listen; does nothing on a port that listens already. Raises OSError if the port is taken."""
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            if listener.listening is None:
                assert listener.runner.server is not None, "the runner is set up before"
                listener.listening = await loop.create_server(
                    listener.runner.server, listener.host, listener.port, ssl=listener.tls, reuse_address=True
                )
                listener.port = listener.listening.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and break every connection."""
        for listener in self._listeners:
            if listener.listening is not None:
                listener.listening.close()
                listener.listening = None
            assert listener.runner.server is not None, "the runner is set up before"
            for connection in listener.runner.server.connections:
                if connection.transport is not None:
                    connection.transport.abort()

    def ports(self) -> tuple[int, ...]:
        return tuple(listener.port for listener in self._listeners)


class ServiceServer:
    """A started service; `ports` are the real ones, main port first."""

    def __init__(
        self,
        listeners: Listeners,
        runners: tuple[web.AppRunner, ...],
        control: asyncio.Server,
        control_path: Path,
        store: Store,
    ) -> None:
        self._listeners = listeners
        self._runners = runners
        self._control = control
        self._control_path = control_path
        self._store = store
        self.ports = listeners.ports()

    async def stop(self) -> None:
        """Close everything; work in flight is cancelled."""
        self._control.close()
        self._control_path.unlink(missing_ok=True)
        await self._listeners.close()
        for runner in self._runners:
            await runner.cleanup()
        self._store.close()


async def start(setup: Setup) -> ServiceServer:
    """Start listening; raises StartError when a port or the control socket is taken."""
    store = Store(setup.files.database)
    operations = Operations(store, setup.name, setup.trust, time.time, secrets.token_bytes)
    enrolment = EnrolmentOperations(store, operations, setup.files, setup.name, time.time)
    for institution, code in setup.codes:
        enrolment.issue_code(institution, code)
    for terminal in setup.visual:
        store.allow_visual(terminal, allowed=True)
    plan, meter = FaultPlan(random.Random(setup.seed).random), RequestMeter()  # noqa: S311 - chance of faults only
    front = Front(store, operations, enrolment, plan, meter)
    main, enrol = (_runner(app) for app in (front.main_app(), front.enrolment_app()))
    for runner in (main, enrol):
        await runner.setup()
    listeners = Listeners(
        (
            _Listener(main, _tls(setup.files, demand_client=True), setup.host, setup.port),
            _Listener(enrol, _tls(setup.files, demand_client=False), setup.host, setup.enrol_port),
        )
    )
    try:
        await listeners.open()
        _free_socket(setup.control)
        control = ControlServer(store, operations, enrolment, plan, meter, listeners, time.time)
        listening = await control.listen(setup.control)
    except OSError as fault:
        await listeners.close()
        for runner in (main, enrol):
            await runner.cleanup()
        store.close()
        raise StartError(_say(fault, setup)) from None
    return ServiceServer(listeners, (main, enrol), listening, setup.control, store)


def _runner(app: web.Application) -> web.AppRunner:
    return web.AppRunner(app, access_log=None, keepalive_timeout=75.0, shutdown_timeout=1.0)


def _tls(files: ServiceFiles, *, demand_client: bool) -> ssl.SSLContext:
    """TLS 1.3 only; on the main port a certificate of our CA is demanded of the client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(files.certificate, files.key)
    if demand_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(files.ca)
    return context


def _free_socket(path: Path) -> None:
    """Remove a socket that nobody answers any more; raises OSError when somebody does."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            return
    raise OSError(errno.EADDRINUSE, "another service answers there", str(path))


def _say(fault: OSError, setup: Setup) -> str:
    if fault.errno == errno.EADDRINUSE:
        return (
            f"port {setup.port} or {setup.enrol_port} or {setup.control} is taken:"
            " stop what listens there or choose another"
        )
    return f"cannot listen: {fault}"
