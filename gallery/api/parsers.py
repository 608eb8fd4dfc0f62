"""How request bodies are read."""

from typing import Any

from rest_framework import parsers
from rest_framework.exceptions import ParseError


class JSONParser(parsers.JSONParser):
    """JSON, where lists nested thousands deep are a 400 like any other nonsense."""

    def parse(self, *args, **kwargs) -> Any:
        try:
            return super().parse(*args, **kwargs)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
