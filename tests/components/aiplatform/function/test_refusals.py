"""Arguments of a function that are refused before anything is registered."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError, read
from aiplatform.function import limits
from aiplatform.function.args import FunctionSettings
from tests.components.aiplatform.function.example import (
    KEYS,
    LAKEHOUSES,
    NETWORKS,
    TARGETS,
    arguments,
    ingest,
)


def refused(cloud: str, more: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ArgumentError) as caught:
        read(FunctionSettings, arguments(cloud, **more), "Args")
    return {problem.path.partition(".")[2]: problem.reason for problem in caught.value.problems}


PACKAGE = {"runtime": "python3.13", "handler": "a.b", "bucket": "code", "key": "a.zip", "version": "1"}

BUCKET = "projects/acme-logs/locations/eu/buckets/functions"
RAW = next(zone["bucket"] for zone in LAKEHOUSES["aws"]["zones"] if zone["name"] == "raw")


def packaged(**more: Any) -> dict[str, Any]:
    return {"image": None, "package": {**PACKAGE, **more}}


def called(caller: str) -> dict[str, Any]:
    return {"http": {"callers": [caller]}}


@pytest.mark.parametrize(
    ("cloud", "more", "path", "reason"),
    [
        ("aws", {"owner": None}, "owner", "missing"),
        ("aws", {"owner": ""}, "owner", "1 to 256"),
        ("gcp", {"owner": "search@acme.example"}, "owner", "lower-case"),
        ("aws", {"name": "a" * 21}, "name", "1 to 20"),
        ("gcp", {"prefix": "acme-experiments-test"}, "prefix", "service account"),
        ("gcp", {"project": None}, "project", "missing"),
        ("aws", {"project": "acme-dev"}, "project", "AWS does not support"),
        ("aws", {"image": "acme/ingest:1"}, "image", "with a digest"),
        ("aws", {"image": None}, "image", "got none"),
        ("aws", {"package": PACKAGE}, "image", "got both"),
        ("gcp", {"package": PACKAGE}, "package", "Cloud Run runs images"),
        ("aws", packaged(runtime="python3.9"), "package.runtime", "python3.12"),
        ("aws", packaged(handler="handle"), "package.handler", "a module and a function"),
        ("aws", packaged(version=None), "package.version", "missing"),
        ("aws", packaged(path="code"), "package.path", "got both"),
        ("aws", packaged(bucket=None, key=None, version=None), "package.path", "got none"),
        ("aws", {"memory_mib": 10_241}, "memory_mib", "128 to 10240"),
        ("aws", {"memory_mib": 64}, "memory_mib", "128 to 10240"),
        ("gcp", {"memory_mib": 32_769}, "memory_mib", "512 to 32768"),
        ("aws", {"timeout_seconds": 901}, "timeout_seconds", "1 to 900"),
        ("gcp", {"timeout_seconds": 3601}, "timeout_seconds", "1 to 3600"),
        ("gcp", {**ingest("gcp"), "timeout_seconds": 601}, "timeout_seconds", "1 to 600"),
        ("aws", {"max_instances": 0}, "max_instances", "1 to 1000"),
        ("aws", {"concurrency": 8}, "concurrency", "one request at a time"),
        ("gcp", {"architecture": "arm64"}, "architecture", "x86_64 alone"),
        ("aws", {"environment": {"AWS_REGION": "x"}}, "environment.AWS_REGION", "set by the cloud"),
        ("aws", {"environment": {"AWS_LAMBDA_RUNTIME_API": "x"}},
         "environment.AWS_LAMBDA_RUNTIME_API", "set by the cloud"),
        ("gcp", {"environment": {"PORT": "80"}}, "environment.PORT", "set by the cloud"),
        ("aws", {"environment": {"9A": "x"}}, "environment.9A", "letters"),
        ("aws", {"environment": {"A": "x" * 4096}}, "environment", "at most 4096"),
        ("aws", {**ingest("aws"), "lakehouse": None}, "event.zone", "without a lakehouse"),
        ("aws", {"lakehouse": LAKEHOUSES["gcp"]}, "lakehouse", "expected one on aws"),
        ("aws", {"network": NETWORKS["gcp"]}, "network", "expected one on aws"),
        ("aws", {**ingest("aws"), "event": {"zone": "bronze", "prefix": "files/"}}, "event.zone", "raw"),
        ("aws", {**ingest("aws"), "event": {"zone": "raw"}}, "event.prefix", "below `files/`"),
        ("aws", {"event": {"prefix": "in/"}}, "event.zone", "got none"),
        ("aws", {**ingest("aws"), "reads": [{"zone": "raw", "bucket": "b", "prefix": "files/"}]},
         "reads[0].zone", "got both"),
        ("aws", {"event": {"bucket": "b", "prefix": "in/*"}}, "event.prefix", "without wildcards"),
        ("gcp", {"event": {"bucket": "b", "prefix": 'in") || ("'}}, "event.prefix", "quotes and variables"),
        ("gcp", {"event": {"bucket": "b", "suffix": ".json"}}, "event.suffix", "prefixes alone"),
        ("aws", {**ingest("aws"), "writes": [{"zone": "raw", "prefix": "files/incoming/done/"}]},
         "writes[0]", "call itself without end"),
        ("aws", {"event": {"bucket": "b"}, "writes": [{"bucket": "b", "prefix": "out/"}]},
         "writes[0]", "call itself without end"),
        ("aws", {**ingest("aws"), "writes": [{"bucket": RAW, "prefix": "files/"}]},
         "writes[0]", "call itself without end"),
        ("aws", {**ingest("aws"), **called("arn:aws:iam::111122223333:role/a")}, "http", "one of the two"),
        ("aws", called("*"), "http.callers[0]", "everybody"),
        ("aws", called("arn:aws:iam::111122223333:root"), "http.callers[0]", "everybody"),
        ("gcp", called("allUsers"), "http.callers[0]", "everybody"),
        ("gcp", called("allAuthenticatedUsers"), "http.callers[0]", "everybody"),
        ("gcp", called("domain:acme.example"), "http.callers[0]", "one principal"),
        ("aws", {"http": {"callers": []}}, "http.callers", "1 to 20"),
        ("aws", {"http": {"callers": ["arn:aws:iam::111122223333:role/a"], "from_internet": True}},
         "http.from_internet", "AWS does not support"),
        ("aws", {"traffic": {"7": 90, "latest": 20}}, "traffic", "got 110 percent"),
        ("aws", {"traffic": {"7": 50, "8": 30, "latest": 20}}, "traffic", "at most 2"),
        ("aws", {"traffic": {"7": 100, "latest": 0}}, "traffic.latest", "1 to 100"),
        ("aws", {"traffic": {"blue": 100}}, "traffic.blue", "number of a version"),
        ("aws", {"role": "ingest"}, "role", "arn"),
        ("gcp", {"role": "group:a@acme.example"}, "role", "serviceAccount:EMAIL"),
        ("aws", {"kms_key": KEYS["gcp"]}, "kms_key", "a key's arn"),
        ("aws", {"log_days": 8}, "log_days", "7 is the nearest"),
        ("gcp", {"log_bucket": BUCKET, "log_days": 30}, "log_days", "expected one of the two"),
        ("gcp", {"log_bucket": "functions"}, "log_bucket", "projects/PROJECT/locations/LOCATION/buckets/"),
        ("gcp", {"log_bucket": f"logging.googleapis.com/{BUCKET}"}, "log_bucket", "a log bucket"),
        ("aws", {"log_bucket": BUCKET}, "log_bucket", "AWS does not support"),
        ("aws", {"alarm_targets": [TARGETS["gcp"]]}, "alarm_targets[0]", "topic of SNS"),
    ],
)  # fmt: skip
def test_a_wrong_argument_names_its_key(cloud: str, more: dict[str, Any], path: str, reason: str) -> None:
    problems = refused(cloud, more)
    assert path in problems, f"got {problems}"
    assert reason in problems[path]


def test_variable_that_wraps_the_runtime_is_the_users() -> None:
    environment = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/instrument"}
    assert read(FunctionSettings, arguments("aws", environment=environment), "Args")


def test_a_function_may_write_next_to_what_it_reads() -> None:
    assert read(FunctionSettings, arguments("aws", **ingest("aws")), "Args")


def _local(tmp_path: Path, name: str, handler: str = "app.handle") -> dict[str, str]:
    package = {"path": str(tmp_path / name), "runtime": "python3.13", "handler": handler}
    return refused("aws", {"image": None, "package": package})


def test_a_package_that_is_missing_or_no_archive_is_refused(tmp_path: Path) -> None:
    assert "that exists" in _local(tmp_path, "none.zip")["package.path"]
    (tmp_path / "a.zip").write_text("text")
    assert "a zip file or a folder" in _local(tmp_path, "a.zip")["package.path"]


def test_a_package_beyond_the_limits_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "app.py").write_text("")
    with (folder / "model.bin").open("wb") as file:
        file.truncate(limits.UNZIPPED_BYTES + 1)
    assert "build an image" in _local(tmp_path, "code")["package.path"]
    with zipfile.ZipFile(tmp_path / "big.zip", "w") as archive:
        archive.writestr("app.py", "")
        archive.writestr("model.bin", os.urandom(limits.ZIP_BYTES))
    assert "an object in S3" in _local(tmp_path, "big.zip")["package.path"]


def test_a_handler_that_is_not_in_the_package_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    (folder / "ingest").mkdir(parents=True)
    (folder / "ingest" / "__init__.py").write_text("")
    problems = _local(tmp_path, "code", "ingest.handler.handle")
    assert "none is ingest/handler.py" in problems["package.handler"]
