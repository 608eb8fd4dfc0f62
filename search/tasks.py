"""Housekeeping that the worker does for searching."""

from django_q.models import Schedule

from search.models import QueryPicture


def install_schedule(**kwargs) -> None:
    """After `migrate`: expired query pictures are removed every hour."""
    Schedule.objects.update_or_create(
        name="remove expired query pictures",
        defaults={"func": "search.tasks.remove_expired", "schedule_type": Schedule.HOURLY},
    )


def remove_expired() -> str:
    """Delete query pictures older than a day."""
    count, _ = QueryPicture.objects.expired().delete()
    return f"{count} query pictures removed"
