"""The OpenAPI document says what the server does: no request that it allows, or nearly allows, gets a 5xx."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from bmip.prompting.model import PromptedCLIP
from bmip.serving.app import make_app
from tests.serving.conftest import png, served

OPERATIONS = (
    ("GET", "/healthz"),
    ("GET", "/metrics"),
    ("GET", "/api/model"),
    ("GET", "/api/examples/{name}"),
    ("POST", "/api/predict"),
    ("POST", "/api/explain"),
)
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def schema(model: PromptedCLIP) -> Iterator[Any]:
    with served(make_app(model, examples={"red.png": png()})) as address:
        yield schemathesis.openapi.from_url(f"{address}/openapi.json")


def test_every_operation_is_here(schema: Any) -> None:
    found = {(one.ok().method.upper(), one.ok().path) for one in schema.get_all_operations()}
    assert found == set(OPERATIONS)


@pytest.mark.parametrize(("verb", "path"), OPERATIONS)
def test_no_request_breaks_the_server(schema: Any, verb: str, path: str) -> None:
    @given(schema[path][verb].as_strategy())
    @settings(max_examples=30, phases=[Phase.generate], derandomize=True, database=None)
    def answered(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS)

    answered()
