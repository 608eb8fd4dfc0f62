"""Whatever the API's own schema allows, and what it forbids, never ends in a 500.

Every answer is one that the schema tells of: its status, its type and its fields.
"""

import pytest
import schemathesis
from django.conf import settings as site
from django.core import signals
from django.core.management import call_command
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.stateful import run_state_machine_as_test
from jsonschema import Draft4Validator
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection

from gallery import access_tokens
from picfusion_site.wsgi import application
from tests.conftest import forget_what_was_cached

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
# Every check but one: a description cannot say which albums there are, so that a request which it allows may
# still be a 400.
REFUSED = [400, 401, 403, 404, 405, 406, 409, 411, 412, 413, 414, 415]
CONFIG = {
    "checks": {
        "positive_data_acceptance": {"enabled": False},
        "negative_data_rejection": {"expected-statuses": REFUSED},
        "missing_required_header": {"expected-statuses": REFUSED},
    }
}


@pytest.fixture
def key(curator):
    return access_tokens.create(curator, "contract")[1]


@pytest.fixture
def schema(key):
    """The requests run inside this test's transaction, so nobody may close its connection in between."""
    for sent in (signals.request_started, signals.request_finished):
        sent.disconnect(close_old_connections)
    headers = {"Authorization": f"Token {key}"}
    config = schemathesis.Config.from_dict(CONFIG)
    yield schemathesis.openapi.from_wsgi(
        "/api/schema/?format=json", application, config=config, headers=headers
    )
    for sent in (signals.request_started, signals.request_finished):
        sent.connect(close_old_connections)


def check(case, response, headers):
    """Run the checks. A form has texts alone, an empty one is left out: it cannot be wrong as JSON can."""
    excluded = [negative_data_rejection] if case.media_type == "multipart/form-data" else []
    case.validate_response(
        response, excluded_checks=excluded, headers=headers, transport_kwargs={"headers": headers}
    )


@pytest.mark.parametrize(("mode", "examples"), [(GenerationMode.POSITIVE, 40), (GenerationMode.NEGATIVE, 15)])
def test_the_api_is_as_it_is_described(schema, key, mode, examples):
    tried, signed_in = [], {"Authorization": f"Token {key}"}
    for operation in (result.ok() for result in schema.get_all_operations()):

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=mode == GenerationMode.NEGATIVE,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(mode))
        def request(case):
            response = case.call(headers=signed_in)
            check(case, response, signed_in)
            assert b"Traceback" not in response.content

        try:
            request()
        except Unsatisfiable:  # nothing about it can be wrong
            assert mode == GenerationMode.NEGATIVE
        tried.append(operation.label)
    assert {"POST /api/v1/search/", "POST /api/v1/images/", "GET /api/v1/tags/"} <= set(tried)


def test_what_one_request_answers_the_next_ones_understand(schema, key):
    """Pictures, albums, links and tokens that are made are there, and gone once they were deleted.

    Each walk starts from the same site: hypothesis walks a way again to go on from it, and what an earlier
    walk left behind (an album of that name, a full trash) would send it elsewhere.
    """
    signed_in = {"Authorization": f"Token {key}"}

    class Visit(schema.as_state_machine()):
        def setup(self):
            super().setup()
            self.before = transaction.savepoint()

        def teardown(self):
            super().teardown()
            transaction.savepoint_rollback(self.before)
            forget_what_was_cached(site.INDEX_DIR)

        def get_call_kwargs(self, case):
            return {"headers": signed_in}

        def validate_response(self, response, case, additional_checks=None, **kwargs):
            check(case, response, signed_in)

    few = settings(
        max_examples=40,
        stateful_step_count=6,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Visit, settings=few)


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
