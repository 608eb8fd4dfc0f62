"""Pictures that guests sent by a share link, and that its owner has not looked at yet."""

from django.db import models


class GuestPicture(models.Model):
    """That a picture waits for its owner's yes or no.

    Until then it is hidden as in the trash, and unlike there it stays.
    """

    image = models.OneToOneField("gallery.Image", on_delete=models.CASCADE, related_name="guest_picture")
    link = models.ForeignKey("gallery.ShareLink", on_delete=models.SET_NULL, null=True, related_name="+")
    album = models.ForeignKey("gallery.Album", on_delete=models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=100, blank=True, help_text="What the guest is called, if they said.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"image {self.image_id} from {self.name or 'a guest'}"
