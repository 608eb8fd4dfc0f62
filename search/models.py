"""What a search must remember: pictures that were uploaded to search by."""

import secrets
from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

LIFETIME = timedelta(days=1)


def new_key() -> str:
    """128 bits, so that nobody guesses another person's query picture."""
    return secrets.token_urlsafe(16)


class QueryPictureQuerySet(models.QuerySet):
    def alive(self):
        """Those that are not older than a day."""
        return self.filter(created_at__gte=timezone.now() - LIFETIME)

    def expired(self):
        return self.filter(created_at__lt=timezone.now() - LIFETIME)


class QueryPicture(models.Model):
    """What an uploaded query picture came to, kept for a day so that its results have an address and a page 2.

    The picture itself is not kept: its tags, its embedding and a small JPEG to show are.
    """

    key = models.CharField(max_length=32, unique=True, default=new_key)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    filename = models.CharField(max_length=255)
    extractor = models.CharField(max_length=64)
    tags = models.JSONField(default=dict)
    vector = models.BinaryField()
    thumbnail = models.BinaryField()

    objects = QueryPictureQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(extractor=""), name="query_picture_extractor_named")]

    def __str__(self) -> str:
        return self.filename
