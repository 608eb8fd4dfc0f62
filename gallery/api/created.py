"""Answers to what was made."""

from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse


def created(
    request: Request, view: str, pk: int | tuple[int, ...], data: Any, is_new: bool = True
) -> Response:
    """Return 201 with the address of what was made, under the name `view`; 200 for what was there already."""
    numbers = pk if isinstance(pk, tuple) else (pk,)
    headers = {"Location": reverse(view, args=numbers, request=request)}
    return Response(data, status.HTTP_201_CREATED if is_new else status.HTTP_200_OK, headers=headers)
