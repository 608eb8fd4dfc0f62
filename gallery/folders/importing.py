"""Files of a folder -> pictures of a person: what became of each is counted, and none ends the others."""

import contextlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.contrib.auth.models import User
from django.core.files import File

from gallery import album_filling, ingest
from gallery.folders import sidecars
from gallery.folders.sidecars import Takeout
from gallery.imaging import dates
from gallery.imaging.metadata import Beside
from gallery.models import Album, Image
from gallery.refusal import RefusedError

ADDED, THERE, TRASHED, REFUSED, LEFT_OUT = "added", "already there", "in the trash", "refused", "left out"


@dataclass
class Importer:
    """Imports files for one person; `say` is told of each file that is not taken."""

    owner: User
    album: Album | None = None
    album_per_folder: bool = False
    is_takeout: bool = False
    say: Callable[[Path, str], None] = lambda path, why: None
    counts: Counter[str] = field(default_factory=Counter)
    whole_only: bool = False  # a picture without its end is still being written
    refusal: Exception | None = None  # of the file that was taken last
    _folder: Takeout | None = None  # the export's folder that was looked at last

    def take(self, path: Path) -> Image | None:
        """Import one file: its picture, None where there is none. Its row is committed when this returns.

        Raises DatabaseError where the database is out of reach: no other file can be imported either.

        The file is read and decoded outside of any transaction: nobody waits for that.
        """
        self.refusal = None
        told = self._told_by_google(path)
        if sidecars.is_thrown_away(told):
            self.counts[LEFT_OUT] += 1
            return None
        try:
            with path.open("rb") as file:
                added = ingest.add(
                    self.owner,
                    File(file, name=path.name),
                    beside=_with_guess(sidecars.of_google(told) if told else sidecars.beside(path), path),
                    restore=False,
                    whole_only=self.whole_only,
                )
        except (RefusedError, OSError, ValueError) as error:
            self.refusal = error
            self.counts[REFUSED] += 1
            self.say(path, str(error))
            return None
        self.counts[ADDED if added.created else TRASHED if added.was_trashed else THERE] += 1
        if not added.was_trashed:
            self._put_into_albums(added.image, path)
        return added.image

    def _told_by_google(self, path: Path) -> dict:
        if not self.is_takeout:
            return {}
        if self._folder is None or self._folder.folder != path.parent:
            self._folder = Takeout(path.parent)
        return self._folder.of(path)

    def _put_into_albums(self, image: Image, path: Path) -> None:
        titles = [self._folder.album] if self._folder and self._folder.album else []
        if self.album_per_folder:
            titles.append(ingest.clean_filename(path.parent.name)[:200])
        albums = [self.album] if self.album else []
        albums += [Album.objects.get_or_create(owner=self.owner, title=title)[0] for title in titles]
        for album in albums:
            album_filling.put(album, [image.pk], self.owner)


def _with_guess(beside: Beside, path: Path) -> Beside:
    """Where nothing beside the file tells a date, guess it by the name, or by the file's own time."""
    if beside.taken:
        return beside
    modified = None
    with contextlib.suppress(OSError):
        modified = path.stat().st_mtime
    return replace(beside, taken=dates.guess(path.name, modified))
