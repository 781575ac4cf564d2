"""Updates from stick and channel through the uploader process, with RAUC's own service writing the slot."""

import hashlib
import json
import re
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk.channel import (
    AskAudit,
    AskChallenge,
    AskUpdate,
    AuditRows,
    CloseUpdate,
    RestartKiosk,
    StartUpdate,
    StopUpdate,
    UpdateFault,
    UpdateSource,
    UpdateStatus,
    VisitEnded,
)
from kiosk.commands.update import SAY
from kiosk.qualification.terms import Mode, Outcome
from tests.uploader.service.tls_server import Authority
from tests.uploader.updates.bundles import Box, Shelf, root_of, run
from tests.uploader.updates.channel_server import ChannelServer
from tests.uploader.updates.rauc_service import rauc_service
from tests.uploader.updates.updating import (
    STAFF,
    Place,
    ended,
    install,
    make_place,
    offered,
    until,
    until_flag,
)
from tests.uploader.world import RunningUploader, Screen, Token, new_visit


@pytest.fixture
def place(tmp_path: Path, box: Box, server: ChannelServer) -> Place:
    """A kiosk with a channel that serves `tmp_path/published`."""
    return make_place(tmp_path, box, channel=server.address, ca=server.ca)


@pytest.fixture
def uploader(place: Place, bus: dict[str, str], token: Token) -> Iterator[RunningUploader]:
    with rauc_service(place.box, bus):
        running = place.start(token, bus)
        try:
            yield running
        finally:
            running.kill()


@pytest.fixture
def screen(uploader: RunningUploader) -> Iterator[Screen]:
    with uploader.screen() as screen:
        yield screen


def publish(server: ChannelServer, made_of: Path, /, **changed: object) -> None:
    """Serve a bundle with the channel file that `kiosk update publish` writes; `changed`: then altered."""
    shutil.copy(made_of, server.folder)
    here = server.folder / made_of.name
    conf, made = server.folder.parent / "box" / "system.conf", server.folder / "made.json"
    run(sys.executable, "-m", "kiosk", "update", "publish", here, "--conf", conf, "--out", made)
    told = json.loads(made.read_text(encoding="utf-8")) | changed
    (server.folder / "channel.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fault_of(told: UpdateStatus) -> str | None:
    return None if told.fault is None else told.fault.word


def absent(told: UpdateStatus, source: str) -> str | None:
    return next((fault.word for fault in told.absent if fault.source == source), None)


def written(box: Box, version: str) -> bool:
    root = root_of(version)
    return box.slot_b.read_bytes()[: len(root)] == root


# ---- from the stick ----------------------------------------------------------------------------------------


def test_an_update_from_the_stick(place: Place, screen: Screen, shelf: Shelf) -> None:
    told = until(screen, lambda told: absent(told, "stick") == "no_stick")
    assert told.running == "1.1.0"
    until_flag(screen, place.flags / "stick")
    shutil.copy(shelf.new, place.stick)
    offer = offered(screen, UpdateSource.STICK)
    assert (offer.version, offer.by_hand) == ("1.2.0", True)
    told = install(screen, offer)
    assert (told.phase, told.version, told.fault) == ("installed", "1.2.0", None)
    assert written(place.box, "1.2.0")
    assert not any(place.box.slot_a.read_bytes()), "the slot that runs is not touched"
    phases = [each.phase for each in screen.heard if isinstance(each, UpdateStatus)]
    assert list(dict.fromkeys(phases)) == ["fetching", "checking", "installing", "installed"]
    assert not list(place.fetched.glob("*.part")), "what was installed is not kept"
    screen.send(CloseUpdate())
    until_flag(screen, place.flags / "stick", there=False)


def test_a_bad_stick_is_named(place: Place, screen: Screen, shelf: Shelf) -> None:
    for bundle, word in ((shelf.stranger, "other_key"), (shelf.other, "other_product"), (shelf.old, "older")):
        for old in place.stick.iterdir():
            old.unlink()
        shutil.copy(bundle, place.stick)
        until(screen, lambda told, word=word: absent(told, "stick") == word)  # type: ignore[misc]  # bound now
    assert not any(place.box.slot_b.read_bytes())


def test_a_stick_that_was_pulled(place: Place, screen: Screen, shelf: Shelf) -> None:
    shutil.copy(shelf.new, place.stick)
    offer = offered(screen, UpdateSource.STICK)
    shutil.rmtree(place.stick)
    assert fault_of(install(screen, offer)) == "gone"
    until(screen, lambda told: absent(told, "stick") == "no_stick")


# ---- from the channel --------------------------------------------------------------------------------------


def test_an_update_from_the_channel(
    place: Place, server: ChannelServer, uploader: RunningUploader, screen: Screen, shelf: Shelf, token: Token
) -> None:
    publish(server, shelf.new)
    assert offered(screen, UpdateSource.CHANNEL).changes["ja"]
    told = install(screen, offered(screen, UpdateSource.CHANNEL))
    assert (told.phase, told.version) == ("installed", "1.2.0")
    assert written(place.box, "1.2.0")
    screen.send(RestartKiosk(staff=STAFF))
    until_flag(screen, place.flags / "restart")
    uploader.kill()
    again = place.start(token)
    try:
        with again.screen() as other:
            told = until(other, lambda told: told.phase == "installed")
            assert told.version == "1.2.0", "a new life of the process knows what waits for the next start"
    finally:
        again.kill()


def test_a_broken_line_is_gone_on_with(server: ChannelServer, screen: Screen, shelf: Shelf) -> None:
    publish(server, shelf.new)
    offer = offered(screen, UpdateSource.CHANNEL)
    server.cut_after = 100_000
    assert fault_of(install(screen, offer)) == "unreachable"
    assert install(screen, offer).phase == "installed"
    starts = [int(line.split()[1]) for line in server.asked if line.startswith(shelf.new.name)]
    assert starts[0] == 0
    assert starts[1] > 50_000, "only the rest was asked for"


def test_fetching_can_be_given_up(server: ChannelServer, screen: Screen, shelf: Shelf) -> None:
    publish(server, shelf.new)
    offer = offered(screen, UpdateSource.CHANNEL)
    server.hold.set()
    screen.forget()
    screen.send(StartUpdate(staff=STAFF, version=offer.version, source=offer.source))
    until(screen, lambda told: told.phase == "fetching", ask=False)
    screen.send(StopUpdate(staff=STAFF))
    assert fault_of(until(screen, ended, ask=False)) == "stopped"


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"sha256": "0" * 64}, "changed"),
        ({"version": "1.2.1"}, "changed"),
        ({"bundle": "elsewhere.raucb"}, "not_found"),
        ({"size": 10**13}, "no_room"),
    ],
)
def test_what_does_not_fit_the_channel_file_is_not_installed(
    place: Place,
    server: ChannelServer,
    screen: Screen,
    shelf: Shelf,
    changed: dict[str, object],
    word: str,
) -> None:
    publish(server, shelf.new, **changed)
    assert fault_of(install(screen, offered(screen, UpdateSource.CHANNEL))) == word
    assert not any(place.box.slot_b.read_bytes())


@pytest.mark.parametrize("name", ["stranger", "other", "old"])
def test_a_channel_cannot_lie_about_a_bundle(
    place: Place, server: ChannelServer, screen: Screen, shelf: Shelf, name: str
) -> None:
    """Its file is believed for what to fetch, and for nothing else."""
    bundle: Path = getattr(shelf, name)
    publish(server, shelf.new)
    told = json.loads((server.folder / "channel.json").read_text(encoding="utf-8"))
    told |= {"size": bundle.stat().st_size, "sha256": digest(bundle)}
    shutil.copy(bundle, server.folder / told["bundle"])
    (server.folder / "channel.json").write_text(json.dumps(told), encoding="utf-8")
    words = {"stranger": "other_key", "other": "other_product", "old": "older"}
    assert fault_of(install(screen, offered(screen, UpdateSource.CHANNEL))) == words[name]
    assert not any(place.box.slot_b.read_bytes())


def test_a_channel_of_another_authority_is_not_believed(
    tmp_path: Path, box: Box, server: ChannelServer, shelf: Shelf, token: Token
) -> None:
    stranger = Authority.make(tmp_path / "stranger")
    publish(server, shelf.new)
    place = make_place(tmp_path, box, channel=server.address, ca=stranger.ca)
    running = place.start(token)
    try:
        with running.screen() as screen:
            until(screen, lambda told: absent(told, "channel") == "untrusted")
    finally:
        running.kill()


# ---- when ------------------------------------------------------------------------------------------------


def test_by_hand_from_one_hour_and_offered_from_a_later_one(
    server: ChannelServer, screen: Screen, shelf: Shelf
) -> None:
    now = datetime.now(UTC)
    later, before = (now + timedelta(hours=8)).isoformat(), (now - timedelta(hours=1)).isoformat()
    publish(server, shelf.new, by_hand_from=later, offer_from=later)
    offer = offered(screen, UpdateSource.CHANNEL)
    assert (offer.by_hand, offer.by_hand_from is not None) == (False, True)
    assert fault_of(install(screen, offer)) == "too_early"
    publish(server, shelf.newest, by_hand_from=before, offer_from=before)


def test_offered_at_the_start_once_its_hour_has_come(
    place: Place, server: ChannelServer, shelf: Shelf, token: Token
) -> None:
    before = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    publish(server, shelf.new, by_hand_from=before, offer_from=before)
    running = place.start(token)
    try:
        with running.screen() as screen:
            told = until(screen, lambda told: told.offer_at_start is not None, ask=False)
            assert told.offer_at_start == "1.2.0", "nobody had asked"
        assert not (place.flags / "stick").exists()
    finally:
        running.kill()


def test_nothing_begins_during_a_visit(
    place: Place, server: ChannelServer, screen: Screen, shelf: Shelf
) -> None:
    publish(server, shelf.new)
    offer = offered(screen, UpdateSource.CHANNEL)
    visit = new_visit()
    screen.send(AskChallenge(visit=visit))
    assert fault_of(install(screen, offer)) == "visit"
    screen.send(RestartKiosk(staff=STAFF))
    screen.ask(AskUpdate(staff=STAFF), UpdateStatus)
    assert not (place.flags / "restart").exists()
    screen.send(over(visit))
    until_flag(screen, place.flags / "restart")
    assert install(screen, offer).phase == "installed"


def test_a_visit_that_began_meanwhile_is_waited_for(
    place: Place, server: ChannelServer, screen: Screen, shelf: Shelf
) -> None:
    publish(server, shelf.new)
    offer = offered(screen, UpdateSource.CHANNEL)
    server.hold.set()
    screen.forget()
    screen.send(StartUpdate(staff=STAFF, version=offer.version, source=offer.source))
    until(screen, lambda told: told.phase == "fetching", ask=False)
    visit = new_visit()
    screen.send(AskChallenge(visit=visit))
    screen.ask(AskUpdate(staff=STAFF), UpdateStatus)
    server.go.set()
    until(screen, lambda told: told.phase == "checking", ask=False)
    end = time.monotonic() + 3  # an installation that does not wait has begun by then
    while time.monotonic() < end:
        screen.poll(0.2)
    told = [each.phase for each in screen.heard if isinstance(each, UpdateStatus)]
    assert told[-1] == "checking"
    assert not any(place.box.slot_b.read_bytes())
    screen.send(over(visit))
    assert until(screen, ended, ask=False).phase == "installed"


def over(visit: str) -> VisitEnded:
    return VisitEnded(
        visit=visit,
        outcome=Outcome.ABANDONED,
        mode=Mode.QUALIFICATION_ONLY,
        device=None,
        authentication=None,
        stages_ms={},
    )


# ---- the command line, and without an installer ------------------------------------------------------------


def test_the_command_line_shows_and_installs(
    place: Place, server: ChannelServer, uploader: RunningUploader, screen: Screen, shelf: Shelf
) -> None:
    publish(server, shelf.new)
    shown = place.kiosk("show")
    assert "1.2.0" in shown.stdout, shown
    assert "Reception is faster" in shown.stdout
    done = place.kiosk("install")
    assert done.returncode == 0, done
    assert "1.2.0 is installed" in done.stdout
    assert written(place.box, "1.2.0")
    again = place.kiosk("install", "--from", "stick")
    assert again.returncode == 1
    assert "no USB stick" in again.stderr
    assert place.kiosk("restart").returncode == 0
    until_flag(screen, place.flags / "restart")


def test_without_rauc_s_service_the_old_version_goes_on(
    place: Place, server: ChannelServer, bus: dict[str, str], shelf: Shelf, token: Token
) -> None:
    publish(server, shelf.new)
    running = place.start(token, bus)
    try:
        with running.screen() as screen:
            told = install(screen, offered(screen, UpdateSource.CHANNEL))
            assert fault_of(told) == "no_installer"
            assert told.phase == "idle"
            assert list(place.fetched.glob("*.part")), "it need not be fetched again"
    finally:
        running.kill()


def test_who_updated_stands_in_the_audit_table(
    place: Place, uploader: RunningUploader, screen: Screen, shelf: Shelf
) -> None:
    shutil.copy(shelf.new, place.stick)
    install(screen, offered(screen, UpdateSource.STICK))
    rows = screen.ask(AskAudit(), AuditRows).rows
    assert [(row.event, row.staff) for row in rows] == [
        ("update_started", STAFF),
        ("update_installed", STAFF),
    ]


@pytest.mark.parametrize(("running", "word"), [("1.1.0", "fell_back"), ("1.2.0", None)])
def test_a_version_that_did_not_start_well_is_told(
    place: Place, running: str, word: str | None, token: Token
) -> None:
    """Another boot has installed 1.2.0; the boot loader has chosen what runs now."""
    place.fetched.mkdir()
    note = {"version": "1.2.0", "source": "stick", "boot_id": "an earlier one"}
    (place.fetched / "installed.json").write_text(json.dumps(note), encoding="utf-8")
    (place.folder / "os-release").write_text(f"IMAGE_VERSION={running}\n", encoding="utf-8")
    process = place.start(token)
    try:
        with process.screen() as screen:
            told = screen.ask(AskUpdate(staff=STAFF), UpdateStatus)
            assert (told.running, fault_of(told)) == (running, word)
    finally:
        process.kill()


def test_every_word_of_a_fault_has_its_sentence() -> None:
    assert UpdateFault.__doc__ is not None
    listed = set(re.findall(r'"([a-z_]+)"', UpdateFault.__doc__))
    assert set(SAY) == listed
    document = Path(__file__).resolve().parents[3] / "docs" / "updates.md"
    rows = [
        row.split("|")[1] for row in document.read_text(encoding="utf-8").splitlines() if row.count("|") == 3
    ]
    assert listed <= set(re.findall(r"`([a-z_]+)`", " ".join(rows)))
