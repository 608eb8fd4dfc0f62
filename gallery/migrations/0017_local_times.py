"""What the clock showed where each picture was taken, from the moment and the camera's distance from UTC."""

from datetime import UTC, timedelta

from django.db import connections, migrations
from django.utils import timezone

AT_A_TIME = 5000


def fill(apps, schema_editor):
    image = apps.get_model("gallery", "Image")
    connection = connections[schema_editor.connection.alias]
    zone, last = timezone.get_default_timezone(), 0
    while True:
        dated = image.objects.filter(pk__gt=last, taken_at__isnull=False).order_by("pk")
        rows = list(dated.values_list("pk", "taken_at", "taken_offset")[:AT_A_TIME])
        if not rows:
            return
        values = []
        for pk, taken, offset in rows:
            if offset is None:
                local = timezone.localtime(taken, zone).replace(tzinfo=UTC)
            else:
                local = taken.astimezone(UTC) + timedelta(minutes=offset)
            values.append((connection.ops.adapt_datetimefield_value(local), pk))
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE gallery_image SET taken_local = %s WHERE id = %s", values)
        last = rows[-1][0]


class Migration(migrations.Migration):

    dependencies = [("gallery", "0016_corrections")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
