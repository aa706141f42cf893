"""Copies of releases for servers, as the storage initializer of KServe makes them."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from model_release import __main__, manifest
from model_release.errors import RefusedError, VerificationError
from model_release.load import load, pairs_of, release_of
from model_release.manifest import FromHub, Manifest
from model_release.objects.s3 import S3Objects

CONTENT = {"config.json": b"{}", "weights/a.safetensors": b"abc" * 5000}
PREFIX = "search/embed/7"


def released(objects: S3Objects, **changes: bytes) -> None:
    """Create a release. changes: path in the bucket, of files that are not as the manifest states."""
    files = {path: manifest.digest_of([data]) for path, data in CONTENT.items()}
    source = FromHub(repository="a/b", revision="a" * 40, endpoint="https://hub", licence="mit", skipped=[])
    content = Manifest(
        team="search",
        model="embed",
        version="7",
        source=source,
        lineage=None,
        created_at=datetime.now(UTC),
        files=files,
    )
    for path, data in {**CONTENT, **changes}.items():
        objects.create_bytes(f"{PREFIX}/model/{path}", data)
    objects.create_bytes(f"{PREFIX}/manifest.json", content.to_json())


def files_in(folder: Path) -> dict[str, bytes]:
    """Return path -> content of all files of a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_copy_has_the_files_of_the_manifest_and_no_others(
    objects: S3Objects, bucket: str, tmp_path: Path
) -> None:
    released(objects, **{"added-later.pkl": b"evil"})
    (tmp_path / "left-over").write_text("of an interrupted attempt")
    load(release_of(f"s3://{bucket}/{PREFIX}", f"s3://{bucket}", objects), tmp_path)
    assert files_in(tmp_path) == CONTENT


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("config.json", b"[]"),
        ("weights/a.safetensors", b"abd" * 5000),
        ("weights/a.safetensors", b"abc" * 5000 + b"more"),
        ("config.json", b"{} "),
    ],
)
def test_file_that_is_not_the_manifests_is_refused_and_nothing_stays(
    objects: S3Objects, bucket: str, tmp_path: Path, path: str, data: bytes
) -> None:
    released(objects, **{path: data})
    release = release_of(f"s3://{bucket}/{PREFIX}", f"s3://{bucket}", objects)
    with pytest.raises(VerificationError, match=rf"differs from its manifest:\n  {path}: got "):
        load(release, tmp_path)
    assert files_in(tmp_path) == {}, "no server starts with a part of it"


def test_release_without_a_manifest_or_a_file_is_refused(
    objects: S3Objects, bucket: str, tmp_path: Path
) -> None:
    release = release_of(f"s3://{bucket}/{PREFIX}", f"s3://{bucket}", objects)
    with pytest.raises(VerificationError, match="no manifest"):
        load(release, tmp_path)
    released(objects)
    client = objects._client
    client.delete_object(Bucket=bucket, Key=f"{PREFIX}/model/config.json")
    with pytest.raises(VerificationError, match=r"config\.json: missing"):
        load(release, tmp_path)


@pytest.mark.parametrize("absent", ["manifest.json", "model/config.json"])
def test_release_that_is_not_there_is_refused_where_the_identity_lists_nothing(
    objects: S3Objects, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absent: str
) -> None:
    released(objects)
    client: Any = objects._client
    get = client.get_object

    def without_list(Bucket: str, Key: str) -> Any:  # noqa: N803 - of boto3
        # S3 answers so to identities without s3:ListBucket: whether an object exists is a secret.
        if Key == f"{PREFIX}/{absent}":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "denied"}}, "GetObject")
        return get(Bucket=Bucket, Key=Key)

    monkeypatch.setattr(client, "get_object", without_list)
    release = release_of(f"s3://{bucket}/{PREFIX}", f"s3://{bucket}", objects)
    with pytest.raises(VerificationError, match=r"no manifest, or none that|config\.json: missing"):
        load(release, tmp_path)
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize(
    "uri",
    [
        "s3://another/search/embed/7",
        "s3://releases/imports/search/embed/hf-" + "a" * 40,
        "s3://releases/imports/embed/7",
        "s3://releases/search/embed",
        "s3://releases/search/embed/7/model",
        "s3://releases/search/../embed",
        "s3://releases/search/embed/latest",
        "s3://releases-2/search/embed/7",
        "hf://acme/embed",
    ],
)
def test_uri_that_is_no_release_is_refused(uri: str, objects: S3Objects) -> None:
    with pytest.raises(RefusedError):
        release_of(uri, "s3://releases", objects)


def test_nothing_is_a_release_where_their_bucket_is_not_stated(objects: S3Objects) -> None:
    with pytest.raises(RefusedError, match="expected a release"):
        release_of("/search/embed/7", "", objects)


def test_command_is_what_kserve_calls(
    objects: S3Objects, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released(objects)
    monkeypatch.setenv("RELEASES_URI", f"s3://{bucket}")
    arguments = [f"s3://{bucket}/{PREFIX}", str(tmp_path / "models")]
    monkeypatch.setattr(sys, "argv", ["model_release", "load", *arguments])
    with pytest.raises(SystemExit) as end:
        __main__.main()
    assert end.value.code in (None, 0)
    assert files_in(tmp_path / "models") == CONTENT


def test_model_and_its_adapters_are_copied_into_separate_folders(
    objects: S3Objects, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released(objects)
    monkeypatch.setenv("RELEASES_URI", f"s3://{bucket}")
    folders = [tmp_path / "models", tmp_path / "adapters" / "support"]
    arguments = [part for folder in folders for part in (f"s3://{bucket}/{PREFIX}", str(folder))]
    monkeypatch.setattr(sys, "argv", ["model_release", "load", *arguments])
    with pytest.raises(SystemExit) as end:
        __main__.main()
    assert end.value.code in (None, 0)
    for folder in folders:
        assert files_in(folder) == CONTENT


def test_nothing_is_copied_where_one_of_several_is_no_release(
    objects: S3Objects, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released(objects)
    monkeypatch.setenv("RELEASES_URI", f"s3://{bucket}")
    arguments = [f"s3://{bucket}/{PREFIX}", str(tmp_path / "a"), "hf://acme/lora", str(tmp_path / "b")]
    monkeypatch.setattr(sys, "argv", ["model_release", "load", *arguments])
    assert __main__.main() == 2, "running it again changes nothing"
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["s3://releases/search/embed/7"],
        ["s3://releases/search/embed/7", "/mnt/models", "s3://releases/search/lora/1"],
        ["s3://releases/search/embed/7", "/mnt/models", "s3://releases/search/lora/1", "/mnt/models/lora"],
        ["s3://releases/search/embed/7", "/mnt/models", "s3://releases/search/lora/1", "/mnt/models"],
    ],
)
def test_arguments_that_are_no_pairs_of_separate_folders_are_refused(arguments: list[str]) -> None:
    with pytest.raises(RefusedError):
        pairs_of(arguments)
