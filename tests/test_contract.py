"""Whatever the API's own schema allows, and what it forbids, never ends in a 500.

Every answer is one that the schema tells of: its status, its type and its fields.
"""

import pytest
import schemathesis
from django.core import signals
from django.core.management import call_command
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft4Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gallery import access_tokens
from picfusion_site.wsgi import application

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def key(curator):
    return access_tokens.create(curator, "contract")[1]


@pytest.fixture
def schema(key):
    """The requests run inside this test's transaction, so nobody may close its connection in between."""
    for sent in (signals.request_started, signals.request_finished):
        sent.disconnect(close_old_connections)
    headers = {"Authorization": f"Token {key}"}
    yield schemathesis.openapi.from_wsgi("/api/schema/?format=json", application, headers=headers)
    for sent in (signals.request_started, signals.request_finished):
        sent.connect(close_old_connections)


def test_the_api_is_as_it_is_described(schema, key):
    tried = []
    for operation in (result.ok() for result in schema.get_all_operations()):

        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def request(case):
            response = case.call(headers={"Authorization": f"Token {key}"})
            case.validate_response(response, checks=CHECKS)
            assert b"Traceback" not in response.content

        request()
        tried.append(operation.label)
    assert {"POST /api/v1/search/", "POST /api/v1/images/", "GET /api/v1/tags/"} <= set(tried)


def without_nullable(schema):
    """OpenAPI 3.0's `nullable` in JSON Schema's own words."""
    if isinstance(schema, list):
        return [without_nullable(own) for own in schema]
    if not isinstance(schema, dict):
        return schema
    own = {name: without_nullable(value) for name, value in schema.items()}
    return {"anyOf": [own, {"type": "null"}]} if own.pop("nullable", False) is True else own


def test_every_operation_has_an_example_that_its_own_schema_allows():
    description = without_nullable(SchemaGenerator().get_schema(request=None, public=True))
    tried = 0
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            for body in [operation.get("requestBody", {}), *operation["responses"].values()]:
                for kind, media in body.get("content", {}).items():
                    if "json" not in kind:
                        continue
                    schema = media["schema"] | {"components": description["components"]}
                    wrong = list(Draft4Validator(schema).iter_errors(media["example"]))
                    assert not wrong, (method, path, [(own.json_path, own.message) for own in wrong])
                    tried += 1
    assert tried > 100


def test_the_description_is_clean(tmp_path):
    """An error ends the command, and so does a warning."""
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(tmp_path / "schema.yml"))
