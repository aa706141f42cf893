"""A create that fails after its first call: what is left is known, shown, repaired and destroyed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import pytest

from twin.gcp.api_server.inventory import of
from twin.gcp.api_server.server import ApiServer
from twin.gcp.context import GcpContext, method
from twin.gcp.http_client import Refusal
from twin.gcp.provider import GcpCloud
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.table import table
from twin.provider_interface import Props
from twin.tests.gcp import api_servers
from twin.tests.gcp.api_servers import PROJECT
from twin.tests.gcp.conftest import DATA, SERVICES
from twin.tests.gcp.resources.life import context, make
from twin.tests.interrupted import Calls, Trial

OWN = ("create", "make", "_settled_create", "after_create")
READS_BY_POST = ("getIamPolicy", "generateServiceIdentity")


def several_calls() -> dict[str, str]:
    """An example of each implementation of a create that may write by more than one call, by its name."""
    tokens: dict[str, str] = {}
    for token in sorted(table()):
        tokens.setdefault(_implementation(token), token)
    del tokens[""]
    return tokens


def _implementation(token: str) -> str:
    """What the type's create overrides; empty for an ordinary one."""
    kind = table()[token]
    parts = {name: getattr(type(kind), name) for name in OWN}
    overridden = [part.__qualname__ for name, part in parts.items() if part is not getattr(GcpResource, name)]
    return " ".join([*overridden, *(["labels_after"] if kind.labels_after else [])])


class Place:
    """What the cases name: made once, when a case asks for it."""

    def __init__(self, server: ApiServer) -> None:
        self.server = server
        self.gcp = context(server)
        self._numbers = itertools.count(1)

    @property
    def number(self) -> int:
        """Another one at each attempt."""
        return next(self._numbers)

    @property
    def name(self) -> str:
        """A name that no other attempt has."""
        return f"case-{self.number}"

    @cached_property
    def network(self) -> str:
        return make(self.gcp, "gcp:compute/network:Network", name="net", autoCreateSubnetworks=False).id

    @cached_property
    def router(self) -> str:
        make(self.gcp, "gcp:compute/router:Router", name="router", network=self.network)
        return "router"

    @cached_property
    def peering_range(self) -> str:
        arguments: Props = {"purpose": "VPC_PEERING", "addressType": "INTERNAL", "prefixLength": 16}
        make(
            self.gcp,
            "gcp:compute/globalAddress:GlobalAddress",
            name="range",
            network=self.network,
            **arguments,
        )
        return "range"

    @cached_property
    def zone(self) -> str:
        network = {"networks": [{"networkUrl": self.network}]}
        private = {"dnsName": "acme.example.", "visibility": "private", "privateVisibilityConfig": network}
        make(self.gcp, "gcp:dns/managedZone:ManagedZone", name="zone", **private)
        return "zone"

    @cached_property
    def ring(self) -> str:
        return make(self.gcp, "gcp:kms/keyRing:KeyRing", name="ring", location="us-central1").id

    @cached_property
    def secret(self) -> str:
        return make(self.gcp, "gcp:secretmanager/secret:Secret", secretId="s", replication={"auto": {}}).id

    @cached_property
    def bucket(self) -> str:
        make(self.gcp, "gcp:storage/bucket:Bucket", name="acme-interrupted", location="US")
        return "acme-interrupted"

    @cached_property
    def dataset(self) -> str:
        make(self.gcp, "gcp:bigquery/dataset:Dataset", datasetId="interrupted", location="US")
        return "interrupted"

    @cached_property
    def topic(self) -> str:
        return make(self.gcp, "gcp:pubsub/topic:Topic", name="interrupted").id

    @cached_property
    def account(self) -> str:
        return make(self.gcp, "gcp:serviceaccount/account:Account", accountId="someone").outputs["member"]

    @property
    def deleted_role(self) -> str:
        """The id of a role that was deleted, and keeps its name."""
        name = f"case{self.number}"
        role_body = {"title": "Before", "permissions": ["logging.logEntries.create"]}
        make(self.gcp, "gcp:projects/iAMCustomRole:IAMCustomRole", roleId=name, **role_body).delete()
        return name


def bigtable(name: str) -> Props:
    cluster = {"clusterId": f"{name}-c", "zone": "us-central1-a", "numNodes": 1}
    return {"name": name, "displayName": name, "deletionProtection": False, "clusters": [cluster]}


CASES: dict[str, Callable[[Place], Props]] = {
    "gcp:bigquery/datasetAccess:DatasetAccess": lambda place: {
        "datasetId": place.dataset,
        "role": "READER",
        "userByEmail": place.account.partition(":")[2],
    },
    "gcp:bigtable/instance:Instance": lambda place: bigtable(place.name),
    "gcp:cloudscheduler/job:Job": lambda place: {
        "name": place.name,
        "region": "us-central1",
        "schedule": "0 1 * * *",
        "pubsubTarget": {"topicName": place.topic, "data": "eA=="},
        "paused": True,
    },
    "gcp:compute/address:Address": lambda place: {"name": place.name, "labels": {"a": "b"}},
    "gcp:compute/globalAddress:GlobalAddress": lambda place: {"name": place.name, "labels": {"a": "b"}},
    "gcp:compute/network:Network": lambda place: {
        "name": place.name,
        "autoCreateSubnetworks": False,
        "deleteDefaultRoutesOnCreate": True,
    },
    "gcp:compute/routerNat:RouterNat": lambda place: {
        "name": place.name,
        "router": place.router,
        "natIpAllocateOption": "AUTO_ONLY",
        "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
    },
    "gcp:dns/recordSet:RecordSet": lambda place: {
        "managedZone": place.zone,
        "name": f"{place.name}.acme.example.",
        "type": "A",
        "ttl": 300,
        "rrdatas": ["10.0.0.5"],
    },
    "gcp:kms/cryptoKey:CryptoKey": lambda place: {
        "name": place.name,
        "keyRing": place.ring,
        "rotationPeriod": "7776000s",
    },
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": lambda place: {
        "cryptoKeyId": make(place.gcp, "gcp:kms/cryptoKey:CryptoKey", name=place.name, keyRing=place.ring).id,
        "role": "roles/cloudkms.cryptoKeyEncrypterDecrypter",
        "member": place.account,
    },
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": lambda place: {
        "project": PROJECT,
        "location": "global",
        "bucketId": place.name,
        "retentionDays": 30,
    },
    "gcp:logging/projectExclusion:ProjectExclusion": lambda place: {
        "name": place.name,
        "filter": "severity<ERROR",
    },
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": lambda _: {
        "project": PROJECT,
        "service": "storage.googleapis.com",
        "auditLogConfigs": [{"logType": "DATA_READ"}],
    },
    "gcp:projects/iAMCustomRole:IAMCustomRole": lambda place: {
        "roleId": place.deleted_role,
        "title": "After",
        "permissions": ["monitoring.timeSeries.create"],
    },
    "gcp:secretmanager/secretIamMember:SecretIamMember": lambda place: {
        "secretId": place.secret,
        "role": "roles/secretmanager.secretAccessor",
        "member": place.account,
    },
    "gcp:secretmanager/secretVersion:SecretVersion": lambda place: {
        "secret": place.secret,
        "secretData": "x",
        "enabled": False,
    },
    "gcp:serviceaccount/account:Account": lambda place: {
        "accountId": place.name,
        "displayName": "d",
        "disabled": True,
    },
    "gcp:servicenetworking/connection:Connection": lambda place: {
        "network": place.network,
        "service": "servicenetworking.googleapis.com",
        "reservedPeeringRanges": [place.peering_range],
    },
    "gcp:storage/bucket:Bucket": lambda place: {
        "name": f"acme-{place.name}",
        "location": "US",
        "retentionPolicy": {"isLocked": True, "retentionPeriod": "1"},
    },
    "gcp:storage/bucketObject:BucketObject": lambda place: {
        "bucket": place.bucket,
        "name": place.name,
        "content": "x",
    },
}
ELSEWHERE = {
    "Cluster.make Cluster.after_create": "it needs a control plane: test_interrupted_clusters.py",
    "NodePool.create NodePool.make NodePool.after_create": "it needs nodes: test_interrupted_clusters.py",
    "DataPolicyV2.make": "it puts another body into the one call",
    "ServiceIdentity.create": "there is no method that reads or deletes it",
    "Service.make": "it looks before the one call, and stays enabled",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPLATFORM_HOME", str(tmp_path_factory.mktemp("home")))
        server = api_servers.make()
        api_servers.enable(server, *SERVICES)
        api_servers.enable(server, *DATA)
        yield Place(server)
        server.close()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    def writes(name: str, *_: Any) -> bool:
        return method(name).verb != "GET" and not name.endswith(READS_BY_POST)

    counted = Calls(writes, lambda _: Refusal(500, "Internal error encountered.", status="INTERNAL"))
    for name in ("call", "upload"):
        monkeypatch.setattr(GcpContext, name, counted.patched(getattr(GcpContext, name)))
    return counted


def test_every_create_that_writes_by_several_calls_has_a_case() -> None:
    tokens = several_calls()
    implementations = {_implementation(token) for token in CASES}
    missing = {
        name: token for name, token in tokens.items() if name not in implementations | ELSEWHERE.keys()
    }
    assert not missing, f"add a case with inputs that need all calls for one type of each: {missing}"
    gone = ELSEWHERE.keys() - tokens.keys()
    assert not gone, f"{sorted(gone)} are ordinary creates now"


@pytest.mark.parametrize("token", CASES)
def test_a_create_that_fails_midway_is_repaired_or_destroyed(token: str, place: Place, calls: Calls) -> None:
    Trial(
        cloud=GcpCloud(),
        context=place.gcp,
        calls=calls,
        inventory=lambda: of(place.server),
        token=token,
        inputs=lambda: CASES[token](place),
        chosen=frozenset({"address"}),
    ).run()
