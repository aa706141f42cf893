"""The parts of examples/training that decide whether a training that was cut off continues."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.examples.loading import module

checkpoints: Any = module("training", "training.checkpoints")
processes: Any = module("training", "training.processes")
lineage: Any = module("training", "training.lineage")
PET = {
    "PET_NODE_RANK": "1",
    "PET_NNODES": "2",
    "PET_MASTER_ADDR": "churn-node-0-0.churn",
    "PET_MASTER_PORT": "29500",
}
TORCHRUN = {"RANK": "3", "WORLD_SIZE": "8", "MASTER_ADDR": "a", "MASTER_PORT": "1"}


def test_place_is_that_of_trainers_variables_or_of_torchruns() -> None:
    assert processes.place(PET) == processes.Place(1, 2, "churn-node-0-0.churn", 29500)
    assert processes.place({**PET, **TORCHRUN}) == processes.Place(3, 8, "a", 1), "a process of a node"
    assert processes.place({}).size == 1


def _port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def _run(size: int, act: Callable[[Any], Any], seconds: float = 20) -> list[Any]:
    """Run a function with each process of a group, in threads; return results or errors by rank."""
    port, results = _port(), [None] * size

    def one(rank: int) -> None:
        try:
            with processes.Group(processes.Place(rank, size, "127.0.0.1", port), seconds) as group:
                results[rank] = act(group)
        except processes.LostError as error:
            results[rank] = error

    threads = [threading.Thread(target=one, args=(rank,)) for rank in reversed(range(size))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_all_processes_get_the_same_combination_in_the_order_of_ranks() -> None:
    def act(group: Any) -> tuple[bytes, bytes]:
        joined = group.exchange(b"%d" % group.rank * 100_000, lambda parts: bytes(part[0] for part in parts))
        return joined, group.from_first(b"from %d" % group.rank)

    assert _run(3, act) == [(b"012", b"from 0")] * 3


@pytest.mark.parametrize("lost", [0, 1])
def test_a_process_that_ends_ends_all_others(lost: int) -> None:
    def act(group: Any) -> None:
        group.from_first()
        if group.rank != lost:
            while True:
                group.from_first()

    results = _run(3, act)
    assert results[lost] is None
    others = [result for rank, result in enumerate(results) if rank != lost]
    assert all(isinstance(error, processes.LostError) for error in others), others


def test_absent_processes_are_named() -> None:
    place = processes.Place(0, 3, "127.0.0.1", _port())
    with pytest.raises(processes.LostError, match=r"ranks \[1, 2\] did not connect"):
        processes.Group(place, 0.2)
    with pytest.raises(processes.LostError, match="rank 0 at 127"):
        processes.Group(processes.Place(1, 2, "127.0.0.1", place.port), 0.2)


def test_last_complete_checkpoint_is_read(tmp_path: Path) -> None:
    saved = checkpoints.Checkpoints(f"file://{tmp_path}", "churn-7")
    assert saved.latest() is None
    for step in (200, 1000):
        saved.save(step, {"state.npz": b"state %d" % step}, {"mlflow_run": "r"})
    (tmp_path / "churn-7" / "run.txt").write_text("not a step")
    last = saved.latest()
    assert (last.step, last.files, last.facts) == (1000, {"state.npz": b"state 1000"}, {"mlflow_run": "r"})
    other = checkpoints.Checkpoints(f"file://{tmp_path}", "churn")
    assert other.latest() is None, "a run whose name is the begin of another's"


@pytest.mark.parametrize("damage", ["marker", "state", "content"])
def test_a_checkpoint_that_was_cut_off_is_not_used(tmp_path: Path, damage: str) -> None:
    saved = checkpoints.Checkpoints(f"file://{tmp_path}", "r")
    for step in (1, 2):
        saved.save(step, {"state.npz": b"state"}, {})
    folder = tmp_path / "r" / "step-00000002"
    if damage == "content":
        (folder / "state.npz").write_bytes(b"stat")
    else:
        (folder / {"marker": "complete.json", "state": "state.npz"}[damage]).unlink()
    assert saved.latest().step == 1


def test_a_checkpoint_is_written_with_final_names_and_its_marker_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, names = checkpoints.Checkpoints(f"file://{tmp_path}", "r"), []
    write = saved._folder.write
    monkeypatch.setattr(saved._folder, "write", lambda name, data: (names.append(name), write(name, data)))
    saved.save(3, {"a": b"1", "b": b"2"}, {})
    assert names == [f"step-00000003/{name}" for name in ("a", "b", "complete.json")]
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["complete.json"], "nothing temporary"


def test_unknown_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="ftp://x/r: unknown scheme; expected s3, gs or file"):
        checkpoints.Checkpoints("ftp://x", "r")


def test_lineage_has_what_a_release_needs(caplog: pytest.LogCaptureFixture) -> None:
    known = lineage.tags({"IMAGE": "i@sha256:1", "CODE_COMMIT": "c"}, "curated.customers", 7)
    assert known["ai-platform.snapshots"] == '{"curated.customers": 7}'
    assert known["ai-platform.image"] == "i@sha256:1"
    assert not caplog.messages
    assert "ai-platform.image" not in lineage.tags({}, "curated.customers", 7)
    assert len(caplog.messages) == 2, "a version that cannot be released is no surprise later"
