"""When a member first opened an album: those who are members already have."""

from django.db import migrations, models
from django.utils import timezone


def known(apps, schema_editor):
    apps.get_model("gallery", "AlbumMember").objects.update(seen_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("gallery", "0019_in_turn")]

    operations = [
        migrations.AddField(
            model_name="albummember",
            name="seen_at",
            field=models.DateTimeField(
                editable=False,
                help_text="When the person first opened the album; their first page says until then.",
                null=True,
            ),
        ),
        migrations.RunPython(known, migrations.RunPython.noop),
    ]
