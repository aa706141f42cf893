"""Services, IAM, KMS, DNS, logging, service networking and binary authorization, against an API server."""

from __future__ import annotations

import pytest

from twin.gcp.api_server.server import ApiServer
from twin.gcp.context import GcpContext
from twin.gcp.resources.function import table as functions
from twin.gcp.resources.table import table
from twin.provider_interface import UNKNOWN, CloudError
from twin.tests.gcp.api_servers import PROJECT, client
from twin.tests.gcp.resources.life import context, make, refused

SERVICE = "gcp:projects/service:Service"
IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"
ACCOUNT = "gcp:serviceaccount/account:Account"
ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
MEMBER = "gcp:projects/iAMMember:IAMMember"
ACCOUNT_MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"
KEY_MEMBER = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
RING = "gcp:kms/keyRing:KeyRing"
KEY = "gcp:kms/cryptoKey:CryptoKey"
ZONE = "gcp:dns/managedZone:ManagedZone"
MANAGED_ZONE_MEMBER = "gcp:dns/dnsManagedZoneIamMember:DnsManagedZoneIamMember"
RECORD = "gcp:dns/recordSet:RecordSet"
DNS_POLICY = "gcp:dns/policy:Policy"
CONNECTION = "gcp:servicenetworking/connection:Connection"
BINARY = "gcp:binaryauthorization/policy:Policy"
BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
SINK = "gcp:logging/projectSink:ProjectSink"
EXCLUSION = "gcp:logging/projectExclusion:ProjectExclusion"
NETWORK = "gcp:compute/network:Network"
ROUTE = "gcp:compute/route:Route"


def test_a_service_is_enabled_and_left_enabled_unless_told(server: ApiServer) -> None:
    gcp = context(server)
    with pytest.raises(CloudError, match="has not been used in project"):
        make(gcp, NETWORK, name="net")
    created = make(gcp, SERVICE, service="compute.googleapis.com")
    assert created.id == "acme-ml-dev/compute.googleapis.com"
    created.delete()
    assert created.read() is not None, "by default the API stays enabled"
    given_up = make(gcp, SERVICE, service="dns.googleapis.com", disableOnDestroy=True)
    given_up.delete()
    assert given_up.read() is None
    assert "service" in refused(gcp, SERVICE, service="compute")
    make(gcp, SERVICE, service="container.googleapis.com")
    agent = make(gcp, IDENTITY, service="container.googleapis.com")
    assert agent.outputs["member"].startswith("serviceAccount:service-")
    with pytest.raises(CloudError, match="not supported for service compute"):
        make(gcp, IDENTITY, service="compute.googleapis.com")


def test_a_service_account_lives(gcp: GcpContext) -> None:
    account = make(gcp, ACCOUNT, accountId="gke-nodes", displayName="Nodes")
    email = "gke-nodes@acme-ml-dev.iam.gserviceaccount.com"
    assert account.id == f"projects/acme-ml-dev/serviceAccounts/{email}"
    assert account.outputs["member"] == f"serviceAccount:{email}"
    assert account.outputs["uniqueId"].isdigit()
    assert account.update(displayName="Workers")["displayName"] == "Workers"
    assert account.update(disabled=True)["disabled"] is True
    assert account.replaced_by(accountId="other-nodes") == ["accountId"]
    account.delete()
    assert account.read() is None
    long = "a-name-that-has-more-than-thirty-characters"
    assert "between 6 and 30" in refused(gcp, ACCOUNT, accountId=long)["accountId"]


def test_a_custom_role_lives_and_is_undeleted(gcp: GcpContext) -> None:
    arguments = {"roleId": "nodes", "title": "Nodes", "permissions": ["logging.logEntries.create"]}
    role = make(gcp, ROLE, **arguments)
    assert role.outputs["name"] == "projects/acme-ml-dev/roles/nodes"
    after = role.update(permissions=["monitoring.timeSeries.create", "logging.logEntries.create"])
    assert len(after["permissions"]) == 2
    role.delete()
    assert role.read() is None
    again = make(gcp, ROLE, **arguments)
    assert not again.outputs.get("deleted")
    assert again.outputs["permissions"] == arguments["permissions"]
    assert "roleId" in refused(gcp, ROLE, **{**arguments, "roleId": "my-role"})


@pytest.mark.parametrize("missing", ["serviceusage", "cloudresourcemanager"])
def test_no_service_is_enabled_in_a_project_without_service_usage_or_resource_manager(
    server: ApiServer, missing: str
) -> None:
    services = client(server, "serviceusage").services()
    services.disable(name=f"projects/{PROJECT}/services/{missing}.googleapis.com", body={}).execute()
    title = {"serviceusage": "Service Usage API", "cloudresourcemanager": "Cloud Resource Manager API"}
    words = f"{title[missing]} has not been used in project"
    kind = table()["gcp:projects/service:Service"]
    arguments = {**kind.defaults, "service": "pubsub.googleapis.com"}
    under = context(server).with_intent(f"without-{missing}")
    with pytest.raises(CloudError, match=words):
        kind.create(under, kind.prepared(under, arguments))
    with pytest.raises(CloudError, match=words):
        functions()["gcp:projects/getProjectService:getProjectService"].invoke(
            under, {"service": "serviceusage.googleapis.com"}
        )


def test_members_of_policies_come_and_go_one_by_one(gcp: GcpContext, google: ApiServer) -> None:
    account = make(gcp, ACCOUNT, accountId="gke-nodes")
    member = account.outputs["member"]
    role = "roles/logging.logWriter"
    created = make(gcp, MEMBER, project=PROJECT, role=role, member=member)
    assert created.id == f"{PROJECT}/{role}/{member}"
    other = make(gcp, MEMBER, project=PROJECT, role="roles/monitoring.metricWriter", member=member)
    crm = client(google, "cloudresourcemanager")
    policy = crm.projects().getIamPolicy(resource=PROJECT, body={}).execute()
    assert {"roles/owner", role, "roles/monitoring.metricWriter"} <= {b["role"] for b in policy["bindings"]}
    created.delete()
    assert created.read() is None
    assert other.read() is not None, "another member stays"
    imported = created.kind.read(gcp, f"{PROJECT} roles/monitoring.metricWriter {member}", {})
    assert imported is not None
    assert imported["member"] == member
    on_account = make(
        gcp,
        ACCOUNT_MEMBER,
        serviceAccountId=account.outputs["name"],
        role="roles/iam.serviceAccountUser",
        member=member,
    )
    on_account.delete()
    assert on_account.read() is None
    failures = refused(gcp, MEMBER, project=PROJECT, role="logWriter", member="gke-nodes")
    assert set(failures) == {"role", "member"}
    assert not refused(gcp, MEMBER, project=PROJECT, role=role, member=UNKNOWN)


def test_a_key_lives_and_its_versions_are_destroyed(gcp: GcpContext, google: ApiServer) -> None:
    ring = make(gcp, RING, name="cluster", location="us-central1")
    assert ring.id == "projects/acme-ml-dev/locations/us-central1/keyRings/cluster"
    key = make(gcp, KEY, name="etcd", keyRing=ring.id, rotationPeriod="7776000s", labels={"team": "ml"})
    assert key.outputs["primaries"][0]["state"] == "ENABLED"
    assert key.outputs["effectiveLabels"]["owner"] == "platform"
    assert key.update(rotationPeriod="864000s")["rotationPeriod"] == "864000s"
    assert key.update(labels={"team": "data"})["effectiveLabels"]["team"] == "data"
    granted = make(
        gcp,
        KEY_MEMBER,
        cryptoKeyId=key.id,
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        member=make(gcp, ACCOUNT, accountId="storage").outputs["member"],
    )
    granted.delete()
    key.delete()
    versions = (
        client(google, "cloudkms")
        .projects()
        .locations()
        .keyRings()
        .cryptoKeys()
        .cryptoKeyVersions()
        .list(parent=key.id)
        .execute()["cryptoKeyVersions"]
    )
    assert {version["state"] for version in versions} == {"DESTROY_SCHEDULED"}
    failures = refused(gcp, KEY, name="etcd", keyRing="cluster", rotationPeriod="10s")
    assert set(failures) == {"keyRing", "rotationPeriod"}


def test_zones_records_and_policies_live(gcp: GcpContext) -> None:
    net = make(gcp, NETWORK, name="net", autoCreateSubnetworks=False)
    zone = make(
        gcp,
        ZONE,
        name="internal",
        dnsName="dev.internal.",
        visibility="private",
        privateVisibilityConfig={"networks": [{"networkUrl": net.outputs["selfLink"]}]},
    )
    assert zone.outputs["nameServers"]
    assert zone.update(description="Names of dev")["description"] == "Names of dev"
    record = make(
        gcp,
        RECORD,
        managedZone="internal",
        name="db.dev.internal.",
        type="A",
        ttl=300,
        rrdatas=["10.0.0.5"],
    )
    assert record.id == "projects/acme-ml-dev/managedZones/internal/rrsets/db.dev.internal./A"
    assert record.update(rrdatas=["10.0.0.6"])["rrdatas"] == ["10.0.0.6"]
    record.delete()
    assert record.read() is None
    zone.delete()
    logs = make(gcp, DNS_POLICY, name="logs", enableLogging=True, networks=[{"networkUrl": net.id}])
    assert logs.update(enableLogging=None).get("enableLogging") in (None, False)
    logs.delete()
    net.delete()
    assert "name" in refused(gcp, RECORD, managedZone="z", name="db", type="A", rrdatas=["10.0.0.5"])
    assert "dnsName" in refused(gcp, ZONE, name="z", dnsName="dev.internal")


def test_a_principal_may_change_the_records_of_one_zone(gcp: GcpContext) -> None:
    net = make(gcp, NETWORK, name="net", autoCreateSubnetworks=False)
    networks = {"networks": [{"networkUrl": net.outputs["selfLink"]}]}
    zone = {"name": "internal", "dnsName": "dev.internal.", "visibility": "private"}
    make(gcp, ZONE, **zone, privateVisibilityConfig=networks)
    grant = {"role": "roles/dns.admin", "member": "user:ada@example.com"}
    member = make(gcp, MANAGED_ZONE_MEMBER, managedZone="internal", **grant)
    assert member.outputs["managedZone"] == f"projects/{PROJECT}/managedZones/internal"
    assert member.read() is not None
    member.delete()
    assert member.read() is None
    with pytest.raises(CloudError):
        make(gcp, MANAGED_ZONE_MEMBER, managedZone="absent", **grant)


def test_a_private_connection_lives(gcp: GcpContext) -> None:
    net = make(gcp, NETWORK, name="net", autoCreateSubnetworks=False)
    make(
        gcp,
        "gcp:compute/globalAddress:GlobalAddress",
        name="services",
        purpose="VPC_PEERING",
        addressType="INTERNAL",
        prefixLength=16,
        network=net.id,
    )
    connection = make(
        gcp,
        CONNECTION,
        network=net.id,
        service="servicenetworking.googleapis.com",
        reservedPeeringRanges=["services"],
    )
    assert (
        connection.id == "projects%2Facme-ml-dev%2Fglobal%2Fnetworks%2Fnet:servicenetworking.googleapis.com"
    )
    assert connection.outputs["peering"] == "servicenetworking-googleapis-com"
    assert connection.outputs["network"] == net.id
    connection.delete()
    assert connection.read() is None


def test_a_connection_that_a_service_holds_leaves_the_network_where_it_is_told_to(
    google: ApiServer, gcp: GcpContext
) -> None:
    service = "servicenetworking.googleapis.com"
    ranges = {"purpose": "VPC_PEERING", "addressType": "INTERNAL", "prefixLength": 16}
    net = make(gcp, NETWORK, name="net", autoCreateSubnetworks=False)
    range_ = make(gcp, "gcp:compute/globalAddress:GlobalAddress", name="services", network=net.id, **ranges)
    arguments = {"network": net.id, "service": service, "reservedPeeringRanges": ["services"]}
    connection = make(gcp, CONNECTION, **arguments)
    with google.state.transaction():
        google.state.put(f"file/projects/{PROJECT}/locations/us-central1-a/instances/shared", {"on": net.id})
    with pytest.raises(CloudError, match="Producer services"):
        connection.delete()
    connection.outputs["deletionPolicy"] = "REMOVE_PEERING"
    connection.delete()
    range_.delete()
    net.delete()
    make(gcp, NETWORK, name="net", autoCreateSubnetworks=False)
    make(gcp, "gcp:compute/globalAddress:GlobalAddress", name="services", network=net.id, **ranges)
    with pytest.raises(CloudError, match="Cannot modify allocated ranges"):
        make(gcp, CONNECTION, **arguments)
    again = make(gcp, CONNECTION, **arguments, updateOnCreationFail=True)
    assert again.outputs["peering"] == "servicenetworking-googleapis-com"
    network = client(google, "compute").networks().get(project=PROJECT, network="net").execute()
    assert len(network["peerings"]) == 1


def test_a_route_lives(gcp: GcpContext) -> None:
    net = make(gcp, NETWORK, name="net", autoCreateSubnetworks=False, deleteDefaultRoutesOnCreate=True)
    route = make(
        gcp,
        ROUTE,
        name="google",
        network=net.id,
        destRange="199.36.153.8/30",
        nextHopGateway="default-internet-gateway",
    )
    assert route.replaced_by(destRange="199.36.153.4/30") == ["destRange"]
    route.delete()
    assert "nextHopGateway" in refused(gcp, ROUTE, name="a", network=net.id, destRange="10.0.0.0/8")


def test_the_binary_authorization_policy_is_set_and_reset(gcp: GcpContext) -> None:
    rule = {"evaluationMode": "ALWAYS_DENY", "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG"}
    binary = make(
        gcp,
        BINARY,
        defaultAdmissionRule=rule,
        clusterAdmissionRules=[{"cluster": "us-central1.prod", **rule}],
        admissionWhitelistPatterns=[{"namePattern": "gcr.io/google-containers/*"}],
    )
    assert binary.id == "projects/acme-ml-dev"
    assert binary.outputs["clusterAdmissionRules"] == [{"cluster": "us-central1.prod", **rule}]
    binary.delete()
    after = binary.read()
    assert after is not None
    assert after["defaultAdmissionRule"]["evaluationMode"] == "ALWAYS_ALLOW"


def test_log_buckets_sinks_and_exclusions_live(gcp: GcpContext) -> None:
    bucket = make(gcp, BUCKET, project=PROJECT, location="us-central1", bucketId="flows", retentionDays=7)
    assert bucket.id == "projects/acme-ml-dev/locations/us-central1/buckets/flows"
    assert bucket.update(retentionDays=14)["retentionDays"] == 14
    sink = make(
        gcp,
        SINK,
        name="flows",
        destination=f"logging.googleapis.com/{bucket.id}",
        filter='log_id("compute.googleapis.com/vpc_flows")',
    )
    assert not sink.outputs.get("writerIdentity"), "to a bucket of the same project no account needs access"
    assert sink.update(description="VPC flows")["description"] == "VPC flows"
    exclusion = make(gcp, EXCLUSION, name="flows", filter='log_id("compute.googleapis.com/vpc_flows")')
    assert exclusion.update(disabled=True)["disabled"] is True
    for resource in (exclusion, sink):
        resource.delete()
        assert resource.read() is None
    bucket.delete()


def test_functions_answer(gcp: GcpContext, google: ApiServer) -> None:
    project = functions()["gcp:organizations/getProject:getProject"].invoke(gcp, {})
    assert project["number"] == google.project_number
    zones = functions()["gcp:compute/getZones:getZones"].invoke(gcp, {"region": "us-central1"})
    assert {"us-central1-a", "us-central1-b"} <= set(zones["names"])
    answered = functions()["gcp:organizations/getClientConfig:getClientConfig"].invoke(gcp, {})
    assert answered["accessToken"] == gcp.transport.token
    types = functions()["gcp:compute/getMachineTypes:getMachineTypes"].invoke(
        gcp, {"zone": "us-central1-a", "filter": 'name="e2-standard-4"'}
    )
    assert [machine_type["guestCpus"] for machine_type in types["machineTypes"]] == [4]
    with pytest.raises(CloudError):
        functions()["gcp:compute/getZones:getZones"].invoke(gcp, {"region": "us-nowhere1"})
    assert table()[ACCOUNT].sdk_schema.inputs


def test_a_bucket_lives_and_keeps_its_objects_unless_told(gcp: GcpContext, google: ApiServer) -> None:
    created = make(
        gcp,
        "gcp:storage/bucket:Bucket",
        name="acme-ml-dev-data",
        location="us-central1",
        uniformBucketLevelAccess=True,
        publicAccessPrevention="enforced",
        versioning={"enabled": True},
        lifecycleRules=[{"action": {"type": "Delete"}, "condition": {"age": 30, "withState": "ARCHIVED"}}],
    )
    assert created.outputs["url"] == "gs://acme-ml-dev-data"
    assert created.update(storageClass="NEARLINE")["storageClass"] == "NEARLINE"
    assert not created.replaced_by(location="US-CENTRAL1")
    created.delete()
    assert created.read() is None
