"""`kiosk uploader`: the process that keeps the outbox and speaks to the service. All that it is made of is
put together here.
"""

import os
import random
import secrets
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import click

from kiosk import channel
from kiosk.box.clock import Clock
from kiosk.box.supervision import Supervision
from kiosk.channel import UPLOADER_SOCKET, FromUploader
from kiosk.channel.seqpacket import Hub, Listener, allowed_uids
from kiosk.config.settings import Settings, load
from kiosk.uploader.delivery.answer_memory import AnswerMemory, ResponseKey
from kiosk.uploader.delivery.delivery import Delivery
from kiosk.uploader.delivery.delivery_rules import rules_of
from kiosk.uploader.delivery.drain import Drain
from kiosk.uploader.delivery.lanes import Lane, Lanes, Mailbox
from kiosk.uploader.delivery.line import ServiceLine
from kiosk.uploader.identity.renewal import Renewal
from kiosk.uploader.inbox import Inbox
from kiosk.uploader.oqs.connector import Connector
from kiosk.uploader.oqs.errands import Errands
from kiosk.uploader.oqs.handover import HandOver
from kiosk.uploader.oqs.lookup import LookUpRunner
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.service_keys import kept_keys
from kiosk.uploader.outbox_holder import OutboxHolder
from kiosk.uploader.process import Parts, Uploader
from kiosk.uploader.service.credentials import credentials_of, enrolled_keys
from kiosk.uploader.service.custody import device_secret
from kiosk.uploader.service.service_client import ServiceClient
from kiosk.uploader.service.tls import Credentials
from kiosk.uploader.staff.drill import Drill
from kiosk.uploader.staff.fallback import Fallback
from kiosk.uploader.staff.requests import StaffRequests
from kiosk.uploader.store.timekeeper import Timekeeper
from kiosk.uploader.telling import Telling
from kiosk.uploader.updates.changed_settings import ChangedSettings
from kiosk.uploader.updates.updates import Updates

LaneMaker = Callable[[str, str], Lane]  #: of a name, to an address


def lane_maker(settings: Settings, credentials: Credentials, mailbox: Mailbox) -> LaneMaker:
    """Each lane has a connection of its own; results go to the mailbox."""

    def make(name: str, url: str) -> Lane:
        return Lane(name, ServiceClient(url, credentials, settings.service.timeout_s), mailbox.post)

    return make


def started(lane: Lane) -> Lane:
    """For a lane that is made when there is work for it."""
    lane.start()
    return lane


def connector_of(settings: Settings, memory: AnswerMemory, wake: Callable[[], None]) -> Connector:
    """What is done in the clinic's folders."""
    clinic, disk = settings.clinic, settings.outbox.path.parent
    handover = HandOver(settings.handover, clinic, disk, memory, Errands("handover", wake))
    lookup = LookUpRunner(
        settings.lookup,
        clinic,
        disk,
        memory,
        Errands("lookup", wake),
        handover.answered,
        lambda: secrets.token_hex(8),
    )
    return Connector(handover, lookup)


def drill_of(settings: Settings, make_lane: LaneMaker, tell: Callable[[FromUploader], None]) -> Drill:
    """The drill, with the rules of real deliveries."""
    return Drill(
        settings.clinic.terminal,
        settings.clinic.institution,
        lambda url: started(make_lane("drill", url)),
        tell,
        rules_of(settings).retry,
        random.SystemRandom().random,
    )


def assemble(
    settings: Settings, credentials: Credentials, hub: Hub, clock: Clock, supervision: Supervision
) -> Uploader:
    """Put the uploader together around its channel and its clock."""

    def tell(message: FromUploader) -> None:
        hub.broadcast(channel.encode(message))

    mailbox = Mailbox()
    make_lane = lane_maker(settings, credentials, mailbox)
    url = settings.service.url
    lanes = Lanes(make_lane("ask", url), make_lane("fresh", url), make_lane("backlog", url))
    memory = AnswerMemory(time.monotonic)
    connector = connector_of(settings, memory, mailbox.wake)
    rules, dice = rules_of(settings), random.SystemRandom().random
    delivery = Delivery(
        rules,
        lanes,
        ServiceLine(rules.retry, dice),
        Drain(rules, lanes, dice),
        ResponseKey.generate(),
        memory,
        tell,
        connector.answered,
        dice,
    )
    drill = drill_of(settings, make_lane, tell)
    staff = StaffRequests(
        Fallback(settings.outbox.fallback_after_s),
        drill,
        delivery,
        credentials,
        settings.outbox.path,
        settings.outbox.max_records,
        tell,
        connector.checked,
    )
    timekeeper = Timekeeper(clock)

    def opened(outbox: Outbox) -> None:
        keys = kept_keys(outbox.database) or enrolled_keys(credentials)
        staff.load(outbox.database)
        timekeeper.opened(outbox.database)
        delivery.begin_with(keys)

    def lost() -> None:
        delivery.outbox_lost()
        drill.outbox_lost()
        connector.outbox_lost()

    holder = OutboxHolder(settings.outbox, clock, timekeeper, tell, opened, lost)
    updates = Updates(settings.update, settings.service.timeout_s, tell, holder.note, mailbox.wake)
    changed = ChangedSettings(settings.update.flags, tell, holder.note)
    renewal = Renewal(
        credentials,
        settings.clinic.institution,
        settings.clinic.terminal,
        lambda: started(make_lane("renewal", url)),
        settings.update.slot_good.exists,
    )
    telling = Telling(tell, holder, delivery, staff, updates, changed)
    inbox = Inbox(holder, delivery, memory, connector, staff, updates, changed, credentials)
    parts = Parts(
        mailbox=mailbox,
        lanes=lanes,
        memory=memory,
        delivery=delivery,
        connector=connector,
        drill=drill,
        renewal=renewal,
        updates=updates,
        changed=changed,
        holder=holder,
        telling=telling,
        inbox=inbox,
    )
    return Uploader(hub, clock, supervision, parts)


@click.command()
@click.option("--config", required=True, type=click.Path(path_type=Path), help="The settings, kiosk.toml.")
def uploader(config: Path) -> None:
    """Run the uploader process until SIGTERM."""
    os.umask(0o077)
    settings = load(config)
    allowed = allowed_uids(settings.run_users) | {0}  # root: the command line of whoever mends the box
    hub = Hub(Listener(settings.run / UPLOADER_SOCKET, allowed))
    clock = Clock(synchronized=settings.clock.trust_file)
    credentials = credentials_of(settings.service, device_secret(os.environ))
    process = assemble(settings, credentials, hub, clock, Supervision())

    def stop(_signal: int, _frame: FrameType | None) -> None:
        process.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    process.run()
