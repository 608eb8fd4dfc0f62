"""Parts of files: what a download that was cut off goes on from (RFC 9110, Range and If-Range)."""

import os
import re
from collections.abc import Iterator
from typing import IO

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

CHUNK = 1 << 16


def with_range(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Answer with the one part of a file that the request asks for, or with `response`, the whole of it.

    A part that is not there is a 416; what cannot be read, several parts, and a part of what has changed
    since (If-Range) are passed over.
    """
    file = getattr(response, "file_to_stream", None)
    if response.status_code != 200 or file is None:
        return response
    response["Accept-Ranges"] = "bytes"
    asked = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", request.headers.get("Range", "").strip())
    condition = request.headers.get("If-Range")
    is_current = not condition or condition in (response.get("ETag"), response.get("Last-Modified"))
    if request.method != "GET" or not asked or asked[0] == "bytes=-" or not is_current:
        return response
    first, last = asked.groups()
    if first and last and int(last) < int(first):
        return response
    size = file.seek(0, os.SEEK_END)
    if first:
        start, stop = int(first), min(int(last or size) + 1, size)
    else:
        start, stop = max(size - int(last), 0), size
    if start >= stop:
        response.close()
        refused = HttpResponse(status=416)
        refused["Content-Range"] = f"bytes */{size}"
        return refused
    file.seek(start)
    part = StreamingHttpResponse(_pieces(file, stop - start), status=206, headers=dict(response.items()))
    part["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    part["Content-Length"] = str(stop - start)
    part._resource_closers.append(file.close)  # type: ignore[attr-defined]
    return part


def _pieces(file: IO[bytes], left: int) -> Iterator[bytes]:
    while left and (piece := file.read(min(CHUNK, left))):
        left -= len(piece)
        yield piece
