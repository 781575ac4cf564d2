"""The messages between the processes: all survive the way, and nothing else gets in."""

import json
import typing
import uuid

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk import channel as ch
from kiosk.qualification.terms import (
    Authentication,
    Device,
    FallbackReason,
    Mode,
    Outcome,
    SignatureAlgorithm,
)
from kiosk.visit.audit_events import AuditEvent
from kiosk.visit.events import ReadFailure
from kiosk.visit.states import CallReason, OutboxCondition, ReaderCondition, Stage, WrongTokenKind

VISIT = "0199c1f0-0000-7000-8000-000000000001"
TIME = "2026-11-22T10:00:00Z"
ALGORITHM = next(iter(SignatureAlgorithm))

STAGE = ch.StageTime(name="select", ms=12.5, apdus=1, bytes_to=21, bytes_from=2)
RECORD = ch.RecordLine(seq=7, visit=VISIT, receipt="0042", state="pending", taken_at=TIME, attempts=3)

TO_READER: list[ch.Message] = [
    ch.BeginContact(visit=VISIT),
    *(ch.ArmReader(visit=VISIT, device=d, authentication=a) for d in Device for a in Authentication),
    ch.SignDigests(visit=VISIT, digests=dict.fromkeys(SignatureAlgorithm, bytes(range(32)))),
    ch.EndContact(visit=VISIT),
    ch.AskReader(),
]
FROM_READER: list[ch.Message] = [
    *(ch.ReaderState(condition=c, say="一行", model="PN533 v2.7") for c in ReaderCondition),
    ch.Presented(visit=None),
    ch.Removed(visit=VISIT),
    *(ch.Recognised(visit=VISIT, token=device) for device in Device),
    *(ch.StageDone(visit=VISIT, stage=stage) for stage in Stage),
    *(ch.WrongTokenSeen(visit=VISIT, kind=kind) for kind in WrongTokenKind),
    ch.OtherDeviceSeen(visit=VISIT, presented=None),
    *(ch.ContactFailed(visit=VISIT, failure=f, tries_left=2, pin_kept=True) for f in ReadFailure),
    ch.Evidence(
        visit=VISIT,
        token=Device.CARD,
        certificate=bytes(1573),
        signature=bytes(256),
        algorithm=ALGORITHM,
        not_after=TIME,
        stages=(STAGE, STAGE),
    ),
    ch.ReaderHealth(
        condition=ReaderCondition.READY,
        model="PN533 v2.7",
        where="04e6:5591 at 1-1.3 (bus 1 device 7)",
        resets=1,
        contacts={"authenticated": 3},
        stages=(ch.StageHistogram(name="select", counts=(0, 3, 0)),),
    ),
]
TO_UPLOADER: list[ch.Message] = [
    ch.AskChallenge(visit=VISIT),
    ch.CommitRecord(
        visit=VISIT,
        suite="suite",
        key_id="k1",
        sealed=bytes(4096),
        mode=Mode.HOME_CONSENT,
        taken_at=TIME,
        clock_trusted=True,
        challenged=False,
    ),
    *(
        ch.VisitEnded(
            visit=VISIT,
            outcome=outcome,
            mode=Mode.QUALIFICATION_ONLY,
            device=None,
            authentication=None,
            stages_ms={"reading": 812.5},
        )
        for outcome in Outcome
    ),
    ch.AuditNote(event=AuditEvent.PASSCODE_ACCEPTED, staff="1234"),
    ch.AskStatus(),
    ch.AskRecords(),
    ch.AskRecords(limit=5, states=("pending", "sending"), before=7),
    ch.AskSealed(visit=VISIT),
    ch.RetryNow(),
    ch.AskAudit(after=7),
    ch.AskLookUps(),
    ch.StartLookUp(date_from="20261124", date_to="20261125"),
    *(ch.SetFallback(staff="1001", reason=reason) for reason in (*FallbackReason, None)),
    ch.SetPreferences(staff="1001", volume=3, languages=("ja", "en")),
    ch.AskWaitingList(staff="1001"),
    ch.AnswerSeen(staff="1001", visit=VISIT),
    ch.RunDrill(staff="1001"),
    ch.AskCheck(),
    *(ch.StaffWasCalled(reason=reason) for reason in CallReason),
    ch.AskDay(),
    ch.AskDay(day="2026-11-25"),
    ch.AskUpdate(staff="1001"),
    ch.CloseUpdate(),
    ch.StartUpdate(staff="1001", version="1.2.0", source="stick"),
    ch.StopUpdate(staff="1001"),
    ch.RestartKiosk(staff="1001"),
    ch.TakeSettings(staff="1001", offer="0123456789abcdef"),
    ch.LeaveSettings(staff="1001"),
]
AUDIT_ROW = ch.AuditRow(
    seq=1,
    event="visual_check",
    staff="1001",
    visit=VISIT,
    boot_id="boot",
    mono_ms=1,
    wall_ms=2,
    clock_trusted=False,
    chain=bytes(32),
)
LATE = ch.LateAnswer(
    visit=VISIT, receipt="0042", taken_at=TIME, answered_at=TIME, outcome=Outcome.VERIFIED, validity="1"
)
FROM_UPLOADER: list[ch.Message] = [
    ch.SealingKeys(
        service="s", key_id="k", suite="x", public=bytes(32), response_key_id="r", response_key=bytes(32)
    ),
    *(ch.OutboxState(condition=condition) for condition in OutboxCondition),
    ch.LineState(online=False, waiting=3, oldest_s=61.5, fallback=FallbackReason.LINE),
    ch.ChallengeGiven(visit=VISIT, challenge="AAAA", valid_s=600),
    ch.Committed(visit=VISIT, receipt="0042"),
    ch.CommitRefused(visit=VISIT, say="full"),
    ch.Answered(visit=VISIT, receipt="0042", outcome=Outcome.VERIFIED, validity="1"),
    ch.Deferred(visit=VISIT, say="no answer in time"),
    ch.Records(records=(RECORD,)),
    ch.SealedRecord(visit=VISIT, suite="suite", key_id="k1", sealed=bytes(4096), taken_at=TIME),
    ch.Status(
        online=True,
        waiting=0,
        answered=1,
        rejected=0,
        expired=0,
        quarantined=0,
        outbox=next(iter(OutboxCondition)),
        outcomes_today={"verified": 1},
    ),
    ch.AuditRows(rows=(AUDIT_ROW,)),
    ch.LookUpLines(
        lines=(
            ch.LookUpLine(
                id=1,
                kind="online",
                date_from="20261124",
                date_to="20261125",
                stage="done",
                reception="R-77",
                asks=2,
                found=1,
                uncertain=0,
                others=3,
            ),
        )
    ),
    ch.Done(),
    ch.WaitingList(
        waiting=1,
        oldest_at=TIME,
        expired=0,
        quarantined=0,
        late=(
            ch.LateAnswer(
                visit=VISIT, receipt="0042", taken_at=TIME, answered_at=TIME, outcome=Outcome.VERIFIED
            ),
        ),
    ),
    ch.DrillProgress(step="erase", passed=True),
    ch.StaffPreferences(),
    ch.StaffPreferences(volume=0, languages=("ja", "en")),
    ch.CheckResult(parts=(ch.CheckItem(part="certificate", fault="ends_soon", value=14.0),)),
    ch.DayCounts(
        day="2026-11-25",
        hours=(ch.HourCounts(hour=9, outcomes={"verified": 3}, calls={"help": 1}, offline_s=61.5),),
        bounds_ms=(50, 100),
        stages=(ch.StageCounts(name="token", counts=(0, 2, 1), sum_ms=420.5),),
        devices={"card": 3},
        authentications={"pin": 3},
    ),
    ch.CardSettings(
        file=ch.ChangedFile(
            offer="0123456789abcdef",
            changes=(ch.SettingChange(section="clinic", key="name", old="架空", new="架空の"),),
            faults=(ch.SettingFault(ja="3 行目 直す", en="line 3: mend"),),
        ),
        taking=True,
    ),
    ch.UpdateStatus(
        running="1.1.0",
        phase="fetching",
        offers=(
            ch.UpdateOffer(
                version="1.2.0", source="channel", megabytes=320.5, changes={"ja": ("速くなりました",)}
            ),
        ),
        version="1.2.0",
        percent=40,
        absent=(ch.UpdateFault(source="stick", word="no_stick"),),
    ),
]

WAYS: dict[str, tuple[list[ch.Message], "msgspec.json.Decoder[typing.Any]", typing.Any]] = {
    "to reader": (TO_READER, ch.READER_INBOX, ch.ToReader),
    "from reader": (FROM_READER, ch.READER_OUTBOX, ch.FromReader),
    "to uploader": (TO_UPLOADER, ch.UPLOADER_INBOX, ch.ToUploader),
    "from uploader": (FROM_UPLOADER, ch.UPLOADER_OUTBOX, ch.FromUploader),
}


def packed(**fields: object) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize("way", WAYS)
def test_every_message_survives_the_way(way: str) -> None:
    samples, inbox, _ = WAYS[way]
    assert [ch.decode(ch.encode(message), inbox) for message in samples] == samples


@pytest.mark.parametrize("way", WAYS)
def test_the_samples_hold_every_message(way: str) -> None:
    samples, _, union = WAYS[way]
    assert {type(message) for message in samples} == set(typing.get_args(union))


@pytest.mark.parametrize("way", WAYS)
def test_a_message_of_another_way_is_refused(way: str) -> None:
    _, inbox, _ = WAYS[way]
    for other in WAYS:
        if other != way:
            for message in WAYS[other][0]:
                with pytest.raises(ch.ChannelError):
                    ch.decode(ch.encode(message), inbox)


def test_the_screen_takes_what_is_for_it_and_nothing_meant_for_the_command_line() -> None:
    for_screen = typing.get_args(ch.ForScreen)
    for message in FROM_UPLOADER:
        packet = ch.encode(message)
        if type(message) in for_screen:
            assert ch.decode(packet, ch.SCREEN_INBOX) == message
        else:
            with pytest.raises(ch.ChannelError):
                ch.decode(packet, ch.SCREEN_INBOX)


def test_a_message_is_plain_json_with_version_and_type() -> None:
    assert json.loads(ch.encode(ch.EndContact(visit=VISIT))) == {
        "type": "end_contact",
        "v": 1,
        "visit": VISIT,
    }


def test_an_audit_event_travels_as_its_word() -> None:
    note = ch.AuditNote(event=AuditEvent.DESK_OPENED, staff="1001")
    assert json.loads(ch.encode(note)) == {
        "type": "audit_note",
        "v": 1,
        "event": "desk_opened",
        "staff": "1001",
        "visit": None,
    }
    packet = packed(v=1, type="audit_note", event="desk_opend", staff="1001")
    with pytest.raises(ch.ChannelError):
        ch.decode(packet, ch.UPLOADER_INBOX)


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(packed(v=1, type="nonsense", visit=VISIT), id="unknown type"),
        pytest.param(packed(v=1, visit=VISIT), id="no type"),
        pytest.param(packed(v=2, type="end_contact", visit=VISIT), id="another version"),
        pytest.param(packed(v="1", type="end_contact", visit=VISIT), id="version as text"),
        pytest.param(packed(v=1, type="end_contact", visit=VISIT, extra=1), id="a field too many"),
        pytest.param(packed(v=1, type="end_contact"), id="a field too few"),
        pytest.param(packed(v=1, type="end_contact", visit=7), id="wrong type of a field"),
        pytest.param(
            packed(v=1, type="arm_reader", visit=VISIT, device="watch", authentication="pin"),
            id="unknown device",
        ),
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b"\xff\xfe{}", id="no UTF-8"),
        pytest.param(b'{"v":1,"type":"end_contact","visit":"\xff"}', id="no UTF-8 inside"),
        pytest.param(b"[" * 60000, id="deep"),
        pytest.param(ch.PIN_MARK + bytes(16) + b"1234", id="a PIN frame"),
    ],
)
def test_what_is_no_message_is_refused_without_telling_its_content(packet: bytes) -> None:
    with pytest.raises(ch.ChannelError) as refused:
        ch.decode(packet, ch.READER_INBOX)
    assert VISIT not in str(refused.value)
    assert refused.value.__cause__ is None
    assert "\n" not in str(refused.value)


def test_a_packet_too_large_is_refused_before_it_is_read() -> None:
    fitting = ch.encode(ch.EndContact(visit=VISIT))
    padded = fitting + b" " * (ch.MAX_MESSAGE - len(fitting))
    assert ch.decode(padded, ch.READER_INBOX) == ch.EndContact(visit=VISIT)
    with pytest.raises(ch.ChannelError, match=r"more than 65536 bytes"):
        ch.decode(padded + b" ", ch.READER_INBOX)


def test_a_message_too_large_is_not_sent() -> None:
    with pytest.raises(ch.ChannelError, match="exceeds 65536"):
        ch.encode(ch.Deferred(visit=VISIT, say="x" * ch.MAX_MESSAGE))


@given(st.binary(max_size=300))
def test_no_packet_does_anything_but_decode_or_be_refused(packet: bytes) -> None:
    for _, inbox, _ in WAYS.values():
        try:
            message = ch.decode(packet, inbox)
        except ch.ChannelError:
            continue
        assert ch.decode(ch.encode(message), inbox) == message


def test_a_pin_frame_carries_visit_and_digits_in_buffers_that_can_be_wiped() -> None:
    pin = bytearray(b"1234")
    frame = ch.pin_frame(VISIT, pin)
    assert frame[:1] == ch.PIN_MARK
    assert isinstance(frame, bytearray)
    visit, digits = ch.read_pin_frame(frame)
    assert (visit, digits) == (VISIT, pin)
    frame[:] = bytes(len(frame))
    assert digits == b"1234"
    digits[:] = bytes(4)
    assert pin == b"1234"


@pytest.mark.parametrize("pin", [b"", b"123", b"12345", b"12a4", b"12\xb24", "１２".encode()[:4]])
def test_a_pin_frame_without_four_digits_is_refused_and_not_told(pin: bytes) -> None:
    frame = bytearray(ch.PIN_MARK + uuid.UUID(VISIT).bytes + pin)
    with pytest.raises(ch.ChannelError) as refused:
        ch.read_pin_frame(frame)
    assert str(refused.value) == "a PIN frame was refused: not four digits"
    copies = [entry.locals["digits"] for entry in refused.traceback if "digits" in entry.locals]
    assert len(copies) == 1
    assert not any(copies[0]), "the copy must be wiped: a crash dump would hold it"


@given(st.binary(max_size=40))
def test_a_broken_pin_frame_is_refused_and_nothing_worse(tail: bytes) -> None:
    try:
        visit, digits = ch.read_pin_frame(bytearray(ch.PIN_MARK + tail))
    except ch.ChannelError:
        return
    assert uuid.UUID(visit).bytes + digits == tail
