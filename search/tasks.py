"""Housekeeping that the worker does for searching."""

from django_q.models import Schedule

from gallery import extractor_switch
from gallery.extraction import registry
from search.comparing import compare_changed
from search.engines import engine
from search.models import QueryPicture

MOST_KEPT = 5000  # query pictures of all people, about 150 KB each, whatever their age


def install_schedule(**kwargs) -> None:
    """Install the schedules, after `migrate`.

    Expired query pictures are removed every hour; the index and look-alikes are looked at every minute.
    """
    Schedule.objects.update_or_create(
        name="remove expired query pictures",
        defaults={"func": "search.tasks.remove_expired", "schedule_type": Schedule.HOURLY},
    )
    Schedule.objects.update_or_create(
        name="compact the index",
        defaults={"func": "search.tasks.compact", "schedule_type": Schedule.MINUTES, "minutes": 1},
    )
    Schedule.objects.update_or_create(
        name="compare pictures",
        defaults={"func": "search.tasks.compare", "schedule_type": Schedule.MINUTES, "minutes": 1},
    )


def compare() -> str:
    """Find the look-alikes among what changed."""
    return compare_changed()


def remove_expired() -> str:
    """Delete query pictures older than a month, and the oldest of those beyond MOST_KEPT."""
    count, _ = QueryPicture.objects.expired().delete()
    unsaved = QueryPicture.objects.filter(saved_searches=None).order_by("-pk")
    beyond = unsaved.values_list("pk", flat=True)[MOST_KEPT : MOST_KEPT + 10_000]
    count += QueryPicture.objects.filter(pk__in=list(beyond)).delete()[0]
    return f"{count} query pictures removed"


def compact() -> str:
    """Let the engine write new snapshots, where it has any.

    While extractors are being switched the next one's is kept up too, so that the first search after the
    switch need not wait for it.
    """
    wanted = {description.key: description for description in (extractor_switch.current(), registry.target())}
    return engine().tidy_up(list(wanted.values()))
