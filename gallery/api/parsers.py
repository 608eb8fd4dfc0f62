"""How request bodies are read."""

from typing import Any

from rest_framework import parsers
from rest_framework.exceptions import ParseError


class JSONParser(parsers.JSONParser):
    """JSON, where lists nested thousands deep, or a name that is no text, are a 400 like any nonsense."""

    def parse(self, *args, **kwargs) -> Any:
        try:
            data = super().parse(*args, **kwargs)
            _check_names(data)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        return data


def _check_names(data: Any) -> None:
    """Refuse objects whose names hold half of a surrogate pair: no answer could repeat them."""
    if isinstance(data, dict):
        try:
            "".join(data).encode()
        except UnicodeEncodeError as error:
            raise ParseError("A name in the JSON is not valid Unicode.") from error
        data = list(data.values())
    if isinstance(data, list):
        for own in data:
            _check_names(own)
