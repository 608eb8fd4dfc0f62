from django.apps import AppConfig
from django.db.models.signals import post_migrate


class GalleryConfig(AppConfig):
    name = "gallery"
    verbose_name = "Pictures"

    def ready(self):
        from gallery import storage, tasks
        from gallery.models import change

        storage.connect()
        post_migrate.connect(change.install_triggers, sender=self)
        post_migrate.connect(tasks.install_schedule, sender=self)
