"""A small HTTP server on loopback that answers like the model hub, and can fail in the hub's ways."""

import hashlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Hub:
    """Files by path, as in /org/model/resolve/main/config.json, and what goes wrong with them."""

    files: dict[str, bytes] = field(default_factory=dict)
    drop: dict[str, int] = field(
        default_factory=dict
    )  # path -> how many answers still break off in the middle
    lie: set[str] = field(default_factory=set)  # paths whose announced sha256 is another file's
    short: set[str] = field(default_factory=set)  # paths that end early, every time
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, Range
    url: str = ""

    def __enter__(self) -> "Hub":
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _handler(hub):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self):
                self.answer(with_body=False)

            def do_GET(self):
                self.answer(with_body=True)

            def answer(self, with_body: bool):
                wanted = self.headers.get("Range", "")
                hub.asked.append((self.command, self.path, wanted))
                content = hub.files.get(self.path)
                if content is None:
                    self.send_response(404)
                    self.send_header("X-Error-Code", "EntryNotFound")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
                body = content[start:]
                sha256 = hashlib.sha256(b"another" if self.path in hub.lie else content).hexdigest()
                self.send_response(206 if wanted else 200)
                self.send_header("X-Repo-Commit", "0" * 40)
                self.send_header("ETag", f'"{sha256}"')
                self.send_header("X-Linked-ETag", f'"{sha256}"')
                self.send_header("X-Linked-Size", str(len(content)))
                self.send_header("Accept-Ranges", "bytes")
                if wanted:
                    self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if not with_body:
                    return
                if self.path in hub.short or hub.drop.get(self.path, 0) > 0:
                    hub.drop[self.path] = hub.drop.get(self.path, 0) - 1
                    body = body[: len(body) // 2]
                    self.close_connection = True
                self.wfile.write(body)

            def log_message(self, *_):
                """Quiet."""

        return Handler
