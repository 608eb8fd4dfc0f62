"""Where model weights live, how they are fetched and verified. Knows nothing of Django.

A folder of models holds `clip/` and `ram/`. Whoever has the files may put them there by hand; nothing else is
needed.
"""

import hashlib
import json
import os
import re
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

RAM_CHECKPOINT = "ram_swin_large_14m.pth"
RAM_COMMIT = "7cb804a8609e9f4b1a50b7f31436d2df40bb9481"
LISTS_URL = f"https://raw.githubusercontent.com/xinyu1205/recognize-anything/{RAM_COMMIT}/ram/data"


class DownloadError(Exception):
    """A file could not be fetched or is not what it should be; what was there before is still there."""


class WrongWeightsError(Exception):
    """Weights that came inside a package are not what they should be."""


@dataclass(frozen=True)
class File:
    """One file of a model, on the hub (repo) or at an address (url).

    sha256 in hex where it is known beforehand.
    """

    name: str
    repo: str = ""
    repo_type: str = "model"
    url: str = ""
    sha256: str = ""


CLIP_REPO = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
CLIP_FILES = (
    "config.json",
    "preprocessor_config.json",
    "tokenizer_config.json",
    "tokenizer.json",
    "model.safetensors",
)
VOCABULARY = File(
    "ram_tag_list.txt",
    url=f"{LISTS_URL}/ram_tag_list.txt",
    sha256="5d96d2f7225527480ad773aaac76b6e5c08a18adf6eae9ca7d2ab923d5e7bd8b",
)
MODELS: dict[str, tuple[File, ...]] = {
    "clip": tuple(File(name, repo=CLIP_REPO) for name in CLIP_FILES),
    "tags": (VOCABULARY,),  # what a CLIP-like model alone chooses from
    "ram": (
        VOCABULARY,
        File(
            "ram_tag_list_threshold.txt",
            url=f"{LISTS_URL}/ram_tag_list_threshold.txt",
            sha256="b6f81d0de1bc7f9c251af512c413eae976c77dbfbadf700d4e3d90510f4c6447",
        ),
        File(RAM_CHECKPOINT, repo="xinyu1205/recognize-anything", repo_type="space"),
    ),
}


def clip_model(repo: str) -> str:
    """Name the model that a repository of the hub holds: 'clip' for the original's."""
    return "clip" if repo == CLIP_REPO else f"clip:{repo}"


def files(model: str) -> tuple[File, ...]:
    """List the files of 'clip', 'tags', 'ram', or of another CLIP-like model, 'clip:' and its repository."""
    if model in MODELS:
        return MODELS[model]
    return tuple(File(name, repo=model.removeprefix("clip:")) for name in CLIP_FILES)


def folder(models_dir: Path, model: str) -> Path:
    """Where a model's files are."""
    return models_dir / re.sub(r"[^\w.-]+", "-", model)


def vocabulary(models_dir: Path) -> Path | None:
    """Where the list of tags is that a CLIP-like model chooses from; None for nowhere."""
    places = [folder(models_dir, own) / VOCABULARY.name for own in ("tags", "ram")]
    return next((path for path in places if path.is_file()), None)


def clip_weights(clip: Path) -> Path:
    """CLIP's weights in either of the formats that transformers writes."""
    safetensors = clip / "model.safetensors"
    old = clip / "pytorch_model.bin"
    return old if old.exists() and not safetensors.exists() else safetensors


def missing(models_dir: Path, model: str) -> list[str]:
    """Return the names of the model's files that are not there."""
    where = folder(models_dir, model)
    if model.startswith("clip"):
        needed = [where / "config.json", where / "preprocessor_config.json", clip_weights(where)]
        if not (where / "vocab.json").exists():
            needed.append(where / "tokenizer.json")
    else:
        needed = [where / file.name for file in files(model)]
    return [path.name for path in needed if not path.is_file()]


def are_complete(models_dir: Path) -> bool:
    """Whether everything that the `full` extractor needs is there."""
    return not any(missing(models_dir, model) for model in ("clip", "ram"))


@dataclass(frozen=True)
class Status:
    """One file's state.

    Where it should be, its size in bytes (None: not there), and whether its content was verified.
    """

    model: str
    path: Path
    size: int | None
    verified: bool


def status(models_dir: Path) -> Iterator[Status]:
    """Yield what is there of every file."""
    for model, own in MODELS.items():
        if model == "tags" and vocabulary(models_dir) == folder(models_dir, "ram") / VOCABULARY.name:
            continue
        for file in own:
            path = folder(models_dir, model) / file.name
            there = path.is_file()
            yield Status(
                model, path, path.stat().st_size if there else None, there and _is_verified(path, file.sha256)
            )


def download(models_dir: Path, model: str, say: Callable[[str], None] = print) -> None:
    """Fetch those of the model's files that are not there in verified form.

    Each comes under a temporary name, goes on where a broken download ended, is checked by size and, where it
    is known, sha256, and only then takes its name: a broken download never replaces a good file. Raises
    DownloadError.
    """
    for file in files(model):
        path = folder(models_dir, model) / file.name
        if path.is_file() and _is_verified(path, file.sha256):
            say(f"{path}: there and verified")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        staging = path.parent / ".download"
        partial, sha256 = _fetch_from_hub(file, staging) if file.repo else _fetch(file, staging)
        _verify(partial, sha256)
        with partial.open("rb") as whole:
            os.fsync(whole.fileno())
        os.replace(partial, path)
        if sha256:
            _mark_verified(path, sha256)
        say(f"{path}: {path.stat().st_size:,} bytes, {'sha256 verified' if sha256 else 'size verified'}")


def _fetch_from_hub(file: File, staging: Path) -> tuple[Path, str]:
    """Fetch the file into `staging`; return it and its sha256 if the hub knows it (it does for large files).

    Resumes by itself.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    place: dict[str, Any] = {"repo_id": file.repo, "filename": file.name, "repo_type": file.repo_type}
    place["endpoint"] = os.environ.get("HF_ENDPOINT")
    try:
        etag = get_hf_file_metadata(hf_hub_url(**place)).etag or ""
        path = Path(hf_hub_download(**place, local_dir=staging))
    except Exception as error:  # errors of the hub's client, of its HTTP library, of the disk
        raise DownloadError(f"{file.name} could not be fetched from {file.repo}: {error}") from error
    return path, etag if re.fullmatch("[0-9a-f]{64}", etag) else file.sha256


def _fetch(file: File, staging: Path) -> tuple[Path, str]:
    """Fetch a small file from a plain address."""
    staging.mkdir(parents=True, exist_ok=True)
    path = staging / file.name
    try:
        with urllib.request.urlopen(file.url, timeout=60) as response:
            path.write_bytes(response.read())
    except OSError as error:
        raise DownloadError(f"{file.name} could not be fetched from {file.url}: {error}") from error
    return path, file.sha256


def _verify(path: Path, sha256: str) -> None:
    """Remove the file and raise DownloadError if its content is not the expected one."""
    if sha256 and (found := digest(path)) != sha256:
        path.unlink()
        raise DownloadError(f"{path.name} has the sha256 {found}, not {sha256}; it was removed.")


def check(path: Path, sha256: str) -> None:
    """Raise WrongWeightsError unless the file's content is the expected one; it stays where it is."""
    if (found := digest(path)) != sha256:
        raise WrongWeightsError(
            f"{path.name} has the sha256 {found}, not {sha256}: its package is not the one we know."
        )


def digest(path: Path) -> str:
    """Return the file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _marker(path: Path) -> Path:
    return path.parent / ".verified" / f"{path.name}.json"


def _mark_verified(path: Path, sha256: str) -> None:
    _marker(path).parent.mkdir(exist_ok=True)
    _marker(path).write_text(
        json.dumps({"sha256": sha256, "size": path.stat().st_size, "time": path.stat().st_mtime_ns})
    )


def _is_verified(path: Path, sha256: str) -> bool:
    """Whether the content is the expected one.

    By the note of an earlier verification, or, for a file whose sha256 is known beforehand (they are small),
    by reading it.
    """
    try:
        note = json.loads(_marker(path).read_text())
        if (note["size"], note["time"]) == (path.stat().st_size, path.stat().st_mtime_ns):
            return True
    except (OSError, ValueError, KeyError):
        pass
    return bool(sha256) and digest(path) == sha256


def write_array(path: Path, array: np.ndarray) -> None:
    """Save an array so that the file is whole or not there."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        np.save(file, array)
        file.flush()
        os.fsync(file.fileno())
    os.replace(file.name, path)
