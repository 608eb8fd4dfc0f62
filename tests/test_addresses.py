"""What DATABASE_URL, STORAGE_URL, CACHE_URL and SEARCH_URL mean, and what is said of those that cannot be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from gallery.apps import check_cache
from picfusion_site import addresses
from search.engines.qdrant import QdrantEngine

ROOT = Path(__file__).resolve().parent.parent
VAR = Path("/srv/picfusion")


def test_left_empty_everything_is_in_the_sites_own_folder():
    assert addresses.database("", VAR)["NAME"] == VAR / "picfusion.sqlite3"
    places = addresses.storages("", VAR)
    assert places["default"]["OPTIONS"]["location"] == VAR / "originals"
    assert places["thumbnails"]["OPTIONS"]["location"] == VAR / "thumbnails"
    assert addresses.cache("")["BACKEND"].endswith("LocMemCache")


def test_a_database_elsewhere():
    said = addresses.database("postgres://ana:p%40ss%2Fword@db.example:5433/pictures?sslmode=require", VAR)
    assert said["ENGINE"].endswith("postgresql")
    assert [said[part] for part in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        "ana",
        "p@ss/word",
        "db.example",
        5433,
        "pictures",
    ]
    assert said["OPTIONS"]["sslmode"] == "require"
    assert "pool" not in said["OPTIONS"]  # the worker forks
    assert addresses.database("postgres://ana@db/pictures", VAR, pooled=True)["OPTIONS"]["pool"]
    by_socket = addresses.database("postgres://ana@/pictures?host=/run/postgresql", VAR)
    assert (by_socket["HOST"], by_socket["OPTIONS"]["host"]) == ("", "/run/postgresql")


def test_another_sqlite_file_is_opened_with_the_same_care():
    said = addresses.database("sqlite:////srv/other.sqlite3", VAR)
    assert str(said["NAME"]) == "/srv/other.sqlite3"
    assert said["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_a_search_engine_elsewhere():
    for own in ("", "embedded://"):
        assert addresses.search(own) == ""
    address = "qdrant://k%40y@search.example:7000/pictures?https=off"
    assert addresses.search(address) == address
    client = QdrantEngine.at(address).client._client
    assert (client.rest_uri, client._api_key) == ("http://search.example:7000", "k@y")
    assert (
        QdrantEngine.at("qdrant://search.example/p").client._client.rest_uri == "https://search.example:6333"
    )


@pytest.mark.parametrize(
    "wrong",
    ["qdrant://", "qdrant://host", "qdrant:///p", "qdrant://host/a/b", "http://host/p", "qdrant://h:x/p"],
)
def test_a_search_engine_that_cannot_be(wrong):
    with pytest.raises(ImproperlyConfigured, match="SEARCH_URL"):
        addresses.search(wrong)


def test_files_elsewhere():
    own = addresses.storages("s3://key:se%2Fcret@store.example:9000/bucket?region=eu&https=off", VAR)
    options = own["thumbnails"]["OPTIONS"]
    assert options == {
        "bucket_name": "bucket",
        "access_key": "key",
        "secret_key": "se/cret",
        "region_name": "eu",
        "endpoint_url": "http://store.example:9000",
        "location": "thumbnails",
    }
    amazon = addresses.storages("s3:///bucket?region=eu-west-1", VAR)["default"]["OPTIONS"]
    assert (amazon["endpoint_url"], amazon["access_key"]) == (None, None)
    shared = addresses.storages("file:///mnt/shared", VAR)["default"]["OPTIONS"]
    assert shared["location"] == Path("/mnt/shared/originals")


def test_a_cache_elsewhere():
    assert addresses.cache("redis://cache:6379/0")["LOCATION"] == "redis://cache:6379/0"
    assert addresses.cache("locmem://")["BACKEND"].endswith("LocMemCache")


@pytest.mark.parametrize(
    ("reads", "text", "says"),
    [
        (addresses.database, "mysql://a@b/c", "DATABASE_URL must begin with sqlite:// or postgres://"),
        (addresses.database, "postgres://a@b", "must name a database"),
        (addresses.database, "postgres://a@b:port/c", "DATABASE_URL is no address"),
        (addresses.storages, "ftp://a/b", "STORAGE_URL must begin with file:// or s3://"),
        (addresses.storages, "s3://key:secret@host", "must name a bucket"),
        (addresses.storages, "s3://key:secret@host/a/b", "must name a bucket"),
    ],
)
def test_what_cannot_be_is_said_with_the_settings_name(reads, text, says):
    with pytest.raises(ImproperlyConfigured, match=says):
        reads(text, VAR)


def test_a_cache_of_another_kind_is_refused():
    with pytest.raises(ImproperlyConfigured, match="CACHE_URL must begin with"):
        addresses.cache("memcached://host")


def test_a_shared_database_needs_a_key_that_all_machines_have(tmp_path):
    tmp_path.chmod(0o700)
    environment = os.environ | {
        "PICFUSION_VAR_DIR": str(tmp_path),
        "DATABASE_URL": "postgres://a@127.0.0.1:9/b",
        "DJANGO_SETTINGS_MODULE": "picfusion_site.settings",
        "SECRET_KEY": "",
    }
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert "SECRET_KEY must be set, the same on every machine" in done.stderr
    assert not (tmp_path / "secret_key").exists()


def test_processes_that_count_apart_are_told(settings, monkeypatch):
    settings.DATABASE_URL, settings.CACHES = "", {"default": addresses.cache("")}
    assert check_cache(None) == []
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    [warning] = check_cache(None)
    assert warning.id == "gallery.W001"
    settings.CACHES = {"default": addresses.cache("redis://cache/0")}
    assert check_cache(None) == []
