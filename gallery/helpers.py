"""Those who help to run the site and are no administrators: the group that says what they may do.

They look after people, invitations, links, tokens and tags. Nobody's pictures are shown to them, and they
set nobody's password or address, by which they could sign in as others.
"""

from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction

from gallery.access import AnyUser

GROUP = "Helpers"
MAY = {
    "auth": ["view_user", "add_user", "change_user"],  # to add people is to invite them
    "gallery": [
        "view_account", "add_account", "change_account",
        "view_invitation", "change_invitation",
        "view_sharelink", "change_sharelink",
        "view_accesstoken", "delete_accesstoken",
        "view_tag", "add_tag", "change_tag", "delete_tag",
        "view_tagdecision", "add_tagdecision", "change_tagdecision", "delete_tagdecision",
        "view_auditentry",
    ],
}  # fmt: skip


def install_group(using: str = "default", **kwargs: Any) -> None:
    """Make the group, after `migrate` and where there is none: what an administrator made of it stays."""
    group, is_new = Group.objects.using(using).get_or_create(name=GROUP)
    if is_new:
        for app, names in MAY.items():
            found = Permission.objects.using(using).filter(content_type__app_label=app, codename__in=names)
            group.permissions.add(*found)


def make(person: User) -> None:
    """Let somebody help."""
    with transaction.atomic():
        install_group()
        person.is_staff = True
        person.save(update_fields=["is_staff"])
        person.groups.add(Group.objects.get(name=GROUP))


def may_manage(user: AnyUser, person: User) -> bool:
    """Whether `user` may change a person's account in the admin site, given its permissions.

    Whoever could write to an administrator's, or to another helper's, could become one.
    """
    return user.is_superuser or not (person.is_staff or person.is_superuser)
