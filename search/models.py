"""What is remembered of searches.

Pictures uploaded to search by, queries with a name, look-alikes to keep.
"""

import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

LIFETIME = timedelta(days=30)


def new_key() -> str:
    """128 bits, so that nobody guesses another person's query picture."""
    return secrets.token_urlsafe(16)


class QueryPictureQuerySet(models.QuerySet):
    def alive(self) -> Any:
        """Those that are not older than a month or belong to a saved search."""
        saved = SavedSearch.pictures.through.objects.filter(querypicture=OuterRef("pk"))
        return self.filter(Q(created_at__gte=timezone.now() - LIFETIME) | Exists(saved))

    def expired(self) -> Any:
        return self.filter(created_at__lt=timezone.now() - LIFETIME, saved_searches=None)


class QueryPicture(models.Model):
    """What was extracted from an uploaded query picture.

    Kept for a month so that its results have an address and a page 2.

    The picture itself is not kept: its tags, its embedding and a small JPEG to show are.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="query_pictures"
    )
    key = models.CharField(max_length=32, unique=True, default=new_key)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    filename = models.CharField(max_length=255)
    extractor = models.CharField(max_length=64)
    tags = models.JSONField(default=dict)
    vector = models.BinaryField()
    thumbnail = models.BinaryField()

    objects = QueryPictureQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(extractor=""), name="query_picture_extractor_named")
        ]

    def __str__(self) -> str:
        return self.filename


class SavedSearch(models.Model):
    """A query with a name. Opening it searches again, so it is an album that fills itself."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_searches"
    )
    name = models.CharField(max_length=200)
    address = models.TextField(
        help_text="The parameters of its results page, as search.query.address.to_address writes them."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    pictures = models.ManyToManyField(QueryPicture, related_name="saved_searches")

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("saved search")
        verbose_name_plural = _("saved searches")
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="saved_search_name_once_per_owner"),
            models.CheckConstraint(condition=~Q(name="") & ~Q(address=""), name="saved_search_named"),
        ]

    def __str__(self) -> str:
        return self.name


class KeptPair(models.Model):
    """That two pictures which look alike are both to be kept: they are not shown as duplicates again."""

    first = models.ForeignKey("gallery.Image", on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey("gallery.Image", on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="kept_pair_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="kept_pair_in_order"),
        ]

    def __str__(self) -> str:
        return f"images {self.first_id} and {self.second_id}"


class Feed(models.Model):
    """How far a search service has been told of one extractor's pictures, and which process tells it."""

    extractor = models.CharField(max_length=64, unique=True)
    position = models.BigIntegerField(help_text="In the log of changes: what came before is known there.")
    log = models.CharField(max_length=64, default="", blank=True, help_text="Whose log it is.")
    filled_to = models.BigIntegerField(
        null=True, help_text="While all are being told: the number of the last one. Empty afterwards."
    )
    was_whole = models.BooleanField(default=False, help_text="All were told, once at least.")
    holder = models.CharField(max_length=32, default="", blank=True)
    held_until = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.extractor} up to {self.position}"


class LookAlikes(models.Model):
    """That two pictures of one person look alike, as the worker found."""

    first = models.ForeignKey("gallery.Image", on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey("gallery.Image", on_delete=models.CASCADE, related_name="+")

    class Meta:
        verbose_name_plural = "look-alikes"
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="look_alikes_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="look_alikes_in_order"),
        ]

    def __str__(self) -> str:
        return f"images {self.first_id} and {self.second_id}"


class Comparison(models.Model):
    """When the worker last compared a person's pictures with each other, and when these last changed."""

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    due_at = models.DateTimeField(db_index=True, help_text="Something changed.")
    began_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"of {self.owner_id}'s pictures"


class Follower(models.Model):
    """A job that follows the log of changes, and how far it is."""

    name = models.CharField(max_length=32, unique=True)
    position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name
