"""The addresses that move a site to many machines: of its database, its files, its cache and its search.

Each is one setting, and each default needs no server. What the others need is in requirements-many.txt.
"""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

SQLITE_OPTIONS = {
    # SQLite takes one writer at a time: readers go on beside it (WAL), writers queue from their first
    # statement (IMMEDIATE), and a commit is on disk before it is reported (FULL).
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
}
# Connections that a process keeps open; a thread that finds none free waits for one, at most ten seconds.
POOL = {"min_size": 1, "max_size": 16, "timeout": 10}


def database(text: str, var_dir: Path, pooled: bool = False) -> dict[str, Any]:
    """Return Django's DATABASES entry for sqlite:///PATH or postgres://USER:PASSWORD@HOST:PORT/NAME?OPTION=VALUE.

    An empty text is the SQLite file of the site's own folder. A socket is named by the option host=/FOLDER.
    `pooled` is for web processes, whose threads share connections; the worker forks, and must not.
    """
    if not text:
        name: Path = var_dir / "picfusion.sqlite3"
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": SQLITE_OPTIONS}
    parts = _split(
        "DATABASE_URL", text, {"sqlite": "sqlite", "postgres": "postgres", "postgresql": "postgres"}
    )
    name_in_path = unquote(parts.path[1:])
    if not name_in_path:
        raise ImproperlyConfigured(
            "DATABASE_URL must name a database, as in postgres://user:password@host/name."
        )
    if parts.scheme == "sqlite":
        path = var_dir.parent / name_in_path
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": SQLITE_OPTIONS}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name_in_path,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": parts.port or "",
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **({"pool": POOL} if pooled else {}),
            **{key: values[-1] for key, values in parse_qs(parts.query).items()},
        },
    }


def storages(text: str, var_dir: Path) -> dict[str, dict[str, Any]]:
    """Return STORAGES' entries for originals and thumbnails, of file:///FOLDER or s3://KEY:SECRET@HOST/BUCKET.

    `?region=` names S3's region and `?https=off` a store in one's own network without it; without a HOST it
    is Amazon's. An empty text is the site's own folder.
    """
    parts = _split("STORAGE_URL", text or f"file://{var_dir}", {"file": "file", "s3": "s3"})
    if parts.scheme == "file":
        folder = Path(unquote(parts.path))
        backend = "gallery.files.storage.DurableStorage"
        return {
            name: {"BACKEND": backend, "OPTIONS": {"location": folder / place}}
            for name, place in (("default", "originals"), ("thumbnails", "thumbnails"))
        }
    bucket, query = parts.path.strip("/"), parse_qs(parts.query)
    if not bucket or "/" in bucket:
        raise ImproperlyConfigured("STORAGE_URL must name a bucket, as in s3://key:secret@host/bucket.")
    scheme = "http" if query.get("https", ["on"])[-1] == "off" else "https"
    options = {
        "bucket_name": bucket,
        "access_key": unquote(parts.username) if parts.username else None,
        "secret_key": unquote(parts.password) if parts.password else None,
        "region_name": query.get("region", [None])[-1],
        "endpoint_url": f"{scheme}://{parts.netloc.rpartition('@')[2]}" if parts.hostname else None,
    }
    backend = "gallery.files.object_storage.ObjectStorage"
    return {
        name: {"BACKEND": backend, "OPTIONS": {**options, "location": place}}
        for name, place in (("default", "originals"), ("thumbnails", "thumbnails"))
    }


def cache(text: str) -> dict[str, Any]:
    """Return CACHES' default: of this process alone, or of a Redis or Valkey that all share, redis://HOST:PORT/0."""
    if not text:
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    parts = _split(
        "CACHE_URL", text, {"locmem": "locmem", **dict.fromkeys(("redis", "rediss", "unix"), "redis")}
    )
    if parts.scheme == "locmem":
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    if not (parts.path.strip("/") if text.startswith("unix:") else parts.hostname):
        raise ImproperlyConfigured("CACHE_URL must name a server, as in redis://host:6379/0.")
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": text,
        "KEY_PREFIX": "picfusion",
    }


def search(text: str) -> str:
    """Return the search engine's address, qdrant://KEY@HOST:PORT/NAME; '' for the one in each process."""
    if not text:
        return ""
    parts = _split("SEARCH_URL", text, {"embedded": "embedded", "qdrant": "qdrant"})
    if parts.scheme == "embedded":
        return ""
    if not parts.hostname or not re.fullmatch(r"/[\w-]{1,40}", parts.path, re.ASCII):
        raise ImproperlyConfigured(
            "SEARCH_URL must name a host and what its collections begin with, as in qdrant://key@host:6333/picfusion."
        )
    return text


def _split(setting: str, text: str, schemes: dict[str, str]) -> Any:
    """Take an address apart; its scheme is what `schemes` says of it."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - it is read here, where what is wrong with it can be said
    except ValueError as error:
        raise ImproperlyConfigured(f"{setting} is no address: {error}.") from error
    if parts.scheme not in schemes:
        known = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ImproperlyConfigured(f"{setting} must begin with {known}.")
    return parts._replace(scheme=schemes[parts.scheme])
