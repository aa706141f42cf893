"""Objects that become rows, and those that go to quarantine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import flask
import pytest
from pyarrow import fs

from ingestion import gate, handlers
from ingestion.__main__ import main
from shop.events import Shop

KEY = "files/incoming/clicks/1.jsonl"


def put(folder: Path, content: str, key: str = KEY) -> None:
    path = folder / "raw" / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def clicks(count: int, day: int = 0) -> str:
    return "\n".join(json.dumps(click) for click in Shop().clicks(day, count))


def register(folder: Path, key: str = KEY) -> gate.Result:
    return handlers.of_variables().register(fs.LocalFileSystem(), str(folder / "raw"), key)


def test_an_object_that_is_delivered_twice_is_registered_once(tmp_path: Path, catalog: Any) -> None:
    put(tmp_path, clicks(200))
    assert register(tmp_path) == gate.Result(rows=200)
    assert register(tmp_path) == gate.Result(rows=0, known=200)
    table = catalog.load_table("curated.clicks")
    assert len(table.scan().to_arrow()) == 200
    assert len(table.metadata.snapshots) == 1, "nothing to append is no commit"


def test_refused_lines_are_in_quarantine_with_their_reasons(tmp_path: Path, catalog: Any) -> None:
    put(tmp_path, clicks(99) + '\n{"kind": "buy"}')
    assert register(tmp_path) == gate.Result(rows=99, refused=1)
    quarantine = tmp_path / "raw" / "files" / "quarantine" / "clicks"
    assert (quarantine / "1.jsonl").read_text() == '{"kind": "buy"}'
    assert (quarantine / "1.jsonl.reason.txt").read_text().startswith("line 100: event_id: got None")


def test_an_object_that_is_refused_as_a_whole_registers_nothing(tmp_path: Path, catalog: Any) -> None:
    put(tmp_path, "no JSON\n" + clicks(1))
    result = register(tmp_path)
    assert result.rows == 0
    assert result.reason is not None
    assert "1 of 2 lines are not valid" in result.reason
    assert len(catalog.load_table("curated.clicks").scan().to_arrow()) == 0
    assert (tmp_path / "raw/files/quarantine/clicks/1.jsonl").read_text().startswith("no JSON")


def test_an_object_of_an_unknown_folder_is_an_error(tmp_path: Path, catalog: Any) -> None:
    put(tmp_path, clicks(1), "files/incoming/other/1.jsonl")
    with pytest.raises(KeyError, match="other"):
        register(tmp_path, "files/incoming/other/1.jsonl")


def test_rows_are_determined_again_where_another_commit_was_in_between(
    tmp_path: Path, catalog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, clicks(50))
    ids, competed = gate._ids, []

    def competing(table: Any, *arguments: Any) -> Any:
        known = ids(table, *arguments)
        if not competed:
            competed.append(True)
            # The same object, by another instance of the function.
            register(tmp_path)
        return known

    monkeypatch.setattr(gate, "_ids", competing)
    assert register(tmp_path) == gate.Result(rows=0, known=50)
    assert len(catalog.load_table("curated.clicks").scan().to_arrow()) == 50


def test_events_of_both_clouds_name_the_object(
    tmp_path: Path, catalog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    monkeypatch.setattr(handlers.fs, "S3FileSystem", lambda **_: root)
    monkeypatch.setattr(handlers.fs, "GcsFileSystem", lambda: root)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    put(tmp_path, clicks(10))
    event = {"detail": {"bucket": {"name": "raw"}, "object": {"key": KEY}}}
    assert handlers.aws(event, None)["rows"] == 10
    message = {"message": {"attributes": {"bucketId": "raw", "objectId": KEY}}}
    with flask.Flask("test").test_request_context(json=message) as context:
        assert handlers.gcp(context.request) == ({"rows": 0, "known": 10, "refused": 0, "reason": None}, 200)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", None])
def test_files_are_read_at_the_endpoint_of_the_variable(
    tmp_path: Path, catalog: Any, monkeypatch: pytest.MonkeyPatch, endpoint: str | None
) -> None:
    stated: dict[str, Any] = {}

    def system(**options: Any) -> fs.FileSystem:
        stated.update(options)
        return fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())

    monkeypatch.setattr(handlers.fs, "S3FileSystem", system)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    put(tmp_path, clicks(1))
    handlers.aws({"detail": {"bucket": {"name": "raw"}, "object": {"key": KEY}}}, None)
    assert stated == {"region": "eu-central-1", "endpoint_override": endpoint}


def test_the_catalog_of_google_gets_its_credentials_and_that_of_aws_none(
    tmp_path: Path, catalog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, load, stated = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem()), gate.load_catalog, []
    monkeypatch.setattr(handlers.fs, "S3FileSystem", lambda **_: root)
    monkeypatch.setattr(handlers.fs, "GcsFileSystem", lambda: root)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")

    def loading(name: str, **properties: Any) -> Any:
        stated.append((name, properties))
        return load(name, **properties)

    monkeypatch.setattr(gate, "load_catalog", loading)
    put(tmp_path, clicks(1))
    handlers.aws({"detail": {"bucket": {"name": "raw"}, "object": {"key": KEY}}}, None)
    message = {"message": {"attributes": {"bucketId": "raw", "objectId": KEY}}}
    with flask.Flask("test").test_request_context(json=message) as context:
        handlers.gcp(context.request)
    assert stated == [("default", {}), ("default", {"auth": {"type": "google"}})]


def test_files_are_registered_by_the_command(
    tmp_path: Path, catalog: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, clicks(5))
    main(["files", str(tmp_path / "raw"), KEY])
    assert json.loads(capsys.readouterr().out)[KEY]["rows"] == 5
