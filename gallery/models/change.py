"""The log by which every process learns what changed in pictures, tags, embeddings and albums.

Database triggers write it, not Python: bulk statements, cascades and the admin cannot forget it. An image has
one row at most, and a later change moves it to the end under a new number, so a reader asks for `seq > last
seen`: one look at the primary key's end, however large the library is.
"""

from django.db import connections, models

# table -> (the column that names the image, the columns whose update matters to a search)
WATCHED = {
    "gallery_image": (
        "id",
        "owner_id, status, taken_local, perceptual_hash, trashed_at, width, height, filename, caption, "
        "place, camera, lens, colors",
    ),
    "gallery_embedding": ("image_id", "extractor, vector, log_sum"),
    "gallery_imagetag": ("image_id", "image_id, tag_id, source"),
    "gallery_textinimage": ("image_id", "text"),
    "gallery_albumimage": ("image_id", "image_id, album_id"),
}


class Change(models.Model):
    """That something about an image changed, as number `seq` of all changes."""

    seq = models.AutoField(primary_key=True)
    image_id = models.BigIntegerField(unique=True)

    def __str__(self) -> str:
        return f"change {self.seq} of image {self.image_id}"


def install_triggers(using: str, **kwargs) -> None:
    """Create the triggers again after `migrate`: Django drops them when a migration rebuilds their table."""
    with connections[using].cursor() as cursor:
        for table, (column, columns) in WATCHED.items():
            for event, rows in (
                ("INSERT", ["NEW"]),
                (f"UPDATE OF {columns}", ["NEW", "OLD"]),
                ("DELETE", ["OLD"]),
            ):
                name = f"{table}_{event.split()[0].lower()}_is_a_change"
                # Not INSERT OR REPLACE: inside a trigger the conflict clause of the outer statement goes
                # before it, and an upsert would abort.
                statements = "".join(
                    f"DELETE FROM gallery_change WHERE image_id = {row}.{column}; "
                    f"INSERT INTO gallery_change (image_id) VALUES ({row}.{column}); "
                    for row in rows
                )
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
                cursor.execute(f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN {statements}END")
