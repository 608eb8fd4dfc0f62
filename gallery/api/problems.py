"""What went wrong, as the API says it: problem details, RFC 9457.

`type` is about:blank, so that `title` is the status in words; `detail` is a sentence for people, and `errors`
has one for each field that is wrong.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.http import JsonResponse
from rest_framework import status
from rest_framework.exceptions import APIException, AuthenticationFailed, NotAuthenticated, Throttled
from rest_framework.response import Response
from rest_framework.views import exception_handler

from gallery.api.rates import Rate

MEDIA_TYPE = "application/problem+json"
PHRASES = {460: "Checksum Mismatch"}  # that HTTP does not have, but tus
REFERENCE = {"$ref": "#/components/schemas/Problem"}
SCHEMA = {
    "type": "object",
    "description": "What went wrong, by RFC 9457.",
    "properties": {
        "type": {"type": "string", "description": "about:blank: the title is the status in words."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for people."},
        "errors": {
            "type": "array",
            "description": "The fields and parameters that are wrong.",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string", "description": "Its name; empty for several together."},
                    "detail": {"type": "string"},
                },
                "required": ["field", "detail"],
            },
        },
    },
    "required": ["type", "title", "status", "detail", "errors"],
}


class NoRoom(APIException):
    """A file for which there is no room."""

    status_code = status.HTTP_507_INSUFFICIENT_STORAGE


def body(code: int, detail: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """Return the problem's members."""
    title = PHRASES.get(code) or HTTPStatus(code).phrase
    return {"type": "about:blank", "title": title, "status": code, "detail": detail, "errors": errors or []}


def response(code: int, detail: str) -> JsonResponse:
    """Answer with a problem, outside the API's own views."""
    return JsonResponse(body(code, detail), status=code, content_type=MEDIA_TYPE)


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn what a view of the API raised into a problem; None for what is no error of the client's."""
    if isinstance(error, NotAuthenticated | AuthenticationFailed):
        # Whoever is nobody is refused before the throttles are asked, and could ask for ever.
        rate = Rate()
        if not rate.allow_request(context["request"], context["view"]):
            error = Throttled(rate.wait())
    answer = exception_handler(error, context)
    if answer is None:
        return None
    said, errors = answer.data, []
    if isinstance(said, dict) and set(said) == {"detail"} and not isinstance(said["detail"], list | dict):
        detail = str(said["detail"])
    else:
        errors = [{"field": field, "detail": text} for field, text in _sentences(said)]
        first = errors[0] if errors else {"field": "", "detail": ""}
        detail = f"{first['field']}: {first['detail']}" if first["field"] else first["detail"]
    answer.data = body(answer.status_code, detail, errors)
    answer.content_type = MEDIA_TYPE
    return answer


def _sentences(said: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """(field, sentence) of what a serializer says, a field inside another with a dot between."""
    if isinstance(said, dict):
        for name, inner in said.items():
            own = "" if name == "non_field_errors" or isinstance(name, int) else str(name)
            yield from _sentences(inner, ".".join(filter(None, (field, own))))
    elif isinstance(said, list):
        for inner in said:
            yield from _sentences(inner, field)
    else:
        yield field, str(said)


def describe(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Tell in the API's description that every operation may answer with a problem."""
    result["components"]["schemas"]["Problem"] = SCHEMA
    answer = {
        "description": "What is wrong with the request, or why it cannot be answered.",
        "content": {MEDIA_TYPE: {"schema": REFERENCE}},
    }
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["default"] = answer
    return result
