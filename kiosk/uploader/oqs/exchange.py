"""How results are asked for over the folders: 01 asks for them and gets a ReceptionNumber, 02 fetches. PURE.

A request whose sending is not certain is never sent again; its answer is waited for. While the result is
being made (処理中) it is asked for again with the same ReceptionNumber, so often and no more.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from kiosk.qualification.codes import ProcessingResultStatus, SegmentOfResult
from kiosk.uploader.oqs.code_tables import MedicalTreatment
from kiosk.uploader.oqs.messages import Body, FileHeader, FileKind, SearchInfo, XmlMsg


class LookUpKind(StrEnum):
    """Which consented results are looked up."""

    ONLINE = "online"  #: オンライン診療等, and 外来診療等（通常とは異なる動線）: OQSmuonq
    HOME = "home"  #: 訪問診療等: OQSmuhvq


class LookUpStage(StrEnum):
    """Where a look-up stands."""

    READY = "ready"  #: the next request is surely not sent yet
    SENT = "sent"  #: it is sent, or may be: its answer is waited for
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class LookUp:
    """One look-up, as it is kept on the disk: names of files and numbers of receipts, nobody's data."""

    id: int
    kind: LookUpKind
    date_from: str  #: yyyyMMdd, consent dates in Japanese time
    date_to: str
    identifier: str  #: ArbitraryFileIdentifier of the request
    stage: LookUpStage = LookUpStage.READY
    reception: str = ""  #: the terminal's ReceptionNumber; with it, 02 is next
    request: str = ""  #: name of the request that was sent last
    asks: int = 0  #: how often the result was asked for
    reason: str = ""  #: why it failed
    found: int = 0  #: results that belong to recorded visits, …
    uncertain: int = 0  #: … that may, …
    others: int = 0  #: … and that do not

    @property
    def active(self) -> bool:
        return self.stage in (LookUpStage.READY, LookUpStage.SENT)

    def failed(self, reason: str) -> "LookUp":
        """The same, failed; staff look at the terminal itself."""
        return replace(self, stage=LookUpStage.FAILED, reason=reason)


@dataclass(frozen=True)
class Foreign:
    """The file is not the answer to this request: leave it where it is and wait on."""

    reason: str


@dataclass(frozen=True)
class AskAgain:
    """Go on with this; `wait`: not at once, the result is being made."""

    state: LookUp
    wait: bool = False


@dataclass(frozen=True)
class Results:
    """The answer holds the results."""


_MESSAGES = {
    (LookUpKind.ONLINE, False): FileKind.ONLINE_SUBMIT,
    (LookUpKind.ONLINE, True): FileKind.ONLINE_FETCH,
    (LookUpKind.HOME, False): FileKind.HOME_SUBMIT,
    (LookUpKind.HOME, True): FileKind.HOME_FETCH,
}
_FLAGS = {LookUpKind.ONLINE: MedicalTreatment.ONLINE, LookUpKind.HOME: MedicalTreatment.HOME_VISIT}
_RECEPTION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CODE = re.compile(r"[A-Za-z0-9]{1,16}")


def request_name(state: LookUp, stamp: str) -> str:
    """The file of the next request; `stamp` makes it unique in the folder."""
    return f"{_MESSAGES[state.kind, bool(state.reception)].value}{stamp}.xml"


def answer_name(request: str) -> str:
    """The file that answers a request."""
    return request.replace("req_", "res_", 1)


def request_of(state: LookUp, institution: str) -> XmlMsg:
    """What the next request says."""
    if state.reception:
        return XmlMsg(
            MessageHeader=FileHeader(MedicalInstitutionCode=institution),
            MessageBody=Body(ReceptionNumber=state.reception),
        )
    return XmlMsg(
        MessageHeader=FileHeader(
            MedicalInstitutionCode=institution, ArbitraryFileIdentifier=state.identifier
        ),
        MessageBody=Body(
            QualificationConfirmSearchInfo=SearchInfo(
                ConsentDateFrom=state.date_from,
                ConsentDateTo=state.date_to,
                MedicalTreatmentFlag=_FLAGS[state.kind].value,
            )
        ),
    )


def heard(state: LookUp, message: XmlMsg, institution: str, most_asks: int) -> Foreign | AskAgain | Results:
    """What an answer to the request means; its file has the right name."""
    header, body = message.header, message.body
    if header.MedicalInstitutionCode != institution:
        return Foreign("it is for another institution")
    if not state.reception and header.ArbitraryFileIdentifier != state.identifier:
        return Foreign("it answers another request")
    reception = header.ReceptionNumber or body.ReceptionNumber or ""
    if state.reception and reception not in ("", state.reception):
        return Foreign("it is about another ReceptionNumber")
    status = body.ProcessingResultStatus
    if header.SegmentOfResult == SegmentOfResult.IN_PROGRESS.value:
        return _in_progress(state, reception, most_asks)
    if header.SegmentOfResult != SegmentOfResult.NORMAL.value or status == ProcessingResultStatus.ERROR.value:
        return AskAgain(state.failed(_refusal(header, body)))
    if state.reception:
        return Results()
    return _received(state, reception)


def _in_progress(state: LookUp, reception: str, most_asks: int) -> AskAgain:
    if not state.reception:
        return _received(state, reception)
    if state.asks >= most_asks:
        return AskAgain(
            state.failed(f"the terminal was still at work when it had been asked {state.asks} times")
        )
    return AskAgain(replace(state, stage=LookUpStage.READY), wait=True)


def _received(state: LookUp, reception: str) -> AskAgain:
    if not _RECEPTION.fullmatch(reception):
        return AskAgain(state.failed("the terminal gave no ReceptionNumber"))
    return AskAgain(replace(state, stage=LookUpStage.READY, reception=reception))


def _refusal(header: FileHeader, body: Body) -> str:
    """The terminal's code; its message may name somebody and is not kept."""
    code = header.ErrorCode or body.ProcessingResultCode or ""
    return f"the terminal ended it with an error {code if _CODE.fullmatch(code) else ''}".rstrip()
