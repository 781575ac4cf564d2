"""The messages: request, answer, bulk answer. PURE. Names of elements: 別紙3-1, as far as public.

`XmlMsg` holds MessageHeader and MessageBody. A request differs from an answer in what stands in them, so that
one class each is enough: what is not there is None.
"""

from dataclasses import dataclass
from enum import Enum

from kiosk.qualification.codes import ProcessingResultStatus, QualificationValidity, SegmentOfResult
from kiosk.uploader.oqs import code_tables as codes
from kiosk.uploader.oqs.element import Element, each, inside, text, texts
from kiosk.uploader.oqs.results import QualificationResult


class FileKind(Enum):
    """The beginning of a file's name, which says what is in it; `req` becomes `res` in the answer's name."""

    FACE = "OQSsiquc01res_face_"  #: a face reader's result: without a request, in a folder of its own
    SINGLE = "OQSsiquc01req_"  #: 資格確認
    HOME_SUBMIT = "OQSmuhvq01req_"  #: 訪問診療等 同意済資格情報: ask → ReceptionNumber
    HOME_FETCH = "OQSmuhvq02req_"  #: … the result of that ReceptionNumber
    ONLINE_SUBMIT = "OQSmuonq01req_"  #: オンライン診療等 and 通常とは異なる動線
    ONLINE_FETCH = "OQSmuonq02req_"


@dataclass(frozen=True)
class SearchInfo(Element):
    """資格確認照会用情報: whom or what a request asks for; an answer repeats it."""

    InsurerNumber: str | None = text("保険者番号")
    InsuredCardSymbol: str | None = text("被保険者証記号")
    InsuredIdentificationNumber: str | None = text("被保険者証番号")
    InsuredBranchNumber: str | None = text("被保険者証枝番")
    Birthdate: str | None = text("生年月日")
    LimitApplicationCertificateRelatedConsFlg: str | None = text(
        "限度額適用認定証提供同意フラグ", codes.LimitConsent
    )
    ArbitraryIdentifier: str | None = text("任意の識別子")
    ConsentDateFrom: str | None = text("同意年月日（自）")
    ConsentDateTo: str | None = text("同意年月日（至）")
    ExaminationDateFrom: str | None = text("受診年月日（自）")
    ExaminationDateTo: str | None = text("受診年月日（至）")
    MedicalTreatmentFlag: str | None = text("診療区分", codes.MedicalTreatment)


@dataclass(frozen=True)
class FileHeader(Element):
    """ヘッダー of requests and answers."""

    ProcessExecutionTime: str | None = text("処理実行日時")
    QualificationConfirmationDate: str | None = text("資格確認日")
    MedicalInstitutionCode: str | None = text("医療機関コード")
    ArbitraryFileIdentifier: str | None = text("任意のファイル識別子")
    ReferenceClassification: str | None = text("照会区分", codes.ReferenceClassification)
    SegmentOfResult: str | None = text("処理結果区分", SegmentOfResult)
    ErrorCode: str | None = text("エラーコード")
    ErrorMessage: str | None = text("エラーメッセージ")
    ReceptionNumber: str | None = text("受付番号")
    ReceptionDateTime: str | None = text("受付日時")
    NumberOfProcessingResult: str | None = text("処理結果件数")
    NumberOfNormalProcessing: str | None = text("正常処理件数")
    NumberOfError: str | None = text("エラー件数")
    CharacterCodeIdentifier: str | None = text("文字コード識別", codes.CharacterCode)


@dataclass(frozen=True)
class Unit(Element):
    """One person of a bulk answer."""

    ReferenceNumber: tuple[str, ...] = texts("照会番号")
    ProcessingResultStatus: str | None = text("処理結果状況", ProcessingResultStatus)
    ProcessingResultCode: str | None = text("処理結果コード")
    ProcessingResultMessage: str | None = text("処理結果メッセージ")
    QualificationValidity: str | None = text("資格有効性", QualificationValidity)
    QualificationConfirmSearchInfo: SearchInfo | None = inside("照会用情報", SearchInfo)
    ResultList: tuple[QualificationResult, ...] = each(
        "資格確認結果", QualificationResult, "ResultOfQualificationConfirmation"
    )
    ResultOfQualificationConfirmation: tuple[QualificationResult, ...] = each(
        "資格確認結果", QualificationResult
    )

    @property
    def results(self) -> tuple[QualificationResult, ...]:
        """The results, whether they stand in a ResultList or alone."""
        return self.ResultList + self.ResultOfQualificationConfirmation


@dataclass(frozen=True)
class Body(Element):
    """ボディ of requests and answers; the units of a bulk answer are read one by one (document.py)."""

    ReceptionNumber: str | None = text("受付番号")
    ReceptionDateTime: str | None = text("受付日時")
    ProcessingResultStatus: str | None = text("処理結果状況", ProcessingResultStatus)
    ProcessingResultCode: str | None = text("処理結果コード")
    ProcessingResultMessage: str | None = text("処理結果メッセージ")
    QualificationValidity: str | None = text("資格有効性", QualificationValidity)
    PrescriptionIssueSelect: str | None = text("処方箋発行形態", codes.PrescriptionIssue)
    QualificationConfirmSearchInfo: SearchInfo | None = inside("照会用情報", SearchInfo)
    ResultList: tuple[QualificationResult, ...] = each(
        "資格確認結果", QualificationResult, "ResultOfQualificationConfirmation"
    )
    BulkConfirmUnit: tuple[Unit, ...] = each("一括照会結果", Unit)


@dataclass(frozen=True)
class XmlMsg(Element):
    """A whole message."""

    MessageHeader: FileHeader | None = inside("ヘッダー", FileHeader)
    MessageBody: Body | None = inside("ボディ", Body)

    @property
    def header(self) -> FileHeader:
        """The header; an empty one where there is none."""
        return self.MessageHeader or FileHeader()

    @property
    def body(self) -> Body:
        """The body; an empty one where there is none."""
        return self.MessageBody or Body()

    @property
    def valid(self) -> QualificationResult | None:
        """The one qualification that is in force; None unless everything says so and there is exactly one."""
        good = (
            self.header.SegmentOfResult == SegmentOfResult.NORMAL.value
            and self.body.ProcessingResultStatus == ProcessingResultStatus.NORMAL.value
            and self.body.QualificationValidity == QualificationValidity.VALID.value
            and len(self.body.ResultList) == 1
        )
        return self.body.ResultList[0] if good else None
