"""The log by which every process learns what changed in pictures, tags, embeddings and albums.

Database triggers write it, not Python: bulk statements, cascades and the admin cannot forget it. They only
append, for on PostgreSQL two writers that replace a picture's row wait for each other for ever, or fail.
`gallery.change_log` reads it, and thins it out to one row for each picture.
"""

from collections.abc import Iterator

from django.db import connections, models

# table -> (the column that names the image, the columns whose update matters to a search or a client's copy)
WATCHED = {
    "gallery_image": (
        "id",
        "owner_id, status, taken_local, taken_precision, taken_is_guess, perceptual_hash, trashed_at, "
        "width, height, turn, is_cut_off, filename, caption, place, latitude, longitude, camera, lens, "
        "colors",
    ),
    "gallery_embedding": ("image_id", "extractor, vector, log_sum"),
    "gallery_imagetag": ("image_id", "image_id, tag_id, source"),
    "gallery_textinimage": ("image_id", "text"),
    "gallery_albumimage": ("image_id", "image_id, album_id"),
    "gallery_favourite": ("image_id", "image_id, user_id"),
}


class Change(models.Model):
    """That something about an image changed, as number `seq` of all changes.

    PostgreSQL gives numbers out when rows are written and shows them when they are committed, so that a lower
    one may appear after a higher one. There `transaction` says who wrote it; on SQLite, where writers queue,
    it is 0.
    """

    seq = models.BigAutoField(primary_key=True)
    image_id = models.BigIntegerField(db_index=True)
    transaction = models.BigIntegerField(db_default=0)

    def __str__(self) -> str:
        return f"change {self.seq} of image {self.image_id}"


def install_triggers(using: str, **kwargs) -> None:
    """Create the triggers again after `migrate`: Django drops them when a migration rebuilds their table."""
    statements = {"sqlite": _sqlite, "postgresql": _postgresql}[connections[using].vendor]
    with connections[using].cursor() as cursor:
        for statement in statements():
            cursor.execute(statement)


def trigger_names() -> dict[str, str]:
    """Return the name of each trigger, and its table's."""
    return {name: table for table, name, _event, _column, _rows in _triggers()}


def _triggers() -> Iterator[tuple[str, str, str, str, list[str]]]:
    """Yield (table, name, event, the column that names the image, the rows that it is read from)."""
    for table, (column, columns) in WATCHED.items():
        for event, rows in (
            ("INSERT", ["NEW"]),
            (f"UPDATE OF {columns}", ["NEW", "OLD"]),
            ("DELETE", ["OLD"]),
        ):
            yield table, f"{table}_{event.split()[0].lower()}_is_a_change", event, column, rows


def _insert(column: str, rows: list[str], values: str = "") -> str:
    """Write a change for each row, but a single one where both name the same image."""
    first, *others = rows
    into = f"INSERT INTO gallery_change (image_id{', transaction' if values else ''}) SELECT "
    own = f"{into}{first}.{column}{values}; "
    return own + "".join(
        f"{into}{row}.{column}{values} WHERE {row}.{column} <> {first}.{column}; " for row in others
    )


def _sqlite() -> Iterator[str]:
    for table, name, event, column, rows in _triggers():
        yield f"DROP TRIGGER IF EXISTS {name}"
        yield f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN {_insert(column, rows)}END"


def _postgresql() -> Iterator[str]:
    yield "CREATE INDEX IF NOT EXISTS gallery_change_transaction ON gallery_change (transaction, seq)"
    # From a dump of another server, which had counted further: whoever reads the log now was not there.
    yield "UPDATE gallery_change SET transaction = 0 WHERE transaction > pg_current_xact_id()::text::bigint"
    for table, name, event, column, rows in _triggers():
        body = _insert(column, rows, ", pg_current_xact_id()::text::bigint")
        yield (
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {body}RETURN NULL; END $$"
        )
        yield f"DROP TRIGGER IF EXISTS {name} ON {table}"
        yield f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
