"""Files in an object store that speaks S3, for sites of several machines."""

import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

from gallery.files.storage import StoreError

IN_MEMORY, CHUNK = 8_000_000, 1_000_000  # bytes
MISSING = {"404", "NoSuchKey", "NotFound"}


class ObjectStorage(S3Storage):
    """A bucket's folder. A PUT is whole or not there, which is what DurableStorage does by hand."""

    def __init__(self, **settings):
        settings.setdefault("default_acl", None)
        settings.setdefault("querystring_auth", True)
        settings.setdefault(
            "file_overwrite", True
        )  # names are random: asking whether one is free is a request
        settings.setdefault(
            "client_config",
            Config(
                connect_timeout=5,
                read_timeout=30,
                retries={"max_attempts": 3},
                s3={"addressing_style": "auto"},
            ),
        )
        super().__init__(**settings)

    def is_there(self) -> bool:
        """Say yes: a store that does not answer is a StoreError, never a missing file."""
        return True

    def settled_names(self, before: float) -> Iterator[str]:
        """Yield the names of files that nobody wrote to since this moment, in seconds since 1970."""
        prefix = f"{self.location}/"
        pages = self.connection.meta.client.get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=self.bucket_name, Prefix=prefix):
                for entry in page.get("Contents", ()):
                    if entry["LastModified"].timestamp() < before:
                        yield entry["Key"].removeprefix(prefix)
        except (BotoCoreError, ClientError) as error:
            raise _told(error, prefix) from error

    def _open(self, name: str, mode: str = "rb") -> Any:
        """Fetch a file as a whole, in one request; FileNotFoundError where there is none."""
        if mode != "rb":
            raise ValueError("files here are read, and saved as a whole")
        key = self._normalize_name(clean_name(name))
        fetched = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - whoever reads it closes it
        try:
            body = self.connection.meta.client.get_object(Bucket=self.bucket_name, Key=key)["Body"]
            shutil.copyfileobj(body, fetched, CHUNK)
        except (BotoCoreError, ClientError) as error:
            raise _told(error, name) from error
        fetched.seek(0)
        return File(fetched, name)

    def _save(self, name: str, content: File) -> str:
        try:
            return str(super()._save(name, content))
        except (BotoCoreError, ClientError) as error:
            raise _told(error, name) from error

    def exists(self, name: str) -> bool:
        try:
            return bool(super().exists(name))
        except (BotoCoreError, ClientError) as error:
            raise _told(error, name) from error

    def delete(self, name: str) -> None:
        try:
            super().delete(name)
        except (BotoCoreError, ClientError) as error:
            raise _told(error, name) from error


def _told(error: Exception, name: str) -> OSError:
    code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else ""
    return FileNotFoundError(name) if code in MISSING else StoreError(f"{name}: {error}")
