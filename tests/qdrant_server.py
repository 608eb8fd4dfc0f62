"""The Qdrant client's local mode behind the addresses of a server: `python -m tests.qdrant_server PORT`.

No Qdrant server can be installed here. This answers what Picfusion asks of one, in JSON, so that the real
client speaks over a real connection, and several machines share one index; good for some hundred pictures.
"""

import json
import sys
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import TypeAdapter
from qdrant_client import QdrantClient, models
from qdrant_client.http import models as rest

warnings.filterwarnings("ignore", message="Payload indexes|Local mode performs")
CLIENT = QdrantClient(":memory:")
LOCK = threading.Lock()


def collections() -> Any:
    return CLIENT.get_collections()


def exists(name: str) -> Any:
    return {"exists": CLIENT.collection_exists(name)}


def create(name: str, body: dict) -> Any:
    asked = rest.CreateCollection(**body)
    return CLIENT.create_collection(name, vectors_config=asked.vectors)


def count(name: str, body: dict) -> Any:
    asked = rest.CountRequest(**body)
    return CLIENT.count(name, count_filter=asked.filter, exact=True)


def query(name: str, body: dict) -> Any:
    asked = rest.QueryRequest(**body)
    return CLIENT.query_points(
        name,
        query=asked.query,
        prefetch=asked.prefetch,
        query_filter=asked.filter,
        limit=asked.limit or 10,
        offset=asked.offset,
        with_payload=asked.with_payload or False,
        score_threshold=asked.score_threshold,
    )


def scroll(name: str, body: dict) -> Any:
    asked = rest.ScrollRequest(**body)
    points, following = CLIENT.scroll(name, limit=asked.limit or 10, offset=asked.offset, with_payload=False)
    return {"points": points, "next_page_offset": following}


def retrieve(name: str, body: dict) -> Any:
    asked = rest.PointRequest(**body)
    return CLIENT.retrieve(name, asked.ids, with_payload=asked.with_payload or False)


def update(name: str, body: dict) -> Any:
    return CLIENT.batch_update_points(name, rest.UpdateOperations(**body).operations)


ROUTES = {
    ("GET", "exists"): lambda name, body: exists(name),
    ("PUT", ""): create,
    ("DELETE", ""): lambda name, body: CLIENT.delete_collection(name),
    ("PUT", "index"): lambda name, body: rest.UpdateResult(status=models.UpdateStatus.COMPLETED),
    ("POST", "points/count"): count,
    ("POST", "points/query"): query,
    ("POST", "points/scroll"): scroll,
    ("POST", "points"): retrieve,
    ("POST", "points/batch"): update,
}


class Handler(BaseHTTPRequestHandler):
    """Answers one request at a time, for the local mode is of one thread."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        name, _, what = self.path.partition("?")[0].removeprefix("/collections").strip("/").partition("/")
        try:
            with LOCK:
                found = collections() if not name else ROUTES[self.command, what](name, body)
            status, said = 200, {"result": found, "status": "ok", "time": 0.0}
        except (KeyError, ValueError) as error:
            status, said = 404, {"status": {"error": repr(error)}, "time": 0.0}
        content = TypeAdapter(Any).dump_json(said)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - as the base class calls them

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
