"""Messages for the tests: every element filled, and shapes as they are met in clinics."""

from typing import TypeVar

from kiosk.uploader.oqs.document import Read, read
from kiosk.uploader.oqs.element import Element
from kiosk.uploader.oqs.messages import Body, FileHeader, XmlMsg
from kiosk.uploader.oqs.results import QualificationResult

E = TypeVar("E", bound=Element)


def filled(kind: type[E], mark: str = "試験") -> E:
    """An element with a text in every element that it may hold."""
    values: dict[str, object] = {}
    for spec in kind.specs().values():
        if spec.inner is not None:
            inner = filled(spec.inner, mark)
            values[spec.name] = (inner,) if spec.many else inner
        elif spec.codes is not None:
            values[spec.name] = next(iter(spec.codes)).value
        else:
            text = f"{mark}{spec.name}"
            values[spec.name] = (text,) if spec.many else text
    return kind(**values)  # type: ignore[arg-type]


def answer(*results: QualificationResult, validity: str = "1") -> XmlMsg:
    """A single answer, as from a face reader."""
    return XmlMsg(
        MessageHeader=FileHeader(
            ProcessExecutionTime="20261125090001",
            QualificationConfirmationDate="20261125",
            MedicalInstitutionCode="1312345670",
            ReferenceClassification="1",
            SegmentOfResult="1",
            CharacterCodeIdentifier="0",
        ),
        MessageBody=Body(ProcessingResultStatus="1", QualificationValidity=validity, ResultList=results),
    )


def must_read(data: bytes) -> Read:
    got = read(data)
    assert isinstance(got, Read), got
    return got


def as_file(inside: str, codec: str = "utf-8", declared: str = "UTF-8") -> bytes:
    """A hand-made file."""
    head = f'<?xml version="1.0" encoding="{declared}" standalone="no"?>\n'
    return (head + f"<XmlMsg>{inside}</XmlMsg>").encode(codec)
