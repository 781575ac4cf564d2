"""The sockets of the channel, with real ones: order, size, who may come, who has left."""

import os
import pwd
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.channel import MAX_MESSAGE
from kiosk.channel.seqpacket import Hub, Listener, Peer, allowed_uids, connect

OURS = frozenset({os.getuid()})
WAIT = 5.0  # only a fault ever takes so long


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "reader.sock"


@pytest.fixture
def hub(path: Path) -> Iterator[Hub]:
    hub = Hub(Listener(path, OURS))
    yield hub
    hub.close()


@pytest.fixture
def client(hub: Hub, path: Path) -> Iterator[Peer]:
    peer = joined(hub, path)
    yield peer
    peer.close()


def joined(hub: Hub, path: Path) -> Peer:
    """Connect, and let the hub see it."""
    peer = connect(path)
    assert peer is not None
    came, _, _ = hub.poll(WAIT)
    assert len(came) == 1
    return peer


def packets(hub: Hub, number: int) -> list[bytes]:
    """Poll until that many packets are in."""
    found: list[bytes] = []
    while len(found) < number:
        _, more, left = hub.poll(WAIT)
        assert more or left, "nothing came in time"
        found += [bytes(packet) for _, packet in more]
    return found


def next_packet(peer: Peer) -> bytes | None:
    """What the peer has received; the kernel delivers at once between local sockets."""
    packet = peer.receive()
    return None if packet is None else bytes(packet)


def test_packets_keep_their_order_and_their_borders(hub: Hub, client: Peer) -> None:
    sent = [b"x" * size for size in (1, 1000, 2, MAX_MESSAGE, 3)]
    for packet in sent:
        assert client.send(packet)
    assert packets(hub, len(sent)) == sent


def test_an_answer_reaches_who_asked_and_a_broadcast_everyone(hub: Hub, path: Path, client: Peer) -> None:
    second = joined(hub, path)
    second.send(b"ask")
    _, [(asker, packet)], _ = hub.poll(WAIT)
    assert packet == b"ask"
    asker.send(b"answer")
    assert next_packet(second) == b"answer"
    assert next_packet(client) is None
    assert client.open
    hub.broadcast(b"all")
    assert (next_packet(client), next_packet(second)) == (b"all", b"all")
    second.close()


def test_a_packet_comes_in_a_buffer_of_its_own_that_can_be_wiped(hub: Hub, client: Peer) -> None:
    client.send(b"1234")
    client.send(b"5678")
    _, found, _ = hub.poll(WAIT)
    first, second = (packet for _, packet in found)
    first[:] = bytes(4)
    assert second == b"5678"


def test_an_oversized_packet_comes_one_byte_too_long_and_the_next_is_whole(hub: Hub, path: Path) -> None:
    raw = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    raw.connect(str(path))
    hub.poll(WAIT)
    raw.send(b"x" * (MAX_MESSAGE + 5000))
    raw.send(b"next")
    first, second = packets(hub, 2)
    assert (len(first), second) == (MAX_MESSAGE + 1, b"next")
    raw.close()


def test_a_user_who_is_not_allowed_is_refused_and_named(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    hub = Hub(Listener(path, frozenset({os.getuid() + 1})))
    peer = connect(path)
    assert peer is not None
    peer.send(b"hello")
    came, found, left = hub.poll(WAIT)
    assert (came, found, left) == ([], [], [])
    assert hub.peers == ()
    assert peer.receive() is None
    assert not peer.open
    assert f"user {os.getuid()} is not allowed" in caplog.text
    hub.close()


def test_the_socket_is_for_owner_and_group_alone(hub: Hub, path: Path) -> None:
    assert hub.peers == ()
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_one_who_leaves_is_told_with_his_last_words(hub: Hub, client: Peer) -> None:
    (at_server,) = hub.peers
    client.send(b"last words")
    client.close()
    _, found, left = hub.poll(WAIT)
    assert [bytes(packet) for _, packet in found] == [b"last words"]
    assert left == [at_server]
    assert hub.peers == ()
    assert not at_server.send(b"too late")


def test_one_who_left_before_he_was_spoken_to_is_heard(hub: Hub, client: Peer) -> None:
    (at_server,) = hub.peers
    assert at_server.send(b"a greeting that he does not read")
    client.send(b"first")
    client.send(b"last words")
    client.close()
    assert not at_server.send(b"too late")
    assert not at_server.send(b"too late")
    _, found, left = hub.poll(WAIT)
    assert [bytes(packet) for _, packet in found] == [b"first", b"last words"]
    assert left == [at_server]
    assert hub.peers == ()


def test_the_server_leaving_is_seen_by_the_client(hub: Hub, client: Peer) -> None:
    hub.close()
    assert client.receive() is None
    assert not client.open
    assert not client.send(b"too late")


def test_one_who_does_not_read_is_let_go_and_never_blocks_us(hub: Hub, client: Peer) -> None:
    (at_server,) = hub.peers
    sent = 0
    while at_server.send(bytes(MAX_MESSAGE)):
        sent += 1
        assert sent < 1000
    assert not at_server.open
    assert hub.peers == ()
    _, _, left = hub.poll(0)
    assert left == [at_server]


def test_a_newcomer_may_get_the_descriptor_of_one_just_let_go(hub: Hub, path: Path, client: Peer) -> None:
    (old,) = hub.peers
    descriptor = old.fileno()
    newcomer = connect(path)
    assert newcomer is not None
    old.close()  # by a failed send, between two waits; accepting takes the lowest free descriptor
    came: list[Peer] = []
    left: list[Peer] = []
    while not came:
        more, _, gone = hub.poll(WAIT)
        assert more or gone, "nothing came in time"
        came += more
        left += gone
    assert left == [old]
    assert [peer.fileno() for peer in came] == [descriptor]
    newcomer.send(b"hello")
    assert packets(hub, 1) == [b"hello"]
    newcomer.close()


def test_coming_while_another_leaves_in_the_same_wait(hub: Hub, path: Path, client: Peer) -> None:
    (old,) = hub.peers
    newcomer = connect(path)
    assert newcomer is not None
    client.close()
    came, _, left = hub.poll(WAIT)
    if not came:  # the two may be told in one wait or in two
        came, _, _ = hub.poll(WAIT)
    assert (len(came), left, hub.peers) == (1, [old], tuple(came))
    newcomer.close()


def test_leaving_and_coming_in_the_same_wait(hub: Hub, path: Path) -> None:
    for _ in range(20):
        first = joined(hub, path)
        first.close()
        second = connect(path)
        assert second is not None
        came: list[Peer] = []
        while not came:
            came, _, _ = hub.poll(WAIT)
        second.close()
        hub.poll(WAIT)
    assert hub.peers == ()


def test_another_descriptor_wakes_the_same_wait(hub: Hub) -> None:
    here, there = socket.socketpair()
    heard: list[bytes] = []
    hub.register(here, lambda: heard.append(here.recv(16)))
    there.send(b"field changed")
    assert hub.poll(WAIT) == ([], [], [])
    assert heard == [b"field changed"]
    here.close()
    there.close()


def test_nothing_happening_ends_with_the_timeout(hub: Hub) -> None:
    assert hub.poll(0) == ([], [], [])


def test_nobody_listening_is_no_fault(path: Path) -> None:
    assert connect(path) is None


def test_a_socket_left_by_a_killed_process_is_replaced(path: Path) -> None:
    path.parent.mkdir()
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    dead.bind(str(path))
    dead.close()
    assert connect(path) is None
    hub = Hub(Listener(path, OURS))
    peer = connect(path)
    assert peer is not None
    peer.close()
    hub.close()
    assert not path.exists()


def test_closing_twice_is_allowed(client: Peer) -> None:
    client.close()
    client.close()
    assert client.receive() is None


def test_allowed_are_our_own_user_and_the_named_ones(caplog: pytest.LogCaptureFixture) -> None:
    nobody = pwd.getpwnam("nobody")
    assert allowed_uids(()) == OURS
    assert allowed_uids(("nobody",)) == OURS | {nobody.pw_uid}
    assert caplog.text == ""


def test_an_unknown_user_lets_nobody_in_and_is_named(caplog: pytest.LogCaptureFixture) -> None:
    assert allowed_uids(("no-such-user",)) == OURS
    assert "no user no-such-user" in caplog.text


def test_a_second_process_does_not_take_the_place_of_a_living_one(hub: Hub, path: Path) -> None:
    with pytest.raises(OSError, match="another process listens there"):
        Listener(path, OURS)
    hub.poll(0)  # the asking came and left
    joined(hub, path).close()


def test_the_place_of_one_that_was_killed_is_taken(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as killed:
        killed.bind(str(path))
    Listener(path, OURS).close()
