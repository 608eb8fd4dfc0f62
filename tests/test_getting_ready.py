"""The first seconds after a start: nobody waits for minutes."""

import threading
import time

import pytest

from gallery import extractor_switch
from gallery.extraction import registry
from search import engine
from search.index import kernels
from search.query import resolve
from search.query.query import Query


@pytest.fixture
def loading(monkeypatch):
    """Another thread is loading the extractor, and takes long."""
    monkeypatch.setattr(resolve, "PATIENCE", 0.2)
    monkeypatch.setattr(registry, "_loaded", {})
    taken, release = threading.Event(), threading.Event()

    def load():
        with registry._lock:
            taken.set()
            release.wait(30)

    thread = threading.Thread(target=load)
    thread.start()
    taken.wait(10)
    yield
    release.set()
    thread.join()


def test_a_search_meanwhile_says_so(page, api, loading):
    answer = page.get("/?q=cat")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "getting ready" in answer.content.decode()
    answer = api.post("/api/v1/search/", {"text": "cat"}, format="json")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "getting ready" in answer.json()["detail"]
    assert page.get("/").status_code == page.get("/images/").status_code == 200


def test_it_says_how_far_it_is_by_how_long_it_took_before(page, loading, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    key = extractor_switch.current().key
    registry._remember(key, 100.0)
    registry._under_way[:] = [(key, time.monotonic() - 40)]
    assert "getting ready, 40% so far" in page.get("/?q=cat").content.decode()
    registry._under_way[:] = [(key, time.monotonic() - 400)]
    assert "99%" in page.get("/?q=cat").content.decode()
    (tmp_path / "loading-took.json").write_text("[")
    assert "%" not in page.get("/?q=cat").content.decode().partition("getting ready")[2][:40]


def test_kernels_are_compiled_for_what_searches_ask(curator):
    kernels.prepare()
    before = [len(kernel.signatures) for kernel in (kernels.scan, kernels.exact_dots, kernels.add_at)]
    engine.search(Query(text="cat", tags=("espresso",)), curator)
    after = [len(kernel.signatures) for kernel in (kernels.scan, kernels.exact_dots, kernels.add_at)]
    assert before == after
