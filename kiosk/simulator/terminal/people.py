"""Answers about invented persons, as the terminal writes them into its folders."""

from dataclasses import replace

from kiosk.simulator.service.invented_answers import PERSONS, Person
from kiosk.uploader.oqs.messages import Unit
from kiosk.uploader.oqs.results import (
    DiseaseCertificate,
    ElderlyCertificate,
    LimitCertificate,
    QualificationResult,
)


def result(
    person: Person, *, reference: str | None = None, consent_time: str = "20261125090000"
) -> QualificationResult:
    """One person with everything that a usual answer holds; consents are those of an outpatient's day."""
    day_after = str(int(consent_time[:8]) + 1) + consent_time[8:]
    return QualificationResult(
        InsuredCardClassification="01",
        InsurerNumber=person.insurer.rjust(8),
        InsuredCardSymbol=person.symbol,
        InsuredIdentificationNumber=person.number,
        InsuredBranchNumber=person.branch,
        PersonalFamilyClassification="1" if person.branch in ("", "00") else "2",
        InsuredName=person.name,
        Name=person.name,
        NameKana=person.kana,
        Sex1=person.sex,
        Birthdate=person.birthdate,
        Address="架空県架空市架空町一丁目２番３号",
        PostNumber="1000000",
        QualificationDate="20240401",
        InsuredCardValidDate="20240401",
        InsuredCardExpirationDate="20290331",
        InsurerName=person.insurer_name,
        ElderlyRecipientCertificateInfo=ElderlyCertificate(
            ElderlyRecipientCertificateDate="20240401",
            ElderlyRecipientValidStartDate="20240401",
            ElderlyRecipientValidEndDate="20290331",
            ElderlyRecipientContributionRatio="020",
        ),
        LimitApplicationCertificateRelatedConsFlg="1",
        LimitApplicationCertificateRelatedConsTime=consent_time,
        LimitApplicationCertificateRelatedInfo=LimitCertificate(
            LimitApplicationCertificateClassification="01",
            LimitApplicationCertificateClassificationFlag="A03",
            LimitApplicationCertificateDate="20240401",
            LimitApplicationCertificateValidStartDate="20240401",
        ),
        SpecificDiseasesCertificateRelatedConsFlg="1",
        SpecificDiseasesCertificateRelatedConsTime=consent_time,
        SpecificDiseasesCertificateList=(
            DiseaseCertificate(SpecificDiseasesDiseaseCategory="1", SpecificDiseasesSelfPay="10000"),
        ),
        SpecificHealthCheckupsInfoConsFlg="1",
        SpecificHealthCheckupsInfoConsTime=consent_time,
        SpecificHealthCheckupsInfoAvailableTime=day_after,
        PharmacistsInfoConsFlg="1",
        PharmacistsInfoConsTime=consent_time,
        PharmacistsInfoAvailableTime=day_after,
        DiagnosisInfoConsFlg="0",
        OperationInfoConsFlg="0",
        ReferenceNumber=reference,
    )


def crowd(count: int, *, consent_time: str = "20261125090000") -> list[Unit]:
    """A bulk answer's units: so many persons, each with a number of their own."""
    units = []
    for index in range(count):
        person = PERSONS[index % len(PERSONS)]
        one = result(replace(person, number=f"{5_000_000 + index}"), consent_time=consent_time)
        units.append(Unit(ProcessingResultStatus="1", QualificationValidity="1", ResultList=(one,)))
    return units
