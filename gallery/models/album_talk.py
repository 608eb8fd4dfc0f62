"""What an album's people say under its pictures: comments and hearts.

They stay with the album and the picture, and come back with it, if it leaves the album for a while.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

MAX_COMMENT = 1000  # characters


class Comment(models.Model):
    """Words of a person under a picture of an album."""

    album = models.ForeignKey("gallery.Album", on_delete=models.CASCADE, related_name="comments")
    image = models.ForeignKey("gallery.Image", on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="comments")
    text = models.CharField(max_length=MAX_COMMENT)
    created_at = models.DateTimeField(auto_now_add=True)

    is_removable: bool  # by the person who looks, as gallery.talk writes

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="comment_says_something")]
        indexes = [models.Index(fields=["album", "image", "id"], name="comment_under_image")]

    def __str__(self) -> str:
        return self.text


class Heart(models.Model):
    """That a person likes a picture of an album, and tells its people so."""

    album = models.ForeignKey("gallery.Album", on_delete=models.CASCADE, related_name="hearts")
    image = models.ForeignKey("gallery.Image", on_delete=models.CASCADE, related_name="hearts")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="hearts")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["album", "image", "person"], name="heart_once_per_person")
        ]

    def __str__(self) -> str:
        return f"{self.person} likes image {self.image_id} in album {self.album_id}"
