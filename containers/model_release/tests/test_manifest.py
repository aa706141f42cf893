"""Manifests, and copies of a release that are compared with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from model_release import manifest
from model_release.errors import VerificationError
from model_release.log import Promotion, history
from model_release.manifest import FromHub, Manifest

CONTENT = {"config.json": b"{}", "weights/a.safetensors": b"abc"}


def entries(*steps: tuple[str, str]) -> list[Promotion]:
    """Return a log of actions and versions."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    common = {
        **{
            "team": "a",
            "model": "b",
            "alias": "champion",
            "approved_by": "ada",
            "run": "r",
            "previous": None,
        },
        **{"manifest_sha256": "0" * 64, "has_card": True},
    }
    return [
        Promotion.model_validate(
            {
                **common,
                "action": action,
                "version": version,
                "at": start + timedelta(days=day),
                "request": str(day),
            }
        )
        for day, (action, version) in enumerate(steps)
    ]


def written(folder: Path) -> bytes:
    """Write the files; return their manifest."""
    for path, data in CONTENT.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    source = FromHub(repository="a/b", revision="a" * 40, endpoint="https://hub", licence="mit", skipped=[])
    files = {path: manifest.digest_of_file(folder / path) for path in CONTENT}
    return Manifest(
        team="a",
        model="b",
        version="1",
        source=source,
        lineage=None,
        created_at=datetime.now(UTC),
        files=files,
    ).to_json()


def test_copy_of_a_release_is_verified(tmp_path: Path) -> None:
    data = written(tmp_path)
    assert set(manifest.verify_folder(tmp_path, data, "release").files) == set(CONTENT)


def test_every_difference_of_a_copy_is_named(tmp_path: Path) -> None:
    data = written(tmp_path)
    (tmp_path / "config.json").write_bytes(b"[]")
    (tmp_path / "weights/a.safetensors").unlink()
    (tmp_path / "evil.py").write_text("")
    with pytest.raises(VerificationError) as refused:
        manifest.verify_folder(tmp_path, data, "release")
    for problem in (
        "config.json: got 2 bytes",
        "weights/a.safetensors: missing",
        "evil.py: not in the manifest",
    ):
        assert problem in str(refused.value)


def test_link_in_a_copy_is_refused(tmp_path: Path) -> None:
    data = written(tmp_path)
    (tmp_path / "config.json").unlink()
    (tmp_path / "config.json").symlink_to("/etc/hostname")
    with pytest.raises(VerificationError, match=r"config\.json: a link"):
        manifest.verify_folder(tmp_path, data, "release")


@pytest.mark.parametrize(
    ("before", "after"),
    [('"config.json"', '"../config.json"'), ('"format": 1', '"format": 2'), ('"size": 2', '"size": -1')],
)
def test_manifest_with_an_unfit_value_is_refused(tmp_path: Path, before: str, after: str) -> None:
    data = written(tmp_path).decode()
    assert before in data
    with pytest.raises(VerificationError, match="release: no manifest"):
        manifest.verify_folder(tmp_path, data.replace(before, after).encode(), "release")


def test_history_has_the_promotions_that_no_rollback_has_undone() -> None:
    log = entries(("promote", "1"), ("promote", "2"), ("promote", "3"), ("rollback", "2"), ("promote", "4"))
    assert [entry.version for entry in history(log)] == ["1", "2", "4"]
    assert [entry.version for entry in history(entries(("promote", "1"), ("promote", "1")))] == ["1"]


def test_history_ends_with_the_last_entry_after_rollbacks_at_the_same_time() -> None:
    log = entries(("promote", "1"), ("promote", "2"), ("promote", "3"), ("rollback", "2"), ("rollback", "1"))
    late = entries(("rollback", "2"))
    assert [entry.version for entry in history([*log, *late])] == ["2"], "2 has the alias: it is in the log"


def test_keys_of_entries_are_in_the_order_of_time() -> None:
    first = entries(("promote", "9"))[0]
    times = (0, 1, 1_000_000, 3_600_000_000)
    keys = [first.model_copy(update={"at": first.at + timedelta(microseconds=step)}).key for step in times]
    assert keys == sorted(keys)
