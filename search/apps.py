from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy


class SearchConfig(AppConfig):
    name = "search"
    verbose_name = gettext_lazy("Search")

    def ready(self) -> None:
        from search import tasks

        post_migrate.connect(tasks.install_schedule, sender=self)
