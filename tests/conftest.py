"""What tests share: people, a library of real photos read by the real extractor, and files of every kind."""

import io
import shutil
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import translation
from django.utils.functional import empty
from django_q.models import OrmQ
from PIL import Image as Pillow
from rest_framework.test import APIClient
from sorl.thumbnail import default as sorl

from gallery import demo, ingest, tasks
from gallery.models import Image
from search import engines
from search.engines.qdrant import QdrantEngine
from search.live_index import live_index

ON_ONE_MACHINE = connection.vendor == "sqlite"
# A test that looks into folders of originals, or that needs to see its own transaction as others do.
one_machine = pytest.mark.skipif(not ON_ONE_MACHINE, reason="of SQLite and files on this machine's disk")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Besides the tables: the person 'curator', who owns the demo photos, read by `lite`.

    Tests roll back to this.
    """
    with django_db_blocker.unblock():
        curator = get_user_model().objects.create_user("curator", password="curator-password")
        for path in demo.photos():
            ingest.add(curator, ContentFile(path.read_bytes(), name=path.name))
        while tasks.extract_batch(16):
            pass
        OrmQ.objects.all().delete()  # what the imports asked of a worker


@pytest.fixture(autouse=True)
def _fresh_caches(settings, tmp_path, monkeypatch):
    settings.INDEX_DIR = tmp_path / "index"
    sorl.storage._wrapped = empty  # it keeps the one that it saw first, though a test had another
    if settings.SEARCH_URL:
        from tests.engines import PromptEngine

        own = PromptEngine(QdrantEngine.at(settings.SEARCH_URL).client)
        monkeypatch.setattr(engines, "_engine_at", lambda _address: own)
    forget_what_was_cached(settings.INDEX_DIR)
    translation.activate(settings.LANGUAGE_CODE)  # a test's last request may have been in another language


def forget_what_was_cached(index_dir: Path) -> None:
    """A rolled-back database is another database: nothing that was cached of it holds."""
    shutil.rmtree(index_dir, ignore_errors=True)
    live_index.forget()
    cache.clear()


@pytest.fixture
def curator(db):
    return get_user_model().objects.get(username="curator")


@pytest.fixture
def stranger(db):
    return get_user_model().objects.create_user("stranger", password="stranger-password")


@pytest.fixture
def administrator(db):
    return get_user_model().objects.create_superuser("administrator", password="administrator-password")


@pytest.fixture
def page(client, curator):
    """A browser signed in as the curator."""
    client.force_login(curator)
    return client


@pytest.fixture
def api(curator):
    """An API client signed in as the curator."""
    return client_of(curator)


def client_of(person) -> APIClient:
    """An API client signed in as this person."""
    client = APIClient()
    client.force_authenticate(person)
    return client


@pytest.fixture
def photo(db):
    """photo('chelsea') is the demo photo of that name, as an Image."""
    return lambda name: Image.objects.get(filename__startswith=name)


def demo_path(name: str) -> Path:
    return next(path for path in demo.photos() if path.name.startswith(name))


def encoded(image: Pillow.Image, format: str = "PNG", **options) -> bytes:
    """The picture as a file's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def drawn(color="red", size=(64, 48), mode="RGB") -> Pillow.Image:
    """A picture of two halves, the left one in `color`, so that turning it shows."""
    picture = Pillow.new("RGB", size, "white")
    picture.paste(color, (0, 0, size[0] // 2, size[1]))
    return picture.convert(mode)


def upload(content: bytes, name: str = "picture.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def wrong_fields(answer) -> list[str]:
    """The fields and parameters that an answer of the API says are wrong, each once."""
    assert answer["Content-Type"] == "application/problem+json"
    return list(dict.fromkeys(error["field"] for error in answer.json()["errors"]))
