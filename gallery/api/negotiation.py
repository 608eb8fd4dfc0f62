"""Which of the API's formats an answer has: JSON, whatever a client would rather take."""

from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request


class JSONForAll(DefaultContentNegotiation):
    """Refuse nobody for their Accept.

    Addresses of files answer with the file's own type, which a client may name; what is wrong they say in
    JSON. RFC 9110 (12.5.1) lets a server disregard the field.
    """

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        """Return the renderer and the type that the client would rather have, or else the first one."""
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            return renderers[0], renderers[0].media_type
