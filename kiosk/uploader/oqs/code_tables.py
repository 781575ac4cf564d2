"""The code tables (別紙5-1 業務コード仕様) that are public, with the meaning of each code. PURE.

OQSCD003, 004 and 006 belong to the answer itself and stand in `qualification/codes.py`. A code that is in no
table is kept as it came (`meaning` says None).
"""

from kiosk.qualification.codes import Code as Code
from kiosk.qualification.codes import ProcessingResultStatus as ProcessingResultStatus
from kiosk.qualification.codes import QualificationValidity as QualificationValidity
from kiosk.qualification.codes import SegmentOfResult as SegmentOfResult


class LimitConsent(Code):
    """OQSCD001 限度額適用認定証提供同意フラグ."""

    NOT_GIVEN = "0", "未同意"
    GIVEN = "1", "同意"


class ReferenceClassification(Code):
    """OQSCD002 照会区分."""

    MY_NUMBER_CARD = "1", "マイナンバーカード"
    INSURED_CARD = "2", "被保険者証情報"


class CharacterCode(Code):
    """OQSCD005 文字コード識別. One public program says 1 and 2 instead; the XML layout's note and two others
    agree on these.
    """

    UTF_8 = "0", "UTF-8"
    SHIFT_JIS = "1", "Shift_JIS"


class Sex(Code):
    """OQSCD007 性別."""

    MALE = "1", "男"
    FEMALE = "2", "女"
    NOT_SET = "3", "未設定"


class ReasonOfLoss(Code):
    """OQSCD008 資格喪失事由."""

    DEATH = "01", "死亡"
    PUBLIC_ASSISTANCE = "02", "生活保護受給開始"
    OTHER_QUALIFICATION = "03", "医療保険等の資格取得"
    OTHER = "99", "その他"


class PersonalFamily(Code):
    """OQSCD009 本人・家族区分."""

    SELF = "1", "本人"
    FAMILY = "2", "家族"


class InsuredCard(Code):
    """OQSCD010 被保険者証区分."""

    GENERAL = "01", "被保険者証（一般）"
    RETIRED = "02", "被保険者証（退職）"
    SHORT_TERM = "03", "短期被保険者証（一般）"
    SHORT_TERM_RETIRED = "04", "短期被保険者証（退職）"
    SPECIAL_EXPENSES = "05", "特別療養費支給対象者"
    SPECIAL_RETIRED = "06", "特例退職被保険者証"
    SELF_DEFENSE = "07", "自衛官"
    MEDICAL_ASSISTANCE = "A1", "医療扶助"


class LimitCertificateKind(Code):
    """OQSCD011 限度額適用認定証区分."""

    LIMIT = "01", "限度額適用認定証"
    LIMIT_AND_STANDARD = "02", "限度額適用・標準負担額減額認定証"
    STANDARD = "03", "標準負担額減額認定証"


class LimitClass(Code):
    """OQSCD012 限度額適用認定証適用区分; A below 70 years, B from 70 on."""

    A01 = "A01", "ア"
    A02 = "A02", "イ"
    A03 = "A03", "ウ"
    A04 = "A04", "エ"
    A05 = "A05", "オ"
    A06 = "A06", "オ（境）"
    B01 = "B01", "現役並みⅢ"
    B02 = "B02", "現役並みⅡ"
    B03 = "B03", "現役並みⅠ"
    B04 = "B04", "一般"
    B05 = "B05", "低所得Ⅱ"
    B06 = "B06", "低所得Ⅰ"
    B07 = "B07", "低所得Ⅰ（老福）"
    B08 = "B08", "低所得Ⅰ（境）"
    B09 = "B09", "一般Ⅱ"
    B10 = "B10", "一般Ⅰ"


class SpecificDisease(Code):
    """OQSCD013 特定疾病療養受療証認定疾病区分."""

    DIALYSIS = "1", "人工透析を必要とする慢性腎不全"
    HAEMOPHILIA = "2", "先天性血液凝固因子障害"
    HIV = "3", "血液凝固因子製剤の投与に起因するHIV感染症"


class LimitChange(Code):
    """OQSCD014 限度額適用認定証情報変更有無."""

    NONE = "0", "変更なし"
    CHANGED = "1", "変更あり又は判定不能"


class Preschool(Code):
    """OQSCD015 未就学区分."""

    PRESCHOOL = "1", "未就学該当"


class ConsentFlag(Code):
    """OQSCD016 同意区分."""

    NOT_GIVEN = "0", "同意なし"
    GIVEN = "1", "同意あり"
    ENDED = "2", "同意有効期限切れ"
    NOT_OBTAINABLE = "3", "同意取得困難"


class PrescriptionIssue(Code):
    """OQSCD017 処方箋発行形態."""

    ELECTRONIC = "1", "電子処方箋"
    PAPER = "2", "紙の処方箋"


class Ticket(Code):
    """OQSCD018 医療券・調剤券別."""

    MEDICAL = "01", "医療券"
    DISPENSING = "02", "調剤券"


class Treatment(Code):
    """OQSCD019 診療別."""

    INPATIENT = "01", "入院"
    OUTPATIENT = "02", "入院外"
    DENTAL = "03", "歯科"
    DISPENSING = "04", "調剤"
    HOME_NURSING = "05", "訪問看護"


class SingleOrCombined(Code):
    """OQSCD020 単独・併用別."""

    SINGLE = "01", "単独"
    COMBINED = "02", "併用"


class SocialInsurance(Code):
    """OQSCD021 社会保険状況."""

    YES = "01", "あり"
    NO = "02", "なし"


class Consistency(Code):
    """OQSCD022 社会保険状況の整合性フラグ."""

    INCONSISTENT = "1", "不整合あり"


class InfectiousDiseasesLaw(Code):
    """OQSCD023 感染症法第37条の2の該当状況."""

    YES = "01", "あり"
    NO = "02", "なし"


class ElderlyMedicalCare(Code):
    """OQSCD024 後期高齢者医療の該当状況."""

    YES = "01", "あり"
    NO = "02", "なし"


class PrefecturalExpenses(Code):
    """OQSCD025 都道府県費の該当状況."""

    YES = "01", "あり"
    NO = "02", "なし"


class DesignatedInstitution(Code):
    """OQSCD026 指定医療機関確認フラグ."""

    SAME = "0", "一致"
    DIFFERENT = "1", "不一致"


class SamePerson(Code):
    """OQSCD027 同一個人有無フラグ."""

    EXISTS = "1", "同一個人あり"


class MedicalTreatment(Code):
    """OQSCD028 診療区分 (MedicalTreatmentFlag)."""

    OUTPATIENT = "1", "外来"
    HOME_VISIT = "2", "訪問診療等"
    ONLINE = "3", "オンライン診療等"
    EMERGENCY = "4", "救急時"


class MedicalInformation(Code):
    """OQSCD029 医療情報種別."""

    CHECKUPS = "TKK", "特定健診情報"
    MEDICINES = "YZK", "薬剤情報等"


class MedicinesShown(Code):
    """OQSCD030 薬剤情報等."""

    NO = "0", "表示しない"
    YES = "1", "表示する"


class ConsentEnd(Code):
    """OQSCD031 同意有効期限切れ理由."""

    BY_TREATMENT = "0", "診療形態毎に異なる"
    BY_INSTITUTION = "1", "医療機関による同意取り消し"
    BY_PATIENT = "2", "患者による同意取り消し"
    BY_CHANGE_OF_USE = "3", "用途変更による同意取り消し"


class QualificationChange(Code):
    """OQSCD032 資格情報変更確認フラグ."""

    SAME = "0", "一致"
    DIFFERENT = "1", "不一致"


class UrlKind(Code):
    """OQSCD033 URL取得区分."""

    HOME_VISIT = "2", "訪問診療等"
    ONLINE = "3", "オンライン診療等"


class UrlForm(Code):
    """OQSCD034, the form in which the URL comes."""

    PDF = "1", "PDF形式"
    PNG = "2", "PNG形式"


class UrlChange(Code):
    """OQSCD035, whether the URL is made anew."""

    NO = "0", "変更しない"
    YES = "1", "変更する"


class ViewingConsent(Code):
    """OQSCD036 閲覧同意情報種別."""

    SPECIFIC_DISEASES = "TSR", "特定疾病療養受療証情報"
    CHECKUPS = "TKK", "特定健診情報"
    MEDICINES = "YZK", "薬剤・処方"
    DIAGNOSIS = "SRJ", "診療・その他アレルギー等・薬剤アレルギー等・検査情報"
    OPERATION = "SHJ", "手術・傷病名・感染症情報"


class Use(Code):
    """OQSCD037 利用設定区分."""

    NO = "0", "利用しない"
    YES = "1", "利用する"


class ElectronicPrescriptionUse(Code):
    """OQSCD038 電子処方箋利用区分."""

    NO = "0", "利用しない"
    ELECTRONIC = "1", "電子処方箋のみ"
    BOTH = "2", "電子処方箋と紙の処方箋の併用"
    PAPER = "3", "紙の処方箋のみ"


class PrescriptionChoice(Code):
    """OQSCD039 処方箋発行形態選択タイミング."""

    OTHERWISE = "1", "資格確認時以外で確認する"
    AT_CONFIRMATION = "2", "資格確認時に確認する"


class InformationRequest(Code):
    """OQSCD040 情報要求パターン."""

    EMERGENCY_SUMMARY = "1", "救急用サマリー"
    EMERGENCY_ALL = "2", "救急用全量版"
    EMERGENCY_BOTH = "3", "電子処方箋＋救急用サマリー＋救急用全量版"
    MEDICINES = "4", "現行通りの薬剤情報"
    DIAGNOSIS = "5", "現行通りの診療／薬剤情報"
    CHECKUPS = "6", "現行通りの特定健診情報"


class FactorKind(Code):
    """OQSCD041 二要素認証要素区分."""

    KNOWLEDGE = "1", "記憶"
    BIOMETRICS = "2", "生体情報"
    POSSESSION = "3", "物理媒体"


class KnowledgeFactor(Code):
    """OQSCD042 二要素認証方式区分, where OQSCD041 is 1."""

    PASSWORD = "01", "ID/パスワード"
    PIN = "02", "暗証番号（PINコード）"
    QUESTION = "03", "秘密の質問"


class BiometricFactor(Code):
    """OQSCD042 二要素認証方式区分, where OQSCD041 is 2."""

    FINGERPRINT = "01", "指紋認証"
    FACE = "02", "顔認証"
    VOICE = "03", "音声認証"
    VEIN = "04", "静脈認証"
    IRIS = "05", "虹彩認証"


class PossessionFactor(Code):
    """OQSCD042 二要素認証方式区分, where OQSCD041 is 3."""

    IC_CARD = "01", "ICカード"
    ONE_TIME_PASSWORD = "02", "ワンタイムパスワード"
    OTHER = "03", "その他の物理媒体"


class EmergencyRight(Code):
    """OQSCD043 救急時閲覧権限有無."""

    NO = "0", "権限無し"
    YES = "1", "権限あり"


class LinkedSystem(Code):
    """OQSCD044 連携システムID (PMH)."""

    EXPENSES = "01", "医療費助成"
    MOTHER_AND_CHILD = "2", "母子保健"
    VACCINATION = "4", "予防接種"
    LONG_TERM_CARE = "8", "介護保険"


def meaning(table: type[Code], code: str) -> str | None:
    """What a code means in its table; None when the table does not hold it."""
    return next((member.ja for member in table if member.value == code), None)
