"""Hearts."""

from django.conf import settings
from django.db import models


class Favourite(models.Model):
    """That a person likes a picture best; nobody else's business."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favourites")
    image = models.ForeignKey("gallery.Image", on_delete=models.CASCADE, related_name="favourites")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "image"], name="favourite_once")]

    def __str__(self) -> str:
        return f"image {self.image_id} of person {self.user_id}"
