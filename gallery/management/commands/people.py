"""Look after accounts."""

import secrets
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils import timezone

from gallery import access, account_deletion, helpers
from gallery.models import Account, Invitation


def person(name: str) -> User:
    """Find somebody by name; CommandError where there is nobody."""
    found = User.objects.filter(username=name).first()
    if found is None:
        raise CommandError(f"There is nobody called {name}.")
    return found


class Command(BaseCommand):
    help = "Add and invite people, say how much they may keep, switch accounts off."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("add", help="make an account; its password is printed once")
        add.add_argument("name")
        add.add_argument("--email", default="")
        rights = add.add_mutually_exclusive_group()
        rights.add_argument("--admin", action="store_true", help="who administers everything")
        rights.add_argument("--helper", action="store_true", help="who looks after people, links and tags")
        invite = actions.add_parser("invite", help="print an address where somebody makes an account")
        invite.add_argument("--by", required=True, help="the administrator who invites")
        invite.add_argument("--note", default="", help="for whom it is")
        invite.add_argument("--days", type=int, default=7)
        invite.add_argument("--site", default="http://127.0.0.1:8000", help="the site's address")
        quota = actions.add_parser("quota", help="say how much somebody may keep, or 'default'")
        quota.add_argument("name")
        quota.add_argument("--mb", default=None)
        quota.add_argument("--pictures", default=None)
        deactivate = actions.add_parser("deactivate", help="nobody signs in any more; pictures stay")
        deactivate.add_argument("name")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        getattr(self, action)(**options)

    def add(self, name: str, email: str, admin: bool, helper: bool, **options: Any) -> None:
        """Make an account."""
        try:
            User(username=name, email=email).clean_fields(exclude=["password"])
        except ValidationError as error:
            field, sentences = next(iter(error.message_dict.items()))
            raise CommandError(f"{field}: {sentences[0]}") from error
        if User.objects.filter(username=name).exists():
            raise CommandError(f"There is somebody called {name} already.")
        password = secrets.token_urlsafe(12)
        made = User.objects.create_user(name, email, password, is_staff=admin, is_superuser=admin)
        if helper:
            helpers.make(made)
        self.stdout.write(f"{name} can sign in. The password, which is told only here: {password}")

    def invite(self, by: str, note: str, days: int, site: str, **options: Any) -> None:
        """Make an invitation."""
        if not 1 <= days <= 365:
            raise CommandError("--days is from 1 to 365.")
        host = person(by)
        if not access.may_invite(host):
            raise CommandError(f"{by} is no administrator, and invites nobody.")
        ends = timezone.now() + timedelta(days=days)
        invitation = Invitation(created_by=host, note=note[:200], expires_at=ends)
        token = invitation.new_token()
        invitation.save()
        self.stdout.write(site.rstrip("/") + reverse("join", args=[token]))

    def quota(self, name: str, mb: str | None, pictures: str | None, **options: Any) -> None:
        """Set how much somebody may keep, or show it."""
        account = Account.objects.filter(user=person(name)).first() or Account(user=person(name))
        for field, said in (("quota_mb", mb), ("quota_pictures", pictures)):
            if said is None:
                continue
            if said != "default" and not (said.isascii() and said.isdigit() and int(said) < 2**31):
                raise CommandError(f"{said} is neither a whole number nor 'default'.")
            setattr(account, field, None if said == "default" else int(said))
        if mb is not None or pictures is not None:
            account.save()
        shown = [
            f"{'as the setting says' if number is None else number} {unit}"
            for number, unit in ((account.quota_mb, "MB"), (account.quota_pictures, "pictures"))
        ]
        self.stdout.write(f"{name}: {', '.join(shown)}")

    def deactivate(self, name: str, **options: Any) -> None:
        """Switch an account off."""
        found = person(name)
        try:
            account_deletion.check_deletable(found)  # the last administrator stays
        except account_deletion.NotDeletedError as error:
            raise CommandError(str(error)) from error
        found.is_active = False
        found.save(update_fields=["is_active"])
        self.stdout.write(f"{name} can't sign in any more. Their pictures stay.")
