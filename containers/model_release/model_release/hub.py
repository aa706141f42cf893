"""Import a revision of Hugging Face as a release."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from model_release import log, names
from model_release.card import Card
from model_release.errors import RefusedError
from model_release.manifest import Entry, FromHub, Manifest, digest_of_file
from model_release.objects import Objects
from model_release.promotion import note
from model_release.releases import Release

HUB: Final = "https://huggingface.co"
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_WEIGHTS: Final = ".safetensors"
_NAMES: Final = frozenset(
    {
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "tokenizer.model",
        "spiece.model",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.json",
        "vocab.txt",
        "merges.txt",
        "preprocessor_config.json",
        "processor_config.json",
        "video_preprocessor_config.json",
        "chat_template.json",
        "chat_template.jinja",
        "adapter_config.json",
        "modules.json",
        "config_sentence_transformers.json",
        "sentence_bert_config.json",
        "LICENSE",
        "LICENSE.txt",
        "LICENSE.md",
        "NOTICE",
        "NOTICE.txt",
        "USE_POLICY.md",
    }
)
"""Files that are data of a model, not programs. Pickles run code when they are loaded, and so do the Python
files of a repository."""


@dataclass(frozen=True)
class Source:
    """A revision of a repository. revision: a full commit. token: None for none. endpoint: the hub, or a
    server that has its API."""

    repository: str
    revision: str
    token: str | None = None
    endpoint: str = HUB

    def __post_init__(self) -> None:
        if not _COMMIT.fullmatch(self.revision):
            raise RefusedError(
                f"revision: got {self.revision!r}; expected a full commit, 40 hexadecimal digits: a branch "
                "or a tag can be moved"
            )


@dataclass(frozen=True)
class _File:
    """A file of a revision. sha256: None where it is in Git itself and not in LFS."""

    path: str
    size: int
    sha256: str | None


def is_imported(path: str) -> bool:
    """Whether a file is copied: weights in safetensors, and known files of configuration and tokenizers."""
    name = PurePosixPath(path).name
    return name.endswith((_WEIGHTS, f"{_WEIGHTS}.index.json")) or name in _NAMES


def import_release(objects: Objects, model: names.Model, source: Source, card: Card) -> Manifest:
    """Copy a revision into the import `hf-REVISION` of a model, and return its manifest. To serve it, it is
    promoted.

    One that was interrupted continues. Raises RefusedError before anything is copied where the licence is
    missing or another one than the card's, or where the weights are no safetensors.
    """
    release = Release(objects, model, f"hf-{source.revision}", imported=True)
    if (finished := release.manifest()) is not None:
        if not isinstance(finished.source, FromHub) or finished.source.repository != source.repository:
            raise RefusedError(f"{release}: is of another repository; expected another model")
        release.add_card(card)
        note(f"{release} exists; verify it")
        return release.verify()[0]
    api = HfApi(endpoint=source.endpoint, token=source.token or False)
    try:
        manifest = _copied(api, release, source, card)
    except (HfHubHTTPError, HFValidationError) as error:
        status = getattr(getattr(error, "response", None), "status_code", 400)
        if status < 500 and status != 429:
            raise RefusedError(
                f"{source.repository}@{source.revision}: the hub refuses it: {error}"
            ) from error
        raise
    note(f"verify {release}")
    release.finish(manifest)
    return release.verify()[0]


def _copied(api: HfApi, release: Release, source: Source, card: Card) -> Manifest:
    info: Any = api.model_info(source.repository, revision=source.revision, files_metadata=True)
    if info.sha != source.revision:
        raise RefusedError(f"revision: got {source.revision}; the hub answered for {info.sha}")
    licence = _licence(info, card)
    files, skipped = _files(info)
    release.add_card(card)
    entries: dict[str, Entry] = {}
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            entries[file.path] = _copy(api, release, source, file, Path(folder))
    return Manifest(
        team=release.model.team,
        model=release.model.name,
        version=release.version,
        source=FromHub(
            repository=source.repository,
            revision=source.revision,
            endpoint=source.endpoint,
            licence=licence,
            skipped=skipped,
        ),
        lineage=None,
        created_at=log.now(),
        files=entries,
    )


def _licence(info: Any, card: Card) -> str:
    """Return the licence that the hub states. Raises RefusedError where it is not the card's."""
    data = info.card_data
    licence = (data and data.get("license")) or ""
    if licence == "other":
        licence = data.get("license_name") or licence
    if not isinstance(licence, str) or not licence:
        raise RefusedError(f"{info.id}: states no licence; expected a repository with one")
    if licence.casefold() != card.licence.casefold():
        raise RefusedError(
            f"licence: the card states {card.licence!r}, the repository {licence!r}; expected the same"
        )
    return licence


def _files(info: Any) -> tuple[list[_File], list[str]]:
    """Return the files to copy, and the paths of the others."""
    files: list[_File] = []
    skipped: list[str] = []
    for entry in info.siblings or []:
        if is_imported(entry.rfilename):
            digest = entry.lfs.sha256 if entry.lfs else None
            files.append(_File(names.file_path(entry.rfilename), entry.size or 0, digest))
        else:
            skipped.append(entry.rfilename)
    if not any(file.path.endswith(_WEIGHTS) for file in files):
        raise RefusedError(
            f"{info.id}: has no weights in safetensors; expected them, as loading other formats runs "
            f"code; its files are {', '.join(sorted(skipped))}"
        )
    return sorted(files, key=lambda file: file.path), sorted(skipped)


def _copy(api: HfApi, release: Release, source: Source, file: _File, folder: Path) -> Entry:
    expected = Entry(size=file.size, sha256=file.sha256) if file.sha256 else None
    if expected is not None and release.has(file.path, expected):
        note(f"{file.path} is copied already")
        return expected
    note(f"copy {file.path}, {file.size} bytes")
    local = Path(
        api.hf_hub_download(source.repository, file.path, revision=source.revision, local_dir=folder)
    )
    # Before the release has it, where it could not be replaced.
    if expected is not None and (actual := digest_of_file(local)) != expected:
        raise RefusedError(
            f"{file.path}: got sha256 {actual.sha256}; the hub states {file.sha256}; expected the same"
        )
    entry = release.add(file.path, local)
    local.unlink()
    return entry
