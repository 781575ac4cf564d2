"""One of each message at least, by the way that it goes."""

import typing

import msgspec

from kiosk import channel as ch
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, FallbackReason, Mode, Outcome, SignatureAlgorithm
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
    *(ch.ReaderState(condition=c, reason="一行", model="PN533 v2.7") for c in ReaderCondition),
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
    ch.StartUpdate(staff="1001", version="1.2.0", source=ch.UpdateSource.STICK),
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
    ch.CommitRefused(visit=VISIT, reason="full"),
    ch.ServiceAnswered(visit=VISIT, receipt="0042", outcome=Outcome.VERIFIED, validity="1"),
    ch.Deferred(visit=VISIT, reason="no answer in time"),
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
    ch.CommandDone(),
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
    ch.WaitingList(
        waiting=0,
        oldest_at=None,
        expired=1,
        quarantined=2,
        late=(LATE,),
        drill_passed_at=TIME,
        held=3,
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
    ch.CardSettings(
        file=ch.ChangedFile(
            offer="0",
            changes=(
                ch.SettingChange(section="clinic", key="terminal", old="K001", new="K002", fixed=True),
                ch.SettingChange(section="staff", key="1002", secret=True),
            ),
            more=3,
        ),
        left=True,
        failed=True,
    ),
    ch.CardSettings(),
    ch.UpdateStatus(
        running="1.1.0",
        phase=ch.UpdatePhase.FETCHING,
        offers=(
            ch.UpdateOffer(
                version="1.2.0",
                source=ch.UpdateSource.CHANNEL,
                megabytes=320.5,
                changes={"ja": ("速くなりました",)},
            ),
        ),
        version="1.2.0",
        percent=40,
        absent=(ch.UpdateFault(source=ch.UpdateSource.STICK, word="no_stick"),),
    ),
    ch.UpdateStatus(
        running="1.1.0",
        phase=ch.UpdatePhase.IDLE,
        offers=(
            ch.UpdateOffer(
                version="1.2.0",
                source=ch.UpdateSource.STICK,
                megabytes=320.0,
                changes={"en": ("Faster.",), "ja": ("速くなりました", "大きくなりました")},
                by_hand=False,
                by_hand_from="2026-12-01T10:00:00+09:00",
            ),
        ),
        offer_at_start="1.2.0",
        fault=ch.UpdateFault(
            source=ch.UpdateSource.CHANNEL, word="fell_back", reason="1.1.9 did not start well"
        ),
    ),
]

WAYS: dict[str, tuple[list[ch.Message], "msgspec.json.Decoder[typing.Any]", typing.Any]] = {
    "to reader": (TO_READER, ch.READER_INBOX, ch.ToReader),
    "from reader": (FROM_READER, ch.READER_OUTBOX, ch.FromReader),
    "to uploader": (TO_UPLOADER, ch.UPLOADER_INBOX, ch.ToUploader),
    "from uploader": (FROM_UPLOADER, ch.UPLOADER_OUTBOX, ch.FromUploader),
}
