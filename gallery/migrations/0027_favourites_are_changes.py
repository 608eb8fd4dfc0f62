from django.db import migrations


class Migration(migrations.Migration):
    """Nothing but a reason to migrate: the triggers of the log of changes are made again afterwards.

    They watch hearts, too, and more of a picture's facts (gallery.models.change).
    """

    dependencies = [("gallery", "0026_sizes_and_trash_by_owner")]
