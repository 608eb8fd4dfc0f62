import os
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy


class GalleryConfig(AppConfig):
    name = "gallery"
    verbose_name = gettext_lazy("Pictures")

    def ready(self) -> None:
        from gallery import audit, helpers, tasks
        from gallery.files import storage
        from gallery.imaging import decoder
        from gallery.models import change

        storage.connect()
        audit.connect()
        decoder.configure(
            decoder.Limits(
                memory=settings.DECODE_MEMORY_MB * 1_000_000,
                seconds=settings.DECODE_SECONDS,
                megapixels=settings.MAX_IMAGE_MEGAPIXELS,
                waiting=max(2, settings.WEB_THREADS // 3),
            )
        )
        checks.register(check_extractor)
        checks.register(check_cache)
        checks.register(check_folders)
        post_migrate.connect(change.install_triggers, sender=self)
        post_migrate.connect(tasks.install_schedule, sender=self)
        post_migrate.connect(helpers.install_group, sender=self)


def check_cache(app_configs: Any, **kwargs) -> list[checks.CheckMessage]:
    """Say that several processes count apart what they should count together."""
    several = int(os.environ.get("WEB_CONCURRENCY") or 1) > 1 or settings.DATABASE_URL.startswith("postgres")
    if not several or settings.CACHES["default"]["BACKEND"].endswith("RedisCache"):
        return []
    text = "Each process counts requests to the API by itself: together they let too many through."
    hint = "Set CACHE_URL to a Redis or Valkey that all share."
    return [checks.Warning(text, hint=hint, id="gallery.W001")]


def check_folders(app_configs: Any, **kwargs) -> list[checks.CheckMessage]:
    """Say which watched folders are not there: the worker waits for them, as for a disk that is unplugged."""
    from gallery.folders.walk import printable

    hint = "Mount or make it, or correct WATCH_FOLDERS. The worker waits for it."
    return [
        checks.Warning(f"WATCH_FOLDERS: {printable(folder)} is not there.", hint=hint, id="gallery.W002")
        for folder, _owner in settings.WATCH_FOLDERS
        if not os.path.isdir(folder)  # which is no error for whatever reason
    ]


def check_extractor(app_configs: Any, **kwargs) -> list[checks.CheckMessage]:
    """Say that EXTRACTOR cannot be loaded before anything starts, not at the first search."""
    from gallery.extraction import registry

    try:
        registry.target()
    except ImproperlyConfigured as error:
        return [checks.Error(str(error), id="gallery.E001")]
    return []
