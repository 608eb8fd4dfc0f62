from django.db import migrations, models

# How the sentences began that were stored until now -> the code that stands for each.
CODES = {
    "The original file is missing": "missing",
    "There was not enough memory": "memory",
    "Reading it stopped the worker": "crashed",
}


def sentences_to_codes(apps, schema_editor):
    images = apps.get_model("gallery", "Image").objects.exclude(error="")
    for beginning, code in CODES.items():
        images.filter(error__startswith=beginning).update(error=code)
    images.exclude(error__in=CODES.values()).update(error="unreadable")


class Migration(migrations.Migration):
    dependencies = [("gallery", "0005_active_extractor")]

    operations = [
        migrations.RunPython(sentences_to_codes, migrations.RunPython.noop),
        migrations.AlterField(
            "image",
            "error",
            models.CharField(
                blank=True,
                choices=[
                    ("missing", "The original file is missing on the server."),
                    ("memory", "There was not enough memory to process this picture."),
                    ("unreadable", "The file can't be decoded."),
                    ("crashed", "Processing this picture crashed repeatedly."),
                ],
                editable=False,
                max_length=10,
            ),
        ),
    ]
