"""Files that come in pieces."""

import uuid
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models


class PartialUpload(models.Model):
    """A file of which perhaps not every byte is here yet. Its bytes so far are in a file of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    length = models.PositiveBigIntegerField(help_text="Bytes of the whole file.")
    filename = models.CharField(max_length=255, blank=True)
    album_id_asked = models.PositiveBigIntegerField(null=True)
    album_title = models.CharField(max_length=200, blank=True)
    tags = models.CharField(max_length=2000, blank=True)
    modified = models.DateTimeField(null=True, help_text="When the file was changed last.")
    image = models.ForeignKey(
        "gallery.Image", on_delete=models.SET_NULL, null=True, related_name="+",
        help_text="What became of it.",
    )  # fmt: skip
    is_done = models.BooleanField(default=False)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-expires_at"]

    def __str__(self) -> str:
        return f"{self.filename or 'a file'} of {self.owner_id}"

    @property
    def path(self) -> Path:
        return settings.VAR_DIR / "uploads" / f"{self.pk}.part"

    @property
    def offset(self) -> int:
        """How many bytes are here: what is on the disk counts, not what anybody noted."""
        if self.is_done:
            return self.length
        try:
            return min(self.path.stat().st_size, self.length)
        except FileNotFoundError:
            return 0
