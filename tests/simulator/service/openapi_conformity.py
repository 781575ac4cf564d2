"""Holds requests and responses against `docs/service-api.yaml`."""

import re
from pathlib import Path
from typing import Any

import requests
import yaml
from openapi_schema_validator import OAS31Validator

DOCUMENT = Path(__file__).parents[3] / "docs" / "service-api.yaml"


class Conformity:
    """The document as a judge: a response that it does not describe fails the test."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.seen: set[tuple[str, str, int]] = set()

    def check(self, method: str, path: str, response: requests.Response) -> None:
        """Status, media type, headers and body must be as described for the operation."""
        template = self._template(path)
        described = self.document["paths"][template][method.lower()]["responses"][str(response.status_code)]
        described = self._resolved(described)
        media = response.headers["Content-Type"].split(";")[0]
        assert media in described["content"], f"{method} {template} {response.status_code}: {media}"
        self.validate_with(described["content"][media]["schema"], response.json())
        for name, header in described.get("headers", {}).items():
            header = self._resolved(header)
            if header.get("required"):
                assert name in response.headers, f"{method} {template}: header {name}"
            if name in response.headers:
                self.validate_with(header["schema"], _typed(response.headers[name]))
        self.seen.add((method.upper(), template, response.status_code))

    def check_request(self, method: str, path: str, body: object) -> None:
        """A well-formed request must be one that the document allows."""
        operation = self.document["paths"][self._template(path)][method.lower()]
        self.validate_with(operation["requestBody"]["content"]["application/json"]["schema"], body)

    def validate(self, schema_name: str, value: object) -> None:
        """`value` must fit a named schema."""
        self.validate_with({"$ref": f"#/components/schemas/{schema_name}"}, value)

    def validate_with(self, schema: dict[str, Any], value: object) -> None:
        """`value` must fit this schema, whose references point into the document."""
        whole = {**schema, "components": self.document["components"]}
        faults = [f"{fault.json_path}: {fault.message}" for fault in OAS31Validator(whole).iter_errors(value)]
        assert not faults, faults

    def _template(self, path: str) -> str:
        for template in self.document["paths"]:
            if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
                return str(template)
        raise AssertionError(f"the document has no path {path}")

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            target: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node


def load_conformity() -> Conformity:
    return Conformity(yaml.safe_load(DOCUMENT.read_text("utf-8")))


def _typed(text: str) -> str | int:
    return int(text) if text.isdigit() else text
