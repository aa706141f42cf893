"""What the examples accept of a release, and the checkpoints of examples/fine-tune."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.examples.loading import EXAMPLES, module

PROGRAMS = {
    "batch-inference": (
        module("batch-inference", "batch_inference.storage"),
        module("batch-inference", "batch_inference.release"),
    ),
    "fine-tune": (module("fine-tune", "fine_tune.storage"), module("fine-tune", "fine_tune.base")),
}
checkpoints: Any = module("fine-tune", "fine_tune.checkpoints")


def _release(folder: Path, **files: str) -> Path:
    """Write a release with files, and return its folder."""
    entries: dict[str, Any] = {}
    for name, text in files.items():
        path = folder / "model" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        entries[name] = {"size": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps({"files": entries}))
    return folder


def test_copies_of_a_file_that_examples_share_are_equal() -> None:
    """A folder of examples/ can be copied, so each has its file; a correction of one is one of all."""
    copies = sorted(EXAMPLES.glob("*/*/storage.py"))
    assert len(copies) == 3
    assert len({copy.read_text() for copy in copies}) == 1, copies


@pytest.mark.parametrize("program", PROGRAMS)
def test_files_of_a_release_are_those_of_its_manifest(tmp_path: Path, program: str) -> None:
    storage, release = PROGRAMS[program]
    there = _release(tmp_path / "there", **{"MLmodel": "a", "data/weights.safetensors": "b"})
    here = release.download(storage.Folder(f"file://{there}"), tmp_path / "here")
    assert {path.name: path.read_text() for path in here.rglob("*") if path.is_file()} == {
        "MLmodel": "a",
        "weights.safetensors": "b",
    }


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_changed_file_of_a_release_is_refused(tmp_path: Path, program: str) -> None:
    storage, release = PROGRAMS[program]
    there = _release(tmp_path / "there", MLmodel="a")
    (there / "model" / "MLmodel").write_text("b")
    with pytest.raises(release.DamagedError, match="model/MLmodel: differs from the manifest"):
        release.download(storage.Folder(f"file://{there}"), tmp_path / "here")


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", ["../outside", "/outside", "data/../../outside"])
def test_a_file_outside_the_release_is_refused(tmp_path: Path, program: str, name: str) -> None:
    storage, release = PROGRAMS[program]
    there = _release(tmp_path / "there", MLmodel="a")
    (there / "manifest.json").write_text(json.dumps({"files": {name: {"size": 1, "sha256": "0"}}}))
    with pytest.raises(release.DamagedError, match="outside: not"):
        release.download(storage.Folder(f"file://{there}"), tmp_path / "here")


def test_a_pickled_base_model_is_refused(tmp_path: Path) -> None:
    storage, base = PROGRAMS["fine-tune"]
    there = _release(tmp_path / "there", **{"pytorch_model.bin": "code"})
    with pytest.raises(base.DamagedError, match=r"pytorch_model\.bin: not a file of an import"):
        base.download(storage.Folder(f"file://{there}"), tmp_path / "here")


def test_a_saved_folder_comes_back_under_the_name_that_the_trainer_reads(tmp_path: Path) -> None:
    saved = tmp_path / "checkpoint"
    (saved / "state").mkdir(parents=True)
    (saved / "adapter.safetensors").write_text("weights")
    (saved / "state" / "optimizer.pt").write_text("momentum")
    store = checkpoints.Checkpoints(f"file://{tmp_path}/bucket", "support-3")
    assert store.latest(tmp_path) is None
    for step in (90, 200):
        store.save(step, saved, "run-1")
    folder, run = store.latest(tmp_path / "new-node")
    assert (folder.name, run) == ("checkpoint-200", "run-1")
    assert (folder / "state" / "optimizer.pt").read_text() == "momentum"
    (tmp_path / "bucket" / "support-3" / "step-00000200" / checkpoints.MARKER).unlink()
    folder, _ = store.latest(tmp_path / "another-node")
    assert folder.name == "checkpoint-90", "the newer one was cut off"
