"""Hearts that a person gives to pictures and takes away."""

from django.contrib.auth.models import User

from gallery.models import Favourite, Image


def add(user: User, image: Image) -> None:
    """Give the picture a heart; a second one changes nothing."""
    Favourite.objects.get_or_create(user=user, image=image)


def remove(user: User, image: Image) -> None:
    """Take the heart away, if there is one."""
    Favourite.objects.filter(user=user, image=image).delete()
