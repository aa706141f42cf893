"""Athena: workgroups through the API server, as strict as AWS."""

from __future__ import annotations

from typing import Any

import pytest

from twin.provider_interface import CloudError
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources import lake
from twin.tests.aws.resources.life import make, refused

WORKGROUP = "aws:athena/workgroup:Workgroup"
CUTOFF = 1024**3


def test_a_workgroup_keeps_what_it_is_given_and_changes_in_place(clients: Clients) -> None:
    key = clients("kms").create_key()["KeyMetadata"]["Arn"]
    configuration: dict[str, Any] = {
        "enforceWorkgroupConfiguration": True,
        "bytesScannedCutoffPerQuery": CUTOFF,
        "publishCloudwatchMetricsEnabled": True,
        "engineVersion": {"selectedEngineVersion": "Athena engine version 3"},
        "managedQueryResultsConfiguration": {"enabled": True, "encryptionConfiguration": {"kmsKey": key}},
    }
    context = clients.context()
    workgroup = make(context, WORKGROUP, name="lake", configuration=configuration, tags={"team": "data"})
    assert workgroup.outputs["configuration"] == configuration
    assert workgroup.outputs["arn"].endswith(":workgroup/lake")
    assert clients.server._inventory.of(clients.server)["athena/work_groups"] == ["lake"]
    wanted = {**configuration, "bytesScannedCutoffPerQuery": 2 * CUTOFF}
    changed = workgroup.update(configuration=wanted, state="DISABLED", tags={"team": "ml"})
    assert changed["configuration"]["bytesScannedCutoffPerQuery"] == 2 * CUTOFF
    assert (changed["state"], changed["tags"]) == ("DISABLED", {"team": "ml"})
    del wanted["bytesScannedCutoffPerQuery"]
    workgroup.update(configuration=wanted)
    current = clients("athena").get_work_group(WorkGroup="lake")["WorkGroup"]["Configuration"]
    assert "BytesScannedCutoffPerQuery" not in current, "a limit that is taken away is gone"
    with pytest.raises(CloudError) as caught:
        make(context, WORKGROUP, name="lake")
    assert caught.value.path == "name"
    workgroup.delete()
    assert workgroup.read() is None


def test_a_limit_below_athenas_least_is_refused(clients: Clients) -> None:
    failures = refused(
        clients.context(), WORKGROUP, name="x", configuration={"bytesScannedCutoffPerQuery": 10_000_000}
    )
    assert "10485760" in failures["configuration.bytesScannedCutoffPerQuery"]


@pytest.mark.parametrize(
    "result",
    [
        {"outputLocation": "s3://not-there/results/"},
        {"outputLocation": "athena-results"},
        {"encryptionConfiguration": {"encryptionOption": "SSE_KMS"}},
        {"encryptionConfiguration": {"encryptionOption": "SSE_KMS", "kmsKeyArn": "alias/nothing"}},
    ],
)
def test_results_need_a_bucket_and_a_key_that_are_there(clients: Clients, result: dict[str, Any]) -> None:
    with pytest.raises(CloudError) as caught:
        make(clients.context(), WORKGROUP, name="x", configuration={"resultConfiguration": result})
    assert caught.value.path.startswith("configuration")


def test_a_workgroup_with_queries_is_deleted_by_force_alone(clients: Clients) -> None:
    results = lake.bucket(clients, "athena-results")
    place = {"outputLocation": f"s3://{results.id}/"}
    workgroup = make(clients.context(), WORKGROUP, name="full", configuration={"resultConfiguration": place})
    clients("athena").create_named_query(Name="q", Database="d", QueryString="SELECT 1", WorkGroup="full")
    with pytest.raises(CloudError) as caught:
        workgroup.delete()
    assert caught.value.path == "forceDestroy"
    workgroup.update(forceDestroy=True)
    workgroup.delete()
    assert workgroup.read() is None
