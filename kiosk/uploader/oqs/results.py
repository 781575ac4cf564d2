"""The answer about one person, 資格確認結果. PURE. Names of elements: 別紙3-1, as far as public."""

from dataclasses import dataclass

from kiosk.uploader.oqs import code_tables as codes
from kiosk.uploader.oqs.element import Element, each, inside, text


@dataclass(frozen=True)
class ElderlyCertificate(Element):
    """高齢受給者証情報."""

    ElderlyRecipientCertificateDate: str | None = text("高齢受給者証交付年月日")
    ElderlyRecipientValidStartDate: str | None = text("高齢受給者証有効開始年月日")
    ElderlyRecipientValidEndDate: str | None = text("高齢受給者証有効終了年月日")
    ElderlyRecipientContributionRatio: str | None = text("高齢受給者証一部負担金割合")


@dataclass(frozen=True)
class LimitCertificate(Element):
    """限度額適用認定証関連情報."""

    LimitApplicationCertificateClassification: str | None = text(
        "限度額適用認定証区分", codes.LimitCertificateKind
    )
    LimitApplicationCertificateClassificationFlag: str | None = text(
        "限度額適用認定証適用区分", codes.LimitClass
    )
    LimitApplicationCertificateDate: str | None = text("限度額適用認定証交付年月日")
    LimitApplicationCertificateValidStartDate: str | None = text("限度額適用認定証有効開始年月日")
    LimitApplicationCertificateValidEndDate: str | None = text("限度額適用認定証有効終了年月日")
    LimitApplicationCertificateLongTermDate: str | None = text("限度額適用認定証長期入院該当年月日")


@dataclass(frozen=True)
class DiseaseCertificate(Element):
    """特定疾病療養受療証情報."""

    SpecificDiseasesDiseaseCategory: str | None = text(
        "特定疾病療養受療証認定疾病区分", codes.SpecificDisease
    )
    SpecificDiseasesCertificateDate: str | None = text("特定疾病療養受療証交付年月日")
    SpecificDiseasesValidStartDate: str | None = text("特定疾病療養受療証有効開始年月日")
    SpecificDiseasesValidEndDate: str | None = text("特定疾病療養受療証有効終了年月日")
    SpecificDiseasesSelfPay: str | None = text("特定疾病療養受療証自己負担限度額")


@dataclass(frozen=True)
class MedicalTicket(Element):
    """医療券・調剤券情報. StatusOfInfecton is spelt so in the interface."""

    TicketType: str | None = text("医療券・調剤券別", codes.Ticket)
    MedicalTicketValidDate: str | None = text("医療券・調剤券有効開始年月日")
    MedicalTicketExpirationDate: str | None = text("医療券・調剤券有効終了年月日")
    IssueNumber: str | None = text("交付番号")
    MedicalTreatmentMonth: str | None = text("診療年月")
    DesignatedMedicalInstitutionCode: str | None = text("指定医療機関コード")
    DesignatedMedicalInstitutionFlag: str | None = text("指定医療機関確認フラグ", codes.DesignatedInstitution)
    DesignatedMedicalInstitutionName: str | None = text("指定医療機関名")
    PrescriptionIssuerMedicalInstitutionCode: str | None = text("処方箋発行元医療機関コード")
    PrescriptionIssuerMedicalInstitutionName: str | None = text("処方箋発行元医療機関名")
    InjuryName1: str | None = text("傷病名1")
    InjuryName2: str | None = text("傷病名2")
    InjuryName3: str | None = text("傷病名3")
    MedicalTreatmentType: str | None = text("診療別", codes.Treatment)
    SelfPayAmount: str | None = text("本人支払額（自己負担額）")
    DistrictContactName: str | None = text("地区担当員名")
    HandlingContactName: str | None = text("取扱担当者名")
    SingleOrCombinedUse: str | None = text("単独・併用別", codes.SingleOrCombined)
    StatusOfSocialInsurance: str | None = text("社会保険状況", codes.SocialInsurance)
    ConsistencyFlag: str | None = text("社会保険状況の整合性フラグ", codes.Consistency)
    StatusOfInfecton: str | None = text("感染症法第37条の2の該当状況", codes.InfectiousDiseasesLaw)
    StatusOfElderlyMedicalCare: str | None = text("後期高齢者医療の該当状況", codes.ElderlyMedicalCare)
    StatusOfPrefecturalExpenses: str | None = text("都道府県費の該当状況", codes.PrefecturalExpenses)
    Remarks1: str | None = text("備考1")
    Remarks2: str | None = text("備考2")
    Remarks3: str | None = text("備考3")


@dataclass(frozen=True)
class QualificationResult(Element):
    """資格確認結果. Dates are yyyyMMdd, times yyyyMMddHHmmss; InsurerNumber has 8 characters, with spaces on
    the left, and stays so; kana names are half-width; 1割 is the ratio "010".
    """

    InsuredCardClassification: str | None = text("被保険者証区分", codes.InsuredCard)
    InsurerNumber: str | None = text("保険者番号")
    InsuredCardSymbol: str | None = text("被保険者証記号")
    InsuredIdentificationNumber: str | None = text("被保険者証番号")
    InsuredBranchNumber: str | None = text("被保険者証枝番")
    PersonalFamilyClassification: str | None = text("本人・家族の別", codes.PersonalFamily)
    InsuredName: str | None = text("被保険者氏名（世帯主氏名）")
    Name: str | None = text("氏名")
    NameOfOther: str | None = text("氏名（その他）")
    NameKana: str | None = text("氏名カナ")
    NameOfOtherKana: str | None = text("氏名カナ（その他）")
    Sex1: str | None = text("性別1", codes.Sex)
    Sex2: str | None = text("性別2", codes.Sex)
    Birthdate: str | None = text("生年月日")
    Address: str | None = text("住所")
    PostNumber: str | None = text("郵便番号")
    QualificationDate: str | None = text("資格取得年月日")
    DisqualificationDate: str | None = text("資格喪失年月日")
    InsuredCertificateIssuanceDate: str | None = text("被保険者証交付年月日")
    InsuredCardValidDate: str | None = text("被保険者証有効開始年月日")
    InsuredCardExpirationDate: str | None = text("被保険者証有効終了年月日")
    InsuredPartialContributionRatio: str | None = text("被保険者証一部負担金割合")
    PreschoolClassification: str | None = text("未就学区分", codes.Preschool)
    ReasonOfLoss: str | None = text("資格喪失事由", codes.ReasonOfLoss)
    InsurerName: str | None = text("保険者名称")
    ElderlyRecipientCertificateInfo: ElderlyCertificate | None = inside(
        "高齢受給者証情報", ElderlyCertificate
    )
    LimitApplicationCertificateRelatedConsFlg: str | None = text(
        "限度額適用認定証提供同意フラグ", codes.LimitConsent
    )
    LimitApplicationCertificateRelatedConsTime: str | None = text("限度額適用認定証提供同意日時")
    LimitApplicationCertificateRelatedInfo: LimitCertificate | None = inside(
        "限度額適用認定証関連情報", LimitCertificate
    )
    SpecificDiseasesCertificateRelatedConsFlg: str | None = text(
        "特定疾病療養受療証提供同意フラグ", codes.ConsentFlag
    )
    SpecificDiseasesCertificateRelatedConsTime: str | None = text("特定疾病療養受療証提供同意日時")
    SpecificDiseasesCertificateList: tuple[DiseaseCertificate, ...] = each(
        "特定疾病療養受療証情報", DiseaseCertificate, "SpecificDiseasesCertificateInfo"
    )
    PublicExpenseResultList: tuple[MedicalTicket, ...] = each(
        "医療券・調剤券情報", MedicalTicket, "MedicalTicketInfo"
    )
    SpecificHealthCheckupsInfoConsFlg: str | None = text("特定健診情報閲覧同意フラグ", codes.ConsentFlag)
    SpecificHealthCheckupsInfoConsTime: str | None = text("特定健診情報閲覧同意日時")
    SpecificHealthCheckupsInfoAvailableTime: str | None = text("特定健診情報閲覧有効期限")
    PharmacistsInfoConsFlg: str | None = text("薬剤情報閲覧同意フラグ", codes.ConsentFlag)
    PharmacistsInfoConsTime: str | None = text("薬剤情報閲覧同意日時")
    PharmacistsInfoAvailableTime: str | None = text("薬剤情報閲覧有効期限")
    DiagnosisInfoConsFlg: str | None = text("診療情報閲覧同意フラグ", codes.ConsentFlag)
    DiagnosisInfoConsTime: str | None = text("診療情報閲覧同意日時")
    DiagnosisInfoAvailableTime: str | None = text("診療情報閲覧有効期限")
    OperationInfoConsFlg: str | None = text("手術情報閲覧同意フラグ", codes.ConsentFlag)
    OperationInfoConsTime: str | None = text("手術情報閲覧同意日時")
    OperationInfoAvailableTime: str | None = text("手術情報閲覧有効期限")
    ReferenceNumber: str | None = text("照会番号")
    PublicExpenseNumber: str | None = text("公費負担者番号")
    BeneficiaryNumber: str | None = text("受給者番号")
    WelfareOfficeName: str | None = text("福祉事務所名")
