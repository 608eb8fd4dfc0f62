"""Text that was read in pictures."""

from django.db import models


class TextInImage(models.Model):
    """What is written in a picture; one in which nothing is has no row."""

    image = models.OneToOneField(
        "gallery.Image", on_delete=models.CASCADE, primary_key=True, related_name="text_in_image"
    )
    text = models.TextField()

    class Meta:
        verbose_name_plural = "texts in images"

    def __str__(self) -> str:
        return self.text[:80]
