"""What `make run` does before it starts the site."""

import os
import secrets

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.files import File
from django.core.management import call_command
from django.core.management.base import BaseCommand

from gallery import demo, ingest
from gallery.extraction import registry


class Command(BaseCommand):
    help = (
        "Prepare the site: database, static files, the first administrator, the demo pictures. "
        "What exists already is left as it is."
    )

    def handle(self, *args, **options) -> None:
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        administrator = get_user_model().objects.filter(is_superuser=True).order_by("pk").first()
        if administrator is None:
            administrator = self.create_administrator()
        self.import_demo(administrator)
        self.stdout.write(f"Pictures are read by {registry.target().key}.")
        self.stdout.write(
            f"Picfusion: http://127.0.0.1:{os.environ.get('PORT', '8000')}/   (Ctrl-C stops it)"
        )

    def create_administrator(self) -> User:
        """Make the user 'admin' with a random password, printed once and kept in a private file."""
        password = secrets.token_urlsafe(12)
        path = settings.VAR_DIR / "admin-password"
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(password + "\n")
        administrator = get_user_model().objects.create_superuser("admin", password=password)
        self.stdout.write(f"The administrator is 'admin', the password {password} (kept in {path})")
        return administrator

    def import_demo(self, owner: User) -> None:
        """Once: someone who deletes the demo pictures does not get them back."""
        marker = settings.VAR_DIR / "demo-imported"
        if marker.exists():
            return
        photos = demo.photos()
        for path in photos:
            with path.open("rb") as file:
                ingest.add(owner, File(file, name=path.name))
        marker.touch()
        self.stdout.write(f"{len(photos)} demo pictures imported; the worker reads them in a moment.")
