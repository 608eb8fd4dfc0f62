"""How much a person may store, and how much they do."""

import shutil
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Count, F, Sum
from django.utils.translation import gettext as _

from gallery.models import Account, Image
from gallery.refusal import NoRoomError


@dataclass(frozen=True)
class Usage:
    """What a person stores, the trash included, and may store; None for no limit."""

    bytes: int
    pictures: int
    most_bytes: int | None
    most_pictures: int | None


def limits(user: User) -> tuple[int | None, int | None]:
    """Give the (bytes, pictures) that the person may store.

    From their account or else the settings; None for no limit.
    """
    return limits_of(Account.objects.filter(user=user).first())


def limits_of(account: Account | None) -> tuple[int | None, int | None]:
    """Give the (bytes, pictures) that may be stored by whoever's account this is; None for no limit."""
    account = account or Account()
    megabytes = settings.QUOTA_MB if account.quota_mb is None else account.quota_mb
    pictures = settings.QUOTA_PICTURES if account.quota_pictures is None else account.quota_pictures
    return megabytes * 1_000_000 if megabytes is not None else None, pictures


def usage(user: User) -> Usage:
    """Return the person's originals, counted one by one, and their limits."""
    # The 0 has SQLite read through the index of sizes instead of looking each picture of the owner up.
    own = Image.objects.alias(number=F("owner") + 0).filter(number=user.pk)
    stored = own.aggregate(bytes=Sum("size_bytes"), pictures=Count("pk"))
    return Usage(stored["bytes"] or 0, stored["pictures"], *limits(user))


def check(user: User, size: int) -> None:
    """NoRoomError if one more file of this many bytes is more than the disk or the person may hold.

    Within a transaction the answer holds until it ends: whoever else asks for this person waits.
    """
    check_room(size)
    if limits(user) == (None, None):
        return
    if connection.in_atomic_block:  # two at once would both be the last one that fits
        Account.objects.get_or_create(user=user)
        Account.objects.select_for_update().get(user=user)
    now = usage(user)
    hint = _("Delete some pictures and empty the trash to free space.")
    if now.most_pictures is not None and now.pictures + 1 > now.most_pictures:
        text = _("You have %(stored)s of at most %(most)s pictures. %(hint)s")
        raise NoRoomError(text % {"most": now.most_pictures, "stored": now.pictures, "hint": hint})
    if now.most_bytes is not None and now.bytes + size > now.most_bytes:
        text = _("You have used %(stored).1f MB of %(most).0f MB, and this file is %(size).1f MB. %(hint)s")
        numbers = {"most": now.most_bytes / 1e6, "stored": now.bytes / 1e6, "size": size / 1e6}
        raise NoRoomError(text % {**numbers, "hint": hint})


def check_room(size: int) -> None:
    """NoRoomError if one more file of this many bytes is more than the disk may hold."""
    free = shutil.disk_usage(settings.VAR_DIR).free
    if free - size < settings.MIN_FREE_MB * 1_000_000:
        raise NoRoomError(_("The server's disk is full. The picture was not added."))
