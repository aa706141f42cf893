"""`aiplatform preflight` on the twin of each cloud: an account that has all, and one that lacks something."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.end_to_end.harness import Twin
from tests.end_to_end.reduced import KUBERNETES_LAYER

pytestmark = pytest.mark.end_to_end

STREAMING: Final = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
Entry = Mapping[str, Any]


@pytest.fixture(scope="module", params=["aws-dev", "gcp-dev"])
def twin(home: Path, request: pytest.FixtureRequest) -> Iterator[Twin]:
    """The twin of an environment that is not deployed."""
    with Twin(
        request.param, home, STREAMING, without=KUBERNETES_LAYER, checkpoints=False
    ).started() as started:
        if started.instance.cloud == "gcp":
            services: Any = started.google("serviceusage", "v1").services()
            for api in ("compute", "container", "storage"):
                name = f"projects/{started.instance.account}/services/{api}.googleapis.com"
                services.enable(name=name, body={}).execute()
        yield started


@pytest.fixture(scope="module")
def saved(twin: Twin, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The option that names a saved preview: reading the account takes a second, a preview fifteen."""
    file = tmp_path_factory.mktemp("preview") / "preview.jsonl"
    file.write_text(twin.cli("preview", twin.environment, "--json").stdout)
    return "--preview", str(file)


def preflight(twin: Twin, *options: str) -> tuple[int, list[Entry]]:
    """Return exit code and results."""
    done = twin.cli("preflight", twin.environment, "--json", *options, check=False)
    assert done.returncode in (0, 2, 3), done.stderr
    document = json.loads(done.stdout)
    assert document["exit_code"] == done.returncode
    assert document["target"] == "twin"
    return done.returncode, document["results"]


def problems(results: list[Entry]) -> dict[str, Entry]:
    """Return check -> its one problem."""
    entries = [entry for entry in results if entry["state"] == "problem"]
    assert len({entry["check"] for entry in entries}) == len(entries), entries
    return {entry["check"]: entry for entry in entries}


def test_new_account_has_what_the_environment_needs(twin: Twin) -> None:
    code, results = preflight(twin)
    assert code == 0, problems(results)
    passed = {entry["check"] for entry in results if entry["state"] == "ok"}
    assert {"credentials", "quotas", "zones", "reservations", "Kubernetes version", "names"} <= passed
    unchecked = [entry for entry in results if entry["state"] == "not checked"]
    assert all(entry["reason"] for entry in unchecked)
    assert {entry["check"] for entry in unchecked} <= {"quotas", "images and charts"}
    assert twin.inventory() == {}, "it creates nothing"


def test_quota_below_the_maximum_and_below_the_minimum_is_a_problem_with_its_command(
    twin: Twin, saved: tuple[str, str]
) -> None:
    quota, command = {
        "aws": ("L-1216C47A", "request-service-quota-increase --service-code ec2 --quota-code L-1216C47A"),
        "gcp": ("CPUS", "gcloud quotas preferences create --service=compute.googleapis.com"),
    }[twin.instance.cloud]
    name = ("--name", twin.environment)
    try:
        twin.cli("twin", "fault", "quota", quota, "6", *name)
        code, results = preflight(twin, *saved)
        problem = problems(results)["quotas"]
        assert code == 3
        assert problem["blocks"] is False
        assert "limit 6" in problem["reason"]
        assert "needed at maximum" in problem["reason"]
        assert command in problem["repair"]
        twin.cli("twin", "fault", "clear", "quota", *name)
        twin.cli("twin", "fault", "quota", quota, "3", *name)
        # On AWS the program itself refuses it, and nothing is registered.
        code, results = preflight(twin, *(saved if twin.instance.cloud == "gcp" else ()))
        assert code == 2
        check = {"aws": "program", "gcp": "quotas"}[twin.instance.cloud]
        reason = problems(results)[check]["reason"] + problems(results)[check]["repair"]
        assert command in reason
    finally:
        twin.cli("twin", "fault", "clear", "quota", *name)


def test_zone_without_the_machine_type_is_a_problem(twin: Twin, tmp_path: Path) -> None:
    zones, machine, missing = {
        "aws": (["usw2-az1", "usw2-az4"], "m5n.large", "usw2-az4"),
        "gcp": (["us-central1-a", "us-central1-f"], "c3-standard-4-lssd", "us-central1-f"),
    }[twin.instance.cloud]
    saved = tmp_path / "preview.jsonl"
    saved.write_text(_preview(twin, zones, machine))
    code, results = preflight(twin, "--preview", str(saved))
    problem = problems(results)["zones"]
    assert "system" in problem["subject"]
    assert f"{machine}: not offered in {missing}" in problem["reason"]
    assert machine in problem["repair"]
    # Nodes of EKS start in the other zone; GKE refuses the pool.
    assert code == {"aws": 3, "gcp": 2}[twin.instance.cloud]


def _preview(twin: Twin, zones: list[str], machine: str) -> str:
    """Return the stream of a preview with system nodes of a machine type in these zones."""
    change: dict[str, Any] = {"network/zone_ids": zones}
    if twin.instance.cloud == "aws":
        change["cluster/system_nodes/instance_types"] = [machine]
        return twin.changed("preview", "--json", change=change).stdout
    # The program itself refuses such a type: this is the preview of one that does not.
    return twin.changed("preview", "--json", change=change).stdout.replace('"e2-standard-2"', f'"{machine}"')


def test_bucket_that_exists_is_a_problem_with_its_command(twin: Twin, saved: tuple[str, str]) -> None:
    account = twin.instance.account
    bucket = f"acme-dev-raw-{account}"
    if twin.instance.cloud == "aws":
        s3 = twin.aws("s3")
        s3.create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": twin.instance.region}
        )
    else:
        storage: Any = twin.google("storage", "v1").buckets()
        storage.insert(project=account, body={"name": bucket, "location": "US-CENTRAL1"}).execute()
    code, results = preflight(twin, *saved)
    problem = problems(results)["names"]
    assert code == 2
    assert problem["subject"] == bucket
    expected = {"aws": f"aws s3 rb s3://{bucket}", "gcp": f"gcloud storage rm --recursive gs://{bucket}"}
    assert problem["repair"].startswith(expected[twin.instance.cloud])
    table = twin.cli("preflight", twin.environment, *saved, check=False)
    assert table.returncode == 2
    assert expected[twin.instance.cloud] in table.stdout
