"""gcp-dev from its first `up` to `destroy`, checked by the clients of Google Cloud and Kubernetes.

The tests of this module share one twin and run in the order in which they are written.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kubernetes
import pytest
from googleapiclient.errors import HttpError

from aiplatform import placement
from tests.end_to_end import gcp_lake, gke_pods
from tests.end_to_end.harness import GUARDED, PRIVATE_KEY, Twin, gpu_pod, phase, steps
from tests.end_to_end.policy_report import assert_no_violation, policy_report
from tests.end_to_end.reduced import KUBERNETES_LAYER
from tests.policies.profile_differences import DEV, GOOGLE, STAGING
from twin.tests.waiting import eventually

pytestmark = pytest.mark.end_to_end

PROJECT = "acme-ml-dev"
REGION = "us-central1"
GPU = "nvidia.com/gpu"


@pytest.fixture(scope="module")
def dev(home: Path) -> Iterator[Twin]:
    """The twin of gcp-dev, before its first `up`."""
    twin = Twin("gcp-dev", home, without=KUBERNETES_LAYER)
    yield twin
    twin.remove()


@pytest.fixture(scope="module")
def up(dev: Twin) -> Twin:
    """The twin of gcp-dev, deployed."""
    done = dev.up(*GUARDED)
    assert "No cloud account was touched" in done.stdout, "a reader must know at once that this cost nothing"
    return dev


def _cluster(twin: Twin) -> dict[str, Any]:
    clusters = twin.google("container", "v1").projects().locations().clusters()
    [cluster] = clusters.list(parent=f"projects/{PROJECT}/locations/-").execute()["clusters"]
    return cluster


def _gpu_nodes(core: Any) -> list[Any]:
    return core.list_node(label_selector="ai-platform/pool=t4").items


@pytest.mark.nightly
def test_environment_has_no_violation_before_it_exists(dev: Twin, tmp_path: Path) -> None:
    assert_no_violation(dev, tmp_path)


def test_network_has_the_declared_subnets_and_ranges(up: Twin) -> None:
    compute = up.google("compute", "v1")
    [network] = [
        network
        for network in compute.networks().list(project=PROJECT).execute()["items"]
        if network["name"].startswith("acme-dev")
    ]
    assert not network["autoCreateSubnetworks"], "a custom-mode network: no subnet in every region"
    [subnet] = [
        subnet
        for subnet in compute.subnetworks().list(project=PROJECT, region=REGION).execute()["items"]
        if subnet["network"] == network["selfLink"] and subnet.get("secondaryIpRanges")
    ]
    assert subnet["privateIpGoogleAccess"], "nodes without a public address reach Google's APIs"
    assert len(subnet["secondaryIpRanges"]) == 2, "pods and services have separate ranges"
    [router] = compute.routers().list(project=PROJECT, region=REGION).execute()["items"]
    assert len(router["nats"]) == 1, "private nodes reach the internet by NAT"


def test_cluster_is_private_and_encrypted(up: Twin) -> None:
    cluster = _cluster(up)
    assert cluster["status"] == "RUNNING"
    assert cluster["name"] == "acme-dev-cluster"
    assert cluster["databaseEncryption"]["state"] in ("ENCRYPTED", "CURRENT_STATE_ENCRYPTED"), cluster
    assert cluster["networkConfig"]["datapathProvider"] == "ADVANCED_DATAPATH", "Dataplane V2"
    assert cluster["workloadIdentityConfig"]["workloadPool"] == f"{PROJECT}.svc.id.goog"
    assert cluster["resourceLabels"]["owner"] == "ml-platform", "every resource has its owner as a label"
    assert cluster["resourceLabels"]["cost-center"] == "ml-platform", (
        "every resource has its cost center as a label"
    )
    for pool in cluster["nodePools"]:
        account = pool["config"]["serviceAccount"]
        assert account.split("@")[0] != "default", "nodes have a dedicated account"
        assert "compute@developer" not in account, (
            "not the project's default account, which has too many permissions"
        )
        assert pool["networkConfig"]["enablePrivateNodes"], "no node has a public address"


def test_every_node_is_ready(up: Twin) -> None:
    nodes = up.core().list_node().items
    assert nodes, "the system nodes of dev"
    for node in nodes:
        ready = {condition.type: condition.status for condition in node.status.conditions}
        assert ready["Ready"] == "True", f"{node.metadata.name} is not Ready"
        assert node.spec.provider_id.startswith(f"gce://{PROJECT}/"), "a node is an instance"
        assert "cloud.google.com/gke-nodepool" in node.metadata.labels


def test_a_gpu_pod_scales_its_pool_up_from_zero_and_runs(up: Twin) -> None:
    core = up.core()
    assert not _gpu_nodes(core), "dev has no GPU node before a Pod requests one"
    there = placement.of(up.outputs()["foundation"]["gpu_pools"]["t4"])
    pod = gpu_pod("training")
    core.create_namespaced_pod("default", {**pod, "spec": there.pod(pod["spec"])})
    eventually("the GPU Pod runs", lambda: phase(core, "training") == "Running", 60)
    [node] = _gpu_nodes(core)
    assert node.status.allocatable[GPU] == "1", "GKE installed driver and device plugin"
    assert node.metadata.labels["cloud.google.com/gke-spot"] == "true", (
        "spot is the first capacity in the file"
    )
    assert node.metadata.labels["cloud.google.com/gke-accelerator"] == "nvidia-tesla-t4"
    zone, name = node.spec.provider_id.rsplit("/", 2)[1:]
    instances = up.google("compute", "v1").instances()
    instance = instances.get(project=PROJECT, zone=zone, instance=name).execute()
    assert instance["machineType"].rsplit("/", 1)[1].startswith("n1-standard"), (
        "a T4 is attached to an N1 machine"
    )


def test_a_principal_without_a_role_in_the_project_is_refused(up: Twin) -> None:
    configuration = kubernetes.client.Configuration.get_default_copy()
    known = up.kubernetes().configuration
    configuration.host, configuration.ssl_ca_cert = known.host, known.ssl_ca_cert
    configuration.api_key = {"authorization": "Bearer ya29.stranger"}
    stranger = kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(configuration))
    with pytest.raises(kubernetes.client.ApiException) as refused:
        stranger.list_node()
    assert refused.value.status == 401, "the token authenticates no principal"


@pytest.fixture
def who(up: Twin) -> Iterator[dict[str, str]]:
    """The accounts of the file's workload identities, and of a team that the file does not name."""
    accounts = up.google("iam", "v1").projects().serviceAccounts()
    rival = accounts.create(name=f"projects/{PROJECT}", body={"accountId": "rival-team"}).execute()
    identities = up.outputs()["foundation"]["workload_identities"]
    yield {"rival": "rival-team"} | {
        name: gke_pods.account(up, identity) for name, identity in identities.items()
    }
    accounts.delete(name=rival["name"]).execute()


def _refused(call: Callable[[], Any]) -> None:
    with pytest.raises(HttpError) as refused:
        call()
    assert refused.value.status_code == 403, refused.value


def test_pods_write_and_query_the_lakehouse_with_the_grants_of_the_file(
    up: Twin, who: dict[str, str]
) -> None:
    lake = up.outputs()["data"]["lakehouse"]
    names = {table["name"]: f"{table['database']}.{table['name']}" for table in lake["tables"]}
    trips, stats = (f"`{PROJECT}.{lake['catalog_id']}.{names[table]}`" for table in ("trips", "driver_stats"))

    def by_iceberg(table: str, *asks: dict[str, Any]) -> list[dict[str, Any]]:
        return gcp_lake.iceberg(up.instance, lake, names[table], *asks)

    def ask(name: str, columns: str, table: str) -> list[list[Any]]:
        text = f"SELECT {columns} FROM {table}"  # noqa: S608 - of constants and outputs
        return gcp_lake.query(up.instance, who[name], text, REGION)

    at = "2026-11-01T09:00:00+00:00"
    trip = {"trip_id": 7, "driver_id": 1, "picked_up_at": at, "rider_email": "rider@x.example"}
    stat = {"driver_id": 1, "event_timestamp": at, "conversion_rate": 0.5, "trips_today": 3}
    written, *others = by_iceberg(
        "trips",
        {"who": who["pipelines"], "do": "append", "rows": [trip]},
        *(
            {"who": account, "do": "append", "rows": [trip]}
            for name, account in who.items()
            if name != "pipelines"
        ),
    )
    assert written == {"rows": 1}, "pipelines are in `writers`"
    assert all("Forbidden" in answer["refused"] for answer in others), others
    stat_written, *read, written_by_features, rival = by_iceberg(
        "driver_stats",
        {"who": who["pipelines"], "do": "append", "rows": [stat]},
        *({"who": who[name], "do": "read", "column": "trips_today"} for name in ("analysts", "features")),
        {"who": who["features"], "do": "append", "rows": [stat]},
        {"who": who["rival"], "do": "read", "column": "trips_today"},
    )
    assert (stat_written, read) == ({"rows": 1}, [{"values": [3]}] * 2), (
        "the table has no pii: both read every column"
    )
    assert "refused" in written_by_features, "a grant to read"
    assert "Forbidden" in rival["refused"]

    assert ask("pipelines", "trip_id, rider_email", trips) == [["7", "rider@x.example"]]
    assert ask("analysts", "trip_id, rider_email", trips) == [["7", None]], "all but what is pii"
    for name in ("analysts", "features"):
        assert ask(name, "trips_today", stats) == [["3"]], name
    for name, table in (("features", trips), ("rival", trips), ("rival", stats)):
        _refused(lambda name=name, table=table: ask(name, "driver_id", table))


# test_pii_gcp.py has a batch that writes a table in every run.
@pytest.mark.nightly
def test_a_batch_of_the_file_writes_a_table(up: Twin) -> None:
    buckets = gcp_lake.client(up.instance, "storage").buckets()
    buckets.insert(project=PROJECT, body={"name": "acme-dev-scripts", "location": REGION}).execute()
    batch = {"name": "load", "script": "gs://acme-dev-scripts/load.py"}
    now = ("up", "--yes", "--skip-preview", "--refresh")
    up.changed(*now, change={"lakehouse/batches": [batch]})
    lake = up.outputs()["data"]["lakehouse"]
    trip = {"trip_id": 8, "picked_up_at": "2026-11-02T09:00:00+00:00"}
    asks = {"who": "acme-dev-lake-batch", "do": "append", "rows": [trip]}
    [answer] = gcp_lake.iceberg(up.instance, lake, "acme_dev_curated.trips", asks)
    assert answer["rows"] > 0, answer
    up.changed(*now, change={})
    [after] = gcp_lake.iceberg(up.instance, lake, "acme_dev_curated.trips", asks)
    assert "refused" in after, "a batch that is no longer declared has no account"
    buckets.delete(bucket="acme-dev-scripts").execute()


def test_pods_use_features_models_and_images_with_the_grants_of_the_file(
    up: Twin, who: dict[str, str]
) -> None:
    outputs = up.outputs()
    store, models = outputs["data"]["feature_store"], outputs["models"]
    bucket, server = store["registry_bucket"], store["server_principal"].partition(":")[2].partition("@")[0]

    def read(name: str) -> Any:
        objects = gcp_lake.client(up.instance, "storage", "v1", name).objects()
        return objects.get(bucket=bucket, object="registry/registry.db").execute()

    gcp_lake.put(up.instance, who["features"], bucket, "registry/registry.db")
    for name in (who["features"], server):
        assert read(name)["name"] == "registry/registry.db"
    for name in (server, who["pipelines"], who["analysts"], who["rival"]):
        _refused(lambda name=name: gcp_lake.put(up.instance, name, bucket, "registry/registry.db"))
    for name in (who["pipelines"], who["analysts"], who["rival"]):
        _refused(lambda name=name: read(name))

    secrets = {entry["account"]: entry["secret"] for entry in models["model_registry"]["secrets"]}
    value = {"payload": {"data": base64.b64encode(b"a password").decode()}}

    def versions(name: str) -> Any:
        return gcp_lake.client(up.instance, "secretmanager", "v1", name).projects().secrets()

    for secret in secrets.values():
        versions("acme-dev-wi-mlflow-setup").addVersion(parent=secret, body=value).execute()
    for account, secret in secrets.items():
        for name, principal in who.items():
            request = versions(principal).versions().access(name=f"{secret}/versions/latest")
            if (account, name) == ("pipelines", "pipelines"):
                data = request.execute()["payload"]["data"]
                assert data == value["payload"]["data"], "it signs in to the model registry"
            else:
                _refused(request.execute)

    push = {"permissions": ["artifactregistry.repositories.uploadArtifacts"]}
    for repository in models["container_registry"]["repositories"]:
        place = f"projects/{PROJECT}/locations/{REGION}/repositories/{repository['url'].rpartition('/')[2]}"
        for name, principal in who.items():
            client = gcp_lake.client(up.instance, "artifactregistry", "v1", principal)
            permission_test = (
                client.projects().locations().repositories().testIamPermissions(resource=place, body=push)
            )
            assert permission_test.execute() == (push if name == "pipelines" else {}), f"{name} {place}"


def test_drift_alone_is_reported_after_a_stop_and_repaired(up: Twin) -> None:
    routers = up.google("compute", "v1").routers()
    [router] = routers.list(project=PROJECT, region=REGION).execute()["items"]
    [nat] = router["nats"]
    changed = {**nat, "minPortsPerVm": 2 * nat["minPortsPerVm"]}
    routers.patch(project=PROJECT, region=REGION, router=router["name"], body={"nats": [changed]}).execute()
    before = up.inventory()
    up.cli("twin", "stop", "--name", up.environment)
    up.cli("twin", "start", "--name", up.environment)
    assert up.inventory() == before, "every id is unchanged"
    drifted = up.cli("preview", "gcp-dev", "--refresh", "--json").stdout
    changes = {
        step["urn"].rsplit("::", 1)[1]: step["op"]
        for step in steps(drifted)
        if step["op"] not in ("same", "refresh")
    }
    assert set(changes.values()) == {"update"}, changes
    assert len(changes) == 1, "only the router: a stop changes nothing, nor does what Pods wrote"
    up.up("--refresh")
    # The connection of the first client ended with the twin.
    routers = up.google("compute", "v1").routers()
    [router] = routers.list(project=PROJECT, region=REGION).execute()["items"]
    assert router["nats"][0]["minPortsPerVm"] == nat["minPortsPerVm"], "the declared value is restored"


@pytest.mark.nightly
def test_dev_violates_the_policies_of_prod(up: Twin, tmp_path: Path) -> None:
    report = policy_report(up, tmp_path, profile="prod")
    assert report.code == 1, "a mandatory violation fails CI"
    assert "in profile prod (the pack's configuration)" in report.text
    assert report.violated == DEV | STAGING | GOOGLE
    assert report.summary.endswith("update refused"), (
        "all values of an existing environment are known: no policy is deferred to `up`"
    )


def test_state_and_outputs_have_no_secret(up: Twin) -> None:
    state = up.pulumi("stack", "export", "--stack", up.environment).stdout
    credentials = json.loads((up.instance.folder / "credentials.json").read_text())
    for value in credentials.values():
        if len(str(value)) > 20:
            assert str(value) not in state, "the deployer's credentials are not in the state"
    for marker in ("ya29.", "client-key-data"):
        assert marker not in state, f"{marker} must not be in a state file"
    assert not PRIVATE_KEY.search(state), "no key in a state file"


def test_destroy_leaves_nothing(up: Twin) -> None:
    up.core().delete_namespaced_pod("training", "default", grace_period_seconds=0)
    done = up.cli("destroy", up.environment)
    assert "The twin's cloud is empty" in done.stdout, done.stdout[-2000:]
    assert up.inventory() == {}
    with pytest.raises(HttpError, match="404"):
        up.google("container", "v1").projects().locations().clusters().get(
            name=f"projects/{PROJECT}/locations/{REGION}-a/clusters/acme-dev-cluster"
        ).execute()
