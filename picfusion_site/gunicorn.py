"""How `make run` serves the site: threads in few processes, so that the models are in memory once."""

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from gunicorn import util

from picfusion_site import deadlines, environment

FILE = Path(__file__).resolve().parent.parent / ".env"
environment.load(FILE)
try:
    env = environment.Environment(FILE)
    env.served()
    if os.environ.get("SCRIPT_NAME"):
        os.environ["SCRIPT_NAME"] = os.environ["SCRIPT_NAME"].rstrip("/")
    workers = env.int("WEB_CONCURRENCY", 1)
    threads = env.int("WEB_THREADS", 32, least=4)
    graceful_timeout = env.int("STOP_SECONDS", 8)
except ImproperlyConfigured as error:
    sys.exit(str(error))
# Words are embedded by many threads at once: each with threads of its own would take turns, not cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["PICFUSION_SERVES"] = "yes"  # its threads share connections to a PostgreSQL server
bind = f"{os.environ.get('HOST') or '127.0.0.1'}:{env.int('PORT', 8000, least=0)}"
worker_class = "gthread"
timeout = 300
# A results page with twenty examples, a region and filters has a long address.
limit_request_line = 8190
accesslog = None
LETTING_GO = 1.0  # seconds in which the index may be let go at a stop
loglevel = "warning"


def write_problem(connection: Any, status: int, reason: str, message: str) -> None:
    """Answer what is no request as the API answers errors (RFC 9457), for gunicorn knows no page of ours."""
    problem = {"type": "about:blank", "title": reason, "status": status, "detail": message, "errors": []}
    body = json.dumps(problem).encode()
    head = (
        f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\n"
        f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    util.write_nonblock(connection, head.encode("latin-1") + body)


util.write_error = write_problem


def on_starting(server: Any) -> None:
    """Refuse to serve a database that this code does not belong to: every page would be an error."""
    from gallery.database_version import refuse_wrong_database

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "picfusion_site.settings")
    refuse_wrong_database()


def pre_request(worker: Any, request: Any) -> None:
    """Give up clients that send or take nothing any more.

    An address beside SCRIPT_NAME is one that does not exist: gunicorn itself would answer with a 500.
    """
    deadlines.watch(request)
    below = os.environ.get("SCRIPT_NAME", "")
    if below and request.path != below and not request.path.startswith(f"{below}/"):
        request.path = f"{below}/beside/"


def post_request(worker: Any, request: Any, environ: Any, response: Any) -> None:
    """Let the watch go."""
    deadlines.unwatch(request)


def post_worker_init(worker: Any) -> None:
    """Load the extractor beside the first requests, so that the first search need not wait for it."""
    from gallery import extractor_switch
    from gallery.extraction import registry
    from search.engines import engine

    # Made here, in the worker's own process: gunicorn may call worker_exit in the main one, too.
    stopping = threading.Event()

    def load() -> None:
        extractor = extractor_switch.current()
        worker.log.warning("Pictures are searched by %s", extractor.key)
        registry.load(extractor)
        engine().keep_up(stopping)  # the first search need not read it from the disk

    thread = threading.Thread(target=load, name="load-extractor", daemon=True)
    thread.start()
    worker.looks_after = stopping, thread


def worker_exit(server: Any, worker: Any) -> None:
    """Let what looks after the index end, so that another process can feed a search engine at once."""
    if hasattr(worker, "looks_after"):
        stopping, thread = worker.looks_after
        stopping.set()
        thread.join(LETTING_GO)
