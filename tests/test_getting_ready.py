"""The first seconds after a start: nobody waits for minutes."""

import threading

import pytest

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


def test_kernels_are_compiled_for_what_searches_ask(curator):
    kernels.prepare()
    before = [len(kernel.signatures) for kernel in (kernels.scan, kernels.exact_dots, kernels.add_at)]
    engine.search(Query(text="cat", tags=("espresso",)), curator)
    after = [len(kernel.signatures) for kernel in (kernels.scan, kernels.exact_dots, kernels.add_at)]
    assert before == after
