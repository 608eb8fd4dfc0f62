"""Pictures change hands."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from gallery.models import Image

AT_A_TIME = 500


def reassign(images: QuerySet[Image], to: User) -> tuple[int, int]:
    """Give pictures to another person: how many, and how many stay, for that person has the same file.

    Their albums stay as they are.
    """
    with transaction.atomic():
        theirs = Image.objects.filter(owner=to).values("sha256")
        others = images.exclude(owner=to)
        twice = others.filter(sha256__in=theirs).count()
        once: dict[str, int] = {}  # of two people's same file one alone can change hands
        rows = others.exclude(sha256__in=theirs).order_by("pk").values_list("sha256", "pk")
        for sha256, pk in rows:
            once.setdefault(sha256, pk)
        given = list(once.values())
        for start in range(0, len(given), AT_A_TIME):
            Image.objects.filter(pk__in=given[start : start + AT_A_TIME]).update(owner=to)
    return len(given), twice + len(rows) - len(given)
