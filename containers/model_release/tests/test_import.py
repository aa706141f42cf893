"""Imports from a server with the API of Hugging Face, by its client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import CARD, Factory, Register
from hub_server import REVISION, Hub

from model_release import card, names
from model_release.errors import RefusedError
from model_release.hub import Source, import_release
from model_release.objects.s3 import S3Objects
from model_release.releases import Release

FILES = {
    "config.json": b"{}",
    "tokenizer.json": b'{"version": "1.0"}',
    "model-00001-of-00002.safetensors": b"a" * 5000,
    "model-00002-of-00002.safetensors": b"b" * 5000,
    "model.safetensors.index.json": b"{}",
    "onnx/model.safetensors": b"c",
    "pytorch_model.bin": b"\x80\x04pickle",
    "modeling_tiny.py": b"import os",
    "README.md": b"# tiny",
}
SKIPPED = ["README.md", "modeling_tiny.py", "pytorch_model.bin"]
VERSION = f"hf-{REVISION}"
CONTENT = card.Card(**CARD)
Serve = Callable[..., tuple[Hub, Source]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a hub; returns it and a revision of it."""
    hubs: list[Hub] = []

    def serve(
        files: dict[str, bytes] = FILES, licence: Any = "apache-2.0", **more: Any
    ) -> tuple[Hub, Source]:
        data = {"license": licence} if isinstance(licence, str) else licence
        hub = Hub(dict(files), data, **more)
        hubs.append(hub)
        return hub, Source("acme/tiny", REVISION, endpoint=hub.start())

    yield serve
    for hub in hubs:
        hub.stop()


def test_import_copies_safetensors_and_configuration_only(
    serve: Serve, objects: S3Objects, name: str
) -> None:
    hub, source = serve()
    manifest = import_release(objects, names.model(name), source, CONTENT)
    assert set(manifest.files) == FILES.keys() - set(SKIPPED)
    assert manifest.source.model_dump() == {
        "kind": "huggingface",
        "repository": "acme/tiny",
        "revision": REVISION,
        "endpoint": source.endpoint,
        "licence": "apache-2.0",
        "skipped": SKIPPED,
    }
    assert all(key.startswith(f"imports/{name}/{VERSION}/") for key in objects.sizes("")), (
        "the importing identity writes nowhere else"
    )
    assert not any("pytorch_model" in request for request in hub.requests), "pickles are not downloaded"


@pytest.mark.parametrize("revision", ["main", "v1.0", REVISION[:12], REVISION.upper(), "refs/pr/1", ""])
def test_import_without_a_full_commit_is_refused(revision: str) -> None:
    with pytest.raises(RefusedError, match=r"revision: .*expected a full commit"):
        Source("acme/tiny", revision)


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"licence": None}, "states no licence"),
        ({"licence": {}}, "states no licence"),
        ({"licence": "llama3.1"}, "the card states 'apache-2.0', the repository 'llama3.1'"),
        ({"licence": {"license": "other", "license_name": "acme-1"}}, "the repository 'acme-1'"),
        ({"files": {"config.json": b"{}", "pytorch_model.bin": b"x"}}, "no weights in safetensors"),
        ({"files": {**FILES, "../../x.safetensors": b""}}, "expected a relative path"),
        ({"files": {**FILES, "/etc/config.json": b""}}, "expected a relative path"),
        ({"token": "secret"}, "the hub refuses it"),
    ],
)
def test_import_of_an_unfit_revision_is_refused_before_anything_is_written(
    serve: Serve, objects: S3Objects, name: str, more: dict[str, Any], error: str
) -> None:
    _, source = serve(**more)
    with pytest.raises(RefusedError, match=error):
        import_release(objects, names.model(name), source, CONTENT)
    assert objects.sizes("") == {}


def test_file_that_differs_from_the_digest_of_the_hub_is_refused(
    serve: Serve, objects: S3Objects, name: str
) -> None:
    _, source = serve(stated={"onnx/model.safetensors": "0" * 64})
    with pytest.raises(RefusedError, match=r"onnx/model\.safetensors: got sha256"):
        import_release(objects, names.model(name), source, CONTENT)
    assert not any("onnx" in key for key in objects.sizes("")), "it is compared before it is written"


def test_interrupted_import_does_not_download_again(
    serve: Serve, objects: S3Objects, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, source = serve()
    finish = Release.finish
    monkeypatch.setattr(Release, "finish", lambda *_: (_ for _ in ()).throw(OSError("killed")))
    with pytest.raises(OSError, match="killed"):
        import_release(objects, names.model(name), source, CONTENT)
    monkeypatch.setattr(Release, "finish", finish)
    hub.requests.clear()
    import_release(objects, names.model(name), source, CONTENT)
    assert not any(request.endswith(".safetensors") for request in hub.requests)
    hub.requests.clear()
    import_release(objects, names.model(name), source, CONTENT)
    assert hub.requests == [], "a finished import is verified only"


def test_promoted_import_is_a_release_without_an_alias_in_mlflow(
    serve: Serve, objects: S3Objects, promoter: Factory, name: str
) -> None:
    _, source = serve()
    model = names.model(name)
    with pytest.raises(RefusedError, match="expected a finished import"):
        promoter().promote(model, VERSION, "champion", "r1")
    import_release(objects, model, source, CONTENT)
    entry = promoter().promote(model, VERSION, "champion", "r1")
    assert (entry.run, entry.has_card, entry.approved_by) == (REVISION, True, "ada@acme.example")
    manifest, _ = Release(objects, model, VERSION).verify()
    assert manifest == Release(objects, model, VERSION, imported=True).manifest()


def test_import_that_was_changed_is_not_promoted(
    serve: Serve, objects: S3Objects, bucket: str, promoter: Factory, name: str
) -> None:
    import boto3

    _, source = serve()
    model = names.model(name)
    import_release(objects, model, source, CONTENT)
    key = f"imports/{name}/{VERSION}/model/config.json"
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=b"[]")
    with pytest.raises(RefusedError, match=r"config\.json: got 2 bytes"):
        promoter().promote(model, VERSION, "champion", "r1")
    assert not any(key.startswith(f"{name}/{VERSION}/model/config") for key in objects.sizes(""))


def test_model_has_either_imports_or_trained_versions(
    serve: Serve, objects: S3Objects, promoter: Factory, register: Register, name: str
) -> None:
    _, source = serve()
    model = names.model(name)
    number = register(model.registered_name)
    import_release(objects, model, source, CONTENT)
    promoter().promote(model, number, "champion", "r1")
    with pytest.raises(RefusedError, match="expected another model for imports"):
        promoter().promote(model, VERSION, "champion", "r2")


def test_token_is_read_from_its_file_and_is_in_no_output(
    serve: Serve, bucket: str, name: str, tmp_path: Path
) -> None:
    _, source = serve(token="hf_secret")
    file = tmp_path / "token"
    file.write_text("hf_secret\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "model_release", "import", name),
            *("--repository", "acme/tiny", "--revision", REVISION, "--card", json.dumps(CARD)),
            *("--token-file", str(file)),
        ],
        env={**os.environ, "RELEASES_URI": f"s3://{bucket}", "HF_ENDPOINT": source.endpoint},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["result"]["version"] == VERSION
    assert "hf_secret" not in done.stdout + done.stderr
