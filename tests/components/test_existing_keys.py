"""Every component that makes a key takes one that exists instead, and creates none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.addons import Addons
from aiplatform.addons.catalog import catalog
from aiplatform.cluster import Cluster
from aiplatform.container_registry import ContainerRegistry
from aiplatform.network import Network
from aiplatform.observability import Observability
from aiplatform.runner import Runner
from tests.components.aiplatform.cluster import gke
from tests.components.aiplatform.continuous_training.example import training
from tests.components.aiplatform.cost.example import controlled
from tests.components.aiplatform.feature_store import example as features
from tests.components.aiplatform.function.example import deployed
from tests.components.aiplatform.lakehouse import example as on_aws
from tests.components.aiplatform.lakehouse import google
from tests.components.aiplatform.log_bucket.example import shared_logs
from tests.components.aiplatform.model_monitor.example import monitoring
from tests.components.aiplatform.model_registry import example as models
from tests.components.aiplatform.model_store import example as stores
from tests.components.aiplatform.pipelines.example import pipelines
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER, NETWORK
from tests.components.aiplatform.workflow.example import recorded as workflow
from tests.components.cloud_answers import PROJECT
from tests.components.recording import ACCOUNT, REGION, Recording, record

ARN: Final = f"arn:aws:kms:{REGION}:999988887777:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
"""A key of another account, as a security team's."""
IN_PARIS: Final = f"arn:aws:kms:eu-west-3:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
KEY_TYPES: Final = (
    "aws:kms/key:Key",
    "aws:kms/alias:Alias",
    "gcp:kms/cryptoKey:CryptoKey",
    "gcp:kms/keyRing:KeyRing",
)
GRANT: Final = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
EKS_NETWORK: Final = {
    **NETWORK,
    "private_subnet_ids": ["subnet-p1", "subnet-p2"],
    "intra_subnet_ids": ["subnet-i1", "subnet-i2"],
}


def crypto_key(region: str) -> str:
    return f"projects/acme-security/locations/{region}/keyRings/platform/cryptoKeys/data"


def _of(component: Any, **common: Any) -> Callable[..., Recording]:
    return lambda **more: record(lambda: component("it", {**common, **more}))


def _observability(cluster: Any) -> Callable[..., Recording]:
    addons = {name: catalog()[name].version for name in ("cert-manager", "external-secrets")}
    build = _of(Observability, prefix="acme-dev", cluster=cluster, addons=addons)
    return lambda **logs: build(logs=logs)


AWS: Final[Mapping[str, Callable[..., Recording]]] = {
    "network": _of(Network, prefix="acme-dev", cidr="10.16.0.0/16"),
    "cluster": lambda **keys: _of(Cluster, prefix="acme-dev", version="1.35", network=EKS_NETWORK)(
        **keys, volumes_kms_key=keys["kms_key"]
    ),
    "runner": _of(
        Runner,
        prefix="acme-dev",
        network=EKS_NETWORK,
        deployer_role_arn=f"arn:aws:iam::{ACCOUNT}:role/deployer",
        repository="https://github.com/acme/platform",
    ),
    "addons": lambda **keys: _of(Addons, prefix="acme-dev", cluster={**CLUSTER, "vpc_id": "vpc-1"})(
        options={"karpenter": {"enabled": True}}, interruptions_kms_key=keys["kms_key"]
    ),
    "container_registry": _of(
        ContainerRegistry, prefix="acme-dev", repositories=["training"], caches=[{"upstream": "quay.io"}]
    ),
    "lakehouse": on_aws.lakehouse,
    "feature_store": features.aws,
    "model_registry": models.registry,
    "model_store": stores.store,
    "observability": _observability(CLUSTER),
    "cost": lambda **keys: controlled("aws", **keys),
    "continuous_training": lambda **keys: training("aws", **keys),
    "function": lambda **keys: deployed("aws", **keys),
    "model_monitor": lambda **keys: monitoring("aws", **keys),
    "pipelines": lambda **keys: pipelines("aws", **keys),
    "workflow": lambda **keys: workflow("aws", **keys),
}
GOOGLE: Final[Mapping[str, tuple[str, Callable[..., Recording]]]] = {
    "network": (
        "europe-west4",
        _of(
            Network,
            prefix="acme-dev",
            cidr="10.16.0.0/16",
            cloud="gcp",
            gcp={"project": PROJECT, "region": "europe-west4"},
        ),
    ),
    "cluster": ("europe-west4", lambda **keys: gke.cluster(**keys, volumes_kms_key=keys["kms_key"])),
    "container_registry": (
        "europe-west4",
        _of(
            ContainerRegistry,
            prefix="acme-dev",
            cloud="gcp",
            project=PROJECT,
            region="europe-west4",
            repositories=["training"],
        ),
    ),
    "lakehouse": ("europe-west4", google.lakehouse),
    "feature_store": (GOOGLE_CLUSTER["region"], features.google),
    "model_registry": (GOOGLE_CLUSTER["region"], models.on_google),
    "model_store": (GOOGLE_CLUSTER["region"], stores.on_google),
    "observability": (
        GOOGLE_CLUSTER["region"],
        _observability({**GOOGLE_CLUSTER, "workload_pool": f"{PROJECT}.svc.id.goog"}),
    ),
    "cost": ("us-central1", lambda **keys: controlled("gcp", **keys)),
    "continuous_training": ("us-central1", lambda **keys: training("gcp", **keys)),
    "function": ("us-central1", lambda **keys: deployed("gcp", **keys)),
    "model_monitor": ("us-central1", lambda **keys: monitoring("gcp", **keys)),
    "pipelines": ("us-central1", lambda **keys: pipelines("gcp", **keys)),
    "log_bucket": ("us-central1", lambda **keys: shared_logs(**keys)),
    "workflow": ("europe-west4", lambda **keys: workflow("gcp", **keys)),
}


def created_keys(recording: Recording) -> list[str]:
    return [name for name in recording.names() if name.split()[0] in KEY_TYPES]


def texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for entry in cast("Mapping[str, object]", value).values():
            yield from texts(entry)
    elif isinstance(value, list):
        for entry in cast("list[object]", value):
            yield from texts(entry)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("component", AWS)
def test_a_key_of_aws_is_used_and_none_is_created(component: str):
    recording = AWS[component](kms_key=ARN)
    assert created_keys(recording) == []
    users = [r.name for r in recording.resources if r.custom and ARN in list(texts(r.inputs))]
    assert users, "the key encrypts something"


@pytest.mark.parametrize("component", GOOGLE)
def test_a_key_of_google_cloud_is_used_and_granted_for_good(component: str):
    region, build = GOOGLE[component]
    key = crypto_key(region)
    recording = build(kms_key=key)
    assert created_keys(recording) == []
    grants = recording.all(GRANT)
    assert grants, "service agents encrypt by the key"
    for grant in grants:
        assert grant.inputs["cryptoKeyId"] == key
        assert grant.inputs["role"] == "roles/cloudkms.cryptoKeyEncrypterDecrypter"
        assert grant.retain_on_delete, "other components of the project may use the key by the same grant"
    users = [r.name for r in recording.resources if r.type != GRANT and key in list(texts(r.inputs))]
    assert users, "the key encrypts something"


def _waits_for(recording: Recording, urn: str) -> set[str]:
    """Return all that a resource waits for, directly or through others."""
    resource = recording[urn]
    return {other.urn for other in recording.resources if recording.depends(resource, other)}


@pytest.mark.parametrize("component", GOOGLE)
def test_a_key_whose_owner_grants_its_use_gets_no_grant(component: str):
    region, build = GOOGLE[component]
    granting = build(kms_key=crypto_key(region))
    granted = build(kms_key=crypto_key(region), kms_key_grants=False)
    assert granted.all(GRANT) == []
    assert granted.names() == [name for name in granting.names() if not name.startswith(GRANT)], (
        "everything else is created"
    )


@pytest.mark.parametrize("component", GOOGLE)
def test_without_grants_all_else_is_created_in_the_same_order(component: str):
    region, build = GOOGLE[component]
    granting = build(kms_key=crypto_key(region))
    granted = build(kms_key=crypto_key(region), kms_key_grants=False)
    # The grants of a component have the names of other resources.
    grants = {grant.urn for grant in granting.all(GRANT)}
    for resource in granting.resources:
        if resource.urn not in grants:
            assert _waits_for(granted, resource.urn) == _waits_for(granting, resource.urn) - grants, (
                f"{resource.type} {resource.name}: service agents and APIs exist before they are used"
            )


@pytest.mark.parametrize("component", GOOGLE)
def test_grants_by_the_owner_of_no_key_are_refused(component: str):
    with pytest.raises(ArgumentError, match="kms_key_grants: got false, without effect"):
        GOOGLE[component][1](kms_key=None, kms_key_grants=False)


@pytest.mark.parametrize("component", sorted(set(AWS) & set(GOOGLE)))
def test_grants_by_the_owner_of_a_key_of_aws_are_refused(component: str):
    with pytest.raises(ArgumentError, match="kms_key_grants: got False, which AWS does not support"):
        AWS[component](kms_key=ARN, kms_key_grants=False)


@pytest.mark.parametrize("component", AWS)
def test_a_key_of_another_region_of_aws_is_refused(component: str):
    with pytest.raises(ArgumentError, match=r"a key in eu-west-3; expected one in eu-central-1"):
        AWS[component](kms_key=IN_PARIS)


@pytest.mark.parametrize("component", GOOGLE)
def test_a_key_of_another_region_of_google_cloud_is_refused(component: str):
    region, build = GOOGLE[component]
    with pytest.raises(ArgumentError, match=rf"a key in europe-north1; expected one in {region}"):
        build(kms_key=crypto_key("europe-north1"))


@pytest.mark.parametrize("component", AWS)
@pytest.mark.parametrize(
    "wrong", ["alias/platform", crypto_key("europe-west4"), ARN.replace("key/", "alias/")]
)
def test_what_is_no_arn_of_a_key_is_refused_on_aws(component: str, wrong: str):
    with pytest.raises(ArgumentError, match=r"kms_key: got .*; expected a key's arn"):
        AWS[component](kms_key=wrong)


@pytest.mark.parametrize("component", GOOGLE)
@pytest.mark.parametrize(
    "version", [ARN, "platform/data", f"{crypto_key('europe-west4')}/cryptoKeyVersions/1"]
)
def test_what_is_no_name_of_a_key_is_refused_on_google_cloud(component: str, version: str):
    with pytest.raises(ArgumentError, match=r"kms_key: got .*; expected a key, projects/PROJECT/locations"):
        GOOGLE[component][1](kms_key=version)


def test_a_role_may_use_a_key_that_exists():
    policy = AWS["cluster"](kms_key=ARN).one("aws:iam/rolePolicy:RolePolicy", "it-role-secrets")
    (statement,) = json.loads(policy.inputs["policy"])["Statement"]
    assert statement["Resource"] == ARN, "EKS encrypts secrets by the cluster's role"


def test_a_key_of_flow_logs_without_flow_logs_is_refused():
    with pytest.raises(ArgumentError, match="kms_key: got one without flow logs"):
        _of(Network, prefix="acme-dev", cidr="10.16.0.0/16")(kms_key=ARN, flow_log_retention_days=0)


def test_a_key_of_interruptions_without_karpenter_is_refused():
    with pytest.raises(ArgumentError, match="interruptions_kms_key: got one without Karpenter"):
        _of(Addons, prefix="acme-dev", cluster={**CLUSTER, "vpc_id": "vpc-1"})(interruptions_kms_key=ARN)


def test_only_the_key_of_volumes_may_exist():
    recording = gke.cluster(volumes_kms_key=crypto_key("europe-west4"))
    assert [name.split()[1] for name in created_keys(recording)] == [
        "cluster-key",
        "cluster-logs-key",
        "cluster-keys",
    ]


def test_final_snapshots_differ_with_a_key_that_exists():
    database = models.registry(kms_key=ARN).one("aws:rds/instance:Instance")
    name = database.inputs["finalSnapshotIdentifier"]
    assert ARN.rpartition("/")[2][:8] not in name, "RDS refuses the name of a snapshot that exists"
