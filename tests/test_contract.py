"""Whatever the API's own schema allows, and what it forbids, never ends in a 500."""

import pytest
import schemathesis
from django.core import signals
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error

from gallery import access_tokens
from picfusion_site.wsgi import application


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


def test_no_request_breaks_the_server(schema, key):
    tried = []
    for operation in (result.ok() for result in schema.get_all_operations()):

        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def request(case):
            response = case.call(headers={"Authorization": f"Token {key}"})
            case.validate_response(response, checks=[not_a_server_error])
            assert b"Traceback" not in response.content

        request()
        tried.append(operation.label)
    assert {"POST /api/v1/search/", "POST /api/v1/images/", "GET /api/v1/tags/"} <= set(tried)
