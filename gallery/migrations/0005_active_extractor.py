from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gallery", "0004_albums_links_and_invitations")]

    operations = [
        migrations.RenameModel("Serving", "ActiveExtractor"),
        migrations.AlterModelOptions("activeextractor", {"verbose_name": "active extractor"}),
        migrations.RemoveConstraint("activeextractor", "one_extractor_serves"),
        migrations.AddConstraint(
            "activeextractor",
            models.CheckConstraint(condition=models.Q(("id", 1)), name="one_extractor_is_active"),
        ),
    ]
