"""How bytes come in from a browser."""

from django.conf import settings
from django.core.files.uploadhandler import TemporaryFileUploadHandler


class CappedUploadHandler(TemporaryFileUploadHandler):
    """Uploads go to temporary files on disk, and no more of each than `MAX_UPLOAD_MB` and a byte.

    A file above the limit arrives with its true `size`, so that gallery.ingest refuses it by name, and the
    other files of the same form are not lost.
    """

    def new_file(self, *args, **kwargs) -> None:
        super().new_file(*args, **kwargs)
        self.room = settings.MAX_UPLOAD_MB * 1_000_000 + 1

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.room > 0:
            self.file.write(raw_data[: self.room])
            self.room -= len(raw_data)
