"""The OpenAPI document: valid, complete, and saying what the service does."""

import json
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from kiosk.qualification import request as requests
from kiosk.qualification import transcript as transcripts
from kiosk.qualification.codes import ProcessingResultStatus, QualificationValidity, SegmentOfResult
from kiosk.qualification.consent import ConsentForm, ConsentItem
from kiosk.qualification.devices import Device
from kiosk.qualification.request import QualificationRequest
from kiosk.qualification.sealing import SuiteName
from kiosk.qualification.terms import Authentication, Mode, SignatureAlgorithm
from kiosk.simulator.service.injected_faults import Operation
from kiosk.simulator.service.problems import ProblemCode, Refusal
from tests.simulator.service.openapi_conformity import Conformity

Node = dict[str, Any]


def operations(conformity: Conformity) -> list[tuple[str, Node]]:
    return [
        (f"{method} {path}", operation)
        for path, item in conformity.document["paths"].items()
        for method, operation in item.items()
        if method != "servers"
    ]


def resolved(conformity: Conformity, node: Node) -> Node:
    target: Any = conformity.document
    if "$ref" not in node:
        return node
    for part in node["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    return dict(target)


def contents(conformity: Conformity) -> list[tuple[str, Node]]:
    """Every body that is described, with where it stands."""
    found = []
    for name, operation in operations(conformity):
        if "requestBody" in operation:
            found.append((f"{name} request", operation["requestBody"]["content"]["application/json"]))
        for status, response in operation["responses"].items():
            for content in resolved(conformity, response)["content"].values():
                found.append((f"{name} {status}", content))
    return found


def test_the_document_is_valid_openapi_31(conformity: Conformity) -> None:
    assert list(OpenAPIV31SpecValidator(conformity.document).iter_errors()) == []  # type: ignore[no-untyped-call,unused-ignore]


def test_every_operation_of_the_service_is_described(conformity: Conformity) -> None:
    assert len(operations(conformity)) == len(Operation)


def test_every_body_has_a_schema_and_fitting_examples(conformity: Conformity) -> None:
    for place, content in contents(conformity):
        assert content["examples"], place
        for example in content["examples"].values():
            conformity.validate_with(content["schema"], resolved(conformity, example)["value"])


def test_every_code_is_described_as_the_service_sends_it(conformity: Conformity) -> None:
    examples = conformity.document["components"]["examples"].values()
    described = {node["value"]["code"]: node["value"] for node in examples if "code" in node["value"]}
    assert described == {code.word: Refusal(code).body() for code in ProblemCode}


def test_every_code_but_the_unknown_path_belongs_to_an_operation(conformity: Conformity) -> None:
    used = {
        resolved(conformity, example)["value"].get("code")
        for _, content in contents(conformity)
        for example in content["examples"].values()
    }
    assert used - {None} == {code.word for code in ProblemCode} - {"not_found"}


@pytest.mark.parametrize(
    ("schema", "name", "words"),
    [
        ("Transcript", "mode", Mode),
        ("Transcript", "device", Device),
        ("Transcript", "authentication", Authentication),
        ("Consent", "form", ConsentForm),
        ("Result", "SegmentOfResult", SegmentOfResult),
        ("Result", "ProcessingResultStatus", ProcessingResultStatus),
        ("Result", "QualificationValidity", QualificationValidity),
    ],
)
def test_vocabularies_are_those_of_the_code(
    conformity: Conformity, schema: str, name: str, words: Any
) -> None:
    described = conformity.document["components"]["schemas"][schema]["properties"][name]["enum"]
    assert described == [word.value for word in words]


def test_items_suites_and_algorithms_are_those_of_the_code(conformity: Conformity) -> None:
    schemas = conformity.document["components"]["schemas"]
    items = schemas["Consent"]["properties"]["agreed"]["items"]["enum"]
    algorithms = schemas["RequestPlaintext"]["properties"]["algorithm"]["enum"]
    assert items == [item.value for item in ConsentItem]
    assert schemas["Suite"]["enum"] == [suite.value for suite in SuiteName]
    assert algorithms == [*(algorithm.value for algorithm in SignatureAlgorithm), None]


def test_the_example_of_a_transcript_is_one(conformity: Conformity) -> None:
    example = conformity.document["components"]["examples"]["Transcript"]["value"]
    conformity.validate("Transcript", example)
    encoded = transcripts.PREFIX + json.dumps(example, separators=(",", ":"), sort_keys=True).encode()
    assert transcripts.decode(encoded).visit == example["visit"]
    request = QualificationRequest(
        encoded, b"DER", b"s", SignatureAlgorithm.RSA_PKCS1_SHA256, "boot-1", bytes(32)
    )
    conformity.validate("RequestPlaintext", json.loads(request.encode()))
    assert requests.decode(request.encode()) == request


def test_the_example_of_an_answer_is_one(conformity: Conformity) -> None:
    conformity.validate(
        "AnswerPlaintext", conformity.document["components"]["examples"]["AnswerPlaintext"]["value"]
    )
