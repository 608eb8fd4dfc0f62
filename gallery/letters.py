"""Letters to people, where they have an address and the site can send any."""

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.utils.translation import gettext as _

from gallery.models import Album


def can_be_sent() -> bool:
    """Whether mail goes anywhere: without EMAIL_URL it is written to the log alone."""
    return not settings.EMAIL_BACKEND.endswith("console.EmailBackend")


def tell_of_album(user_id: int, album_id: int, address: str) -> str:
    """Tell a person that an album is shared with them; a task of the worker, for mail servers are slow."""
    person = User.objects.filter(pk=user_id, is_active=True).first()
    album = Album.objects.filter(pk=album_id, memberships__user=user_id).select_related("owner").first()
    if person is None or album is None or not person.email or not can_be_sent():
        return "nobody is told"
    names = {"owner": album.owner.get_username(), "album": album.title}
    subject = _("%(owner)s shared “%(album)s” with you") % names
    body = _("%(owner)s shared the album “%(album)s” with you on Picfusion:") % names
    send_mail(" ".join(subject.split()), f"{body}\n\n{address}\n", None, [person.email])
    return "told"
