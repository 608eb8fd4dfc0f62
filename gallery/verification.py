"""Finding rot and loss: originals against their hashes, files against rows, and what is derived from them.

Originals are read a piece at a time, so that it can be done in the background, bounded in rate, and go on
where it ended.
"""

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django_q.tasks import async_task
from sorl.thumbnail import default
from sorl.thumbnail.images import ImageFile
from sorl.thumbnail.kvstores.base import add_prefix
from sorl.thumbnail.models import KVStore

from gallery import extractor_switch, tasks
from gallery.files import thumbnails
from gallery.files.storage import StoreError, settled_names
from gallery.models import Embedding, Image

PIECE = 500_000_000  # bytes of originals that the background task reads before it asks for its next turn
LOOKS = 0.5  # seconds between two looks whether others wait for the worker
RATE = 50_000_000  # bytes a second
SETTLED = 3600  # seconds after which a file without a row is not just being uploaded
MOST_NAMED = 100  # files that the outcome lists of each kind


@dataclass
class Outcome:
    """What was found, so far: numbers of pictures, names of files."""

    started: str = ""
    chain: str = ""  # which of the tasks that ask for one another goes on with it
    finished: str = ""
    cursor: int = 0  # pictures up to this number were looked at
    originals: int = 0
    missing: list[int] = field(default_factory=list)
    damaged: list[int] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)  # files without a row
    unread: int = 0  # searchable pictures without an embedding
    stale: int = 0  # pictures that the index has and should not, or the other way round
    strays: int = 0  # thumbnails that belong to no picture
    fixed: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        found = (self.missing, self.damaged, self.orphans, self.unread, self.stale, self.strays)
        return not any(found)


def latest() -> Outcome | None:
    """Return the last outcome, or how far it is; None before the first one."""
    try:
        return Outcome(**json.loads(_file().read_text()))
    except (OSError, ValueError, TypeError):
        return None


def check_originals(
    outcome: Outcome,
    most_bytes: int | None = None,
    rate: int = RATE,
    others_wait: Callable[[], bool] = lambda: False,
) -> bool:
    """Hash originals from the cursor on, `most_bytes` of them or all; whether any are left.

    A picture whose file is not what was uploaded is marked, and its file is given to nobody any more. When
    others wait it ends after the picture that it is at.
    """
    read, began = 0, time.monotonic()
    while True:
        images = list(Image.objects.filter(pk__gt=outcome.cursor).order_by("pk")[:100])
        if not images:
            return False
        for image in images:
            if most_bytes is not None and read > most_bytes:
                return True
            _check(image, outcome)
            read += image.size_bytes
            outcome.cursor, outcome.originals = image.pk, outcome.originals + 1
            if (due := began + read / rate) > time.monotonic():
                save(outcome)
                _rest(due, others_wait)
            if others_wait():
                save(outcome)
                return True
        save(outcome)


def _rest(due: float, others_wait: Callable[[], bool]) -> None:
    """Sleep until this moment of the clock of time.monotonic, or until others wait."""
    while (left := due - time.monotonic()) > 0 and not others_wait():
        time.sleep(min(left, LOOKS))


def _check(image: Image, outcome: Outcome) -> None:
    try:
        with image.original.storage.open(image.original_name) as file:
            is_right = hashlib.file_digest(file, "sha256").hexdigest() == image.sha256
    except StoreError:
        raise  # nothing is known of any picture
    except OSError:
        if Image.objects.filter(pk=image.pk).exists():  # not purged meanwhile
            outcome.missing.append(image.pk)
        return
    if not is_right:
        outcome.damaged.append(image.pk)
    if image.is_damaged is is_right:
        Image.objects.filter(pk=image.pk).update(is_damaged=not is_right)


def check_files(outcome: Outcome, fix: bool) -> None:
    """Look for files that no row names; with `fix` they are put aside, never deleted."""
    for names in _batches(settled_names(default_storage, SETTLED)):
        known = set(Image.objects.filter(original__in=names).values_list("original", flat=True))
        for name in names:
            if name in known:
                continue
            if fix:
                target = settings.VAR_DIR / "lost-and-found" / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with default_storage.open(name) as file, target.open("wb") as put_aside:
                    shutil.copyfileobj(file, put_aside)
                default_storage.delete(name)
                outcome.fixed.append(f"{name} was put into lost-and-found")
            else:
                outcome.orphans.append(name)


def check_thumbnails(outcome: Outcome, fix: bool) -> None:
    """Count thumbnails that sorl knows nothing of, and those of pictures that went; `fix` deletes them."""
    outcome.strays = 0
    for original, made in thumbnails.left_behind():
        outcome.strays += len(made)
        if fix:
            default.kvstore.delete(original)
    for batch in _batches(settled_names(default.storage, SETTLED)):
        keys = {add_prefix(ImageFile(name, default.storage).key): name for name in batch}
        known = set(KVStore.objects.filter(key__in=keys).values_list("key", flat=True))
        strays = [name for key, name in keys.items() if key not in known]
        outcome.strays += len(strays)
        if fix:
            for name in strays:
                default.storage.delete(name)
    if fix and outcome.strays:
        outcome.fixed.append(f"{outcome.strays} thumbnails of no picture were deleted")
        outcome.strays = 0


def _batches(names: Iterator[str], size: int = 500) -> Iterator[list[str]]:
    while batch := list(islice(names, size)):
        yield batch


def check_embeddings(outcome: Outcome, fix: bool) -> None:
    """Count searchable pictures without an embedding; with `fix` they are read again."""
    read = Embedding.objects.filter(image=OuterRef("pk"), extractor=extractor_switch.current().key)
    unread = Image.objects.filter(~Exists(read), status=Image.Status.READY)
    outcome.unread = unread.count()
    if fix and outcome.unread:
        unread.update(status=Image.Status.PENDING, attempts=0)
        tasks.enqueue()
        outcome.fixed.append(f"{outcome.unread} pictures without an embedding are read again")
        outcome.unread = 0


def save(outcome: Outcome) -> None:
    """Keep the outcome, or how far it is."""
    kept = asdict(outcome)
    for kind in ("missing", "damaged", "orphans", "fixed"):
        kept[kind] = kept[kind][:MOST_NAMED]
    temporary = _file().with_suffix(".new")
    temporary.write_text(json.dumps(kept))
    os.replace(temporary, _file())


def start() -> None:
    """Begin in the background, once a month: from the first picture on, or where an unfinished one is."""
    outcome = latest()
    if outcome is None or outcome.finished or not outcome.started:
        outcome = Outcome(started=timezone.now().isoformat())
    outcome.chain = secrets.token_hex(4)
    save(outcome)
    async_task("gallery.verification.go_on", outcome.chain, group="verification")


def go_on(chain: str = "") -> str:
    """Do a piece of it, and ask for the next.

    While pictures are read, or anything else is asked of the worker, it takes one original at each turn:
    pieces with their pauses between would make an import ten times as long.
    """
    outcome = latest()
    if outcome is None or outcome.finished or outcome.chain != chain:
        return "nothing to do"
    if check_originals(outcome, PIECE, others_wait=tasks.others_wait):
        save(outcome)
        async_task("gallery.verification.go_on", chain, group="verification")
        return f"{outcome.originals} originals so far"
    check_files(outcome, fix=False)
    check_thumbnails(outcome, fix=False)
    check_embeddings(outcome, fix=False)
    outcome.finished = timezone.now().isoformat()
    save(outcome)
    return "good" if outcome.is_good else "something is wrong: see manage.py verify"


def _file() -> Path:
    return Path(settings.VAR_DIR) / "verification.json"
