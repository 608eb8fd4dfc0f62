"""Albums: pictures that several people share."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q


class Album(models.Model):
    """A titled set of pictures. Its owner and its members see every picture in it."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="albums")
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    shows_location = models.BooleanField(
        "members see where pictures were taken", default=False, help_text="On the page and in the files they download."
    )
    images = models.ManyToManyField("gallery.Image", through="gallery.AlbumImage", related_name="albums")
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="gallery.AlbumMember", related_name="member_albums"
    )

    class Meta:
        ordering = ["title", "id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "title"], name="album_title_once_per_owner"),
            models.CheckConstraint(condition=~Q(title=""), name="album_has_title"),
        ]

    def __str__(self) -> str:
        return self.title

    def check_title(self, title: str) -> None:
        """ValidationError if the album's owner calls another album by this title."""
        if Album.objects.filter(owner=self.owner, title=title).exclude(pk=self.pk).exists():
            raise ValidationError(f"There is an album '{title}' already.")


class AlbumImage(models.Model):
    """That a picture is in an album."""

    album = models.ForeignKey(Album, on_delete=models.CASCADE, related_name="album_images")
    image = models.ForeignKey("gallery.Image", on_delete=models.CASCADE, related_name="album_images")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["album", "image"], name="image_once_per_album")]

    def __str__(self) -> str:
        return f"image {self.image_id} in album {self.album_id}"


class AlbumMember(models.Model):
    """That a person may see, or do more with, an album that someone else owns."""

    class Role(models.TextChoices):
        VIEWER = "viewer", "sees and downloads"
        CONTRIBUTOR = "contributor", "adds own pictures"
        EDITOR = "editor", "adds, removes, tags"

    album = models.ForeignKey(Album, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="album_memberships")
    role = models.CharField(max_length=11, choices=Role, default=Role.VIEWER)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["album", "user"], name="member_once_per_album"),
            models.CheckConstraint(condition=Q(role__in=["viewer", "contributor", "editor"]), name="role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.album} as {self.role}"
