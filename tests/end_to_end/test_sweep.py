"""`aiplatform sweep` on the twin of each cloud: what stays after `destroy` is found, priced and removed, and
what another environment's tag claims is not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import boto3
import kubernetes
import pytest

from tests.end_to_end.harness import Twin
from tests.end_to_end.reduced import DATA_LAYER, KUBERNETES_LAYER
from twin import environment as variables

pytestmark = pytest.mark.end_to_end

WITHOUT: Final = (*KUBERNETES_LAYER, *DATA_LAYER, "node_pools", "gpu_pools")
"""All but the network and the cluster."""
ENVIRONMENT: Final = {"environment": "dev", "managed-by": "ai-platform"}
CLUSTER: Final = "acme-dev-cluster"
OTHERS: Final = "environment=staging"
UID: Final = "0123456789abcdef"
Document = Mapping[str, Any]


@pytest.fixture(scope="module", params=["aws-dev", "gcp-dev"])
def twin(home: Path, request: pytest.FixtureRequest) -> Iterator[Twin]:
    """The twin of an environment with a network and a cluster."""
    with Twin(request.param, home, without=WITHOUT, checkpoints=False).started() as started:
        started.up()
        yield started


def sweep(twin: Twin, *options: str) -> tuple[int, Document]:
    """Return exit code and document."""
    done = twin.cli("sweep", twin.environment, "--json", *options, check=False)
    assert done.returncode in (0, 1, 2), done.stderr
    document = json.loads(done.stdout)
    assert document["exit_code"] == done.returncode
    assert document["not_read"] == [], "the twin answers all that a sweep asks"
    return done.returncode, document


def of(document: Document, section: str) -> dict[str, dict[str, Any]]:
    """Return `kind name` -> entry, of a section."""
    return {
        f"{entry['kind']} {entry['name'] or entry['id']}": entry
        for entry in document["resources"]
        if entry["section"] == section
    }


def tags(values: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags in the form of EC2."""
    return [{"Key": key, "Value": value} for key, value in values.items()]


class Aws:
    """Orphans in an account: volumes that the EBS CSI driver creates with the identity of its ServiceAccount,
    and a load balancer with the tags of the AWS Load Balancer Controller."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self.ec2, self.elb = twin.aws("ec2"), twin.aws("elbv2")
        vpcs = self.ec2.describe_vpcs(Filters=[{"Name": "tag:environment", "Values": ["dev"]}])["Vpcs"]
        self.vpc = vpcs[0]["VpcId"]
        subnets = self.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["Subnets"]
        zones = {subnet["AvailabilityZone"]: subnet["SubnetId"] for subnet in subnets}
        self.zone, self.subnets = subnets[0]["AvailabilityZone"], list(zones.values())

    def create(self) -> None:
        """Create what Pods of the cluster left."""
        driver = self._driver()
        contested = {"environment": "staging", f"kubernetes.io/cluster/{CLUSTER}": "owned"}
        for name, more in (("pvc-1", self._extra()), ("pvc-2", contested)):
            of_driver = {"CSIVolumeName": name, "ebs.csi.aws.com/cluster": "true"}
            driver.create_volume(
                AvailabilityZone=self.zone,
                Size=20,
                VolumeType="gp3",
                TagSpecifications=[{"ResourceType": "volume", "Tags": tags({**of_driver, **more})}],
            )
        controller = {"elbv2.k8s.aws/cluster": CLUSTER, "service.k8s.aws/stack": "default/web"}
        group = self.ec2.create_security_group(
            GroupName="k8s-default-web-0123456789", Description="[k8s] web", VpcId=self.vpc
        )["GroupId"]
        self.ec2.create_tags(Resources=[group], Tags=tags(controller))
        balancer = self.elb.create_load_balancer(
            Name="k8s-default-web-0123456789",
            Scheme="internal",
            Subnets=self.subnets,
            SecurityGroups=[group],
            Tags=tags(controller),
        )["LoadBalancers"][0]["LoadBalancerArn"]
        target = self.elb.create_target_group(
            Name="k8s-default-web-9876543210",
            Protocol="HTTP",
            Port=80,
            VpcId=self.vpc,
            TargetType="ip",
            Tags=tags(controller),
        )["TargetGroups"][0]["TargetGroupArn"]
        self.elb.create_listener(
            LoadBalancerArn=balancer,
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target}],
        )
        self.twin.aws("logs").create_log_group(logGroupName="/aws/lambda/acme-dev-two-job")

    def _extra(self) -> dict[str, str]:
        """Return the tags that the add-on's configuration lets the driver add."""
        addon = self.twin.aws("eks").describe_addon(clusterName=CLUSTER, addonName="aws-ebs-csi-driver")
        return json.loads(addon["addon"]["configurationValues"])["controller"]["extraVolumeTags"]

    def _driver(self) -> Any:
        """Return a client with the session of the driver's ServiceAccount, by EKS Pod Identity."""
        core: Any = kubernetes.client.CoreV1Api(
            kubernetes.config.new_client_from_config(str(self.twin.instance.kubeconfig))
        )
        spec = {"audiences": ["pods.eks.amazonaws.com"], "expirationSeconds": 3600}
        token = core.create_namespaced_service_account_token(
            "ebs-csi-controller-sa", "kube-system", {"spec": spec}
        ).status.token
        session = self.twin.aws("eks-auth").assume_role_for_pod_identity(clusterName=CLUSTER, token=token)
        credentials = session["credentials"]
        make: Any = boto3.client
        return make(
            "ec2",
            region_name=self.twin.instance.region,
            endpoint_url=variables.environment(self.twin.instance)["AWS_ENDPOINT_URL"],
            aws_access_key_id=credentials["accessKeyId"],
            aws_secret_access_key=credentials["secretAccessKey"],
            aws_session_token=credentials["sessionToken"],
        )

    def others(self) -> list[str]:
        """Return the volumes with another environment's tag."""
        volumes = self.ec2.describe_volumes(Filters=[{"Name": "tag:environment", "Values": ["staging"]}])
        return [volume["VolumeId"] for volume in volumes["Volumes"]]

    blocked = "DependencyViolation"
    removed = {"load balancer", "target group", "security group", "volume"}  # noqa: RUF012 - read only
    usd = 16.425 + 20 * 0.08


class Google:
    """Orphans in a project: disks as the PD CSI driver creates them, and a load balancer as the controller
    of GKE's Ingress does, whose names have the cluster's UID."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self.compute: Any = twin.google("compute", "v1")
        self.project = twin.instance.account
        self.zone = f"{twin.instance.region}-a"
        self.network = f"projects/{self.project}/global/networks/acme-dev-network"

    def _insert(self, collection: str, body: Mapping[str, Any], **place: str) -> str:
        methods: Any = getattr(self.compute, collection)()
        return methods.insert(project=self.project, body=body, **place).execute()["targetLink"]

    def create(self) -> None:
        """Create what Pods of the cluster left."""
        key = self._key()
        for name, labels in (("pvc-1", {}), ("pvc-2", {"environment": "staging"})):
            disk = {"name": name, "sizeGb": "20", "labels": labels, "type": self._type("pd-balanced")}
            self._insert("disks", {**disk, "diskEncryptionKey": {"kmsKeyName": key}}, zone=self.zone)
        group = self._insert(
            "networkEndpointGroups",
            {
                "name": f"k8s1-{UID[:8]}-default-web-80-0123abcd",
                "networkEndpointType": "GCE_VM_IP_PORT",
                "network": self.network,
            },
            zone=self.zone,
        )
        name = f"{UID[:8]}-default-web-0123abcd"
        check = self._insert("healthChecks", {"name": f"k8s1-{name}-hc", "type": "HTTP"})
        service = self._insert(
            "backendServices",
            {"name": f"k8s1-{name}", "backends": [{"group": group}], "healthChecks": [check]},
        )
        url_map = self._insert("urlMaps", {"name": f"k8s2-um-{name}", "defaultService": service})
        proxy = self._insert("targetHttpProxies", {"name": f"k8s2-tp-{name}", "urlMap": url_map})
        address = self._insert("globalAddresses", {"name": f"k8s2-ip-{name}"})
        self._insert(
            "globalForwardingRules", {"name": f"k8s2-fr-{name}", "target": proxy, "IPAddress": address}
        )
        self._insert(
            "firewalls",
            {
                "name": f"k8s-{UID}-node-hc",
                "network": self.network,
                "allowed": [{"IPProtocol": "tcp", "ports": ["10256"]}],
                "sourceRanges": ["35.191.0.0/16"],
            },
        )
        self._insert("addresses", {"name": "acme-dev-two-office"}, region=self.twin.instance.region)

    def _type(self, name: str) -> str:
        return f"projects/{self.project}/zones/{self.zone}/diskTypes/{name}"

    def _key(self) -> str:
        """Return the key by which the StorageClass of the cluster encrypts its volumes."""
        storage: Any = kubernetes.client.StorageV1Api(
            kubernetes.config.new_client_from_config(str(self.twin.instance.kubeconfig))
        )
        return storage.read_storage_class("balanced").parameters["disk-encryption-kms-key"]

    def others(self) -> list[str]:
        """Return the disks with another environment's label."""
        disks = self.compute.disks().list(project=self.project, zone=self.zone).execute()
        return [
            disk["name"] for disk in disks.get("items", ()) if disk["labels"].get("environment") == "staging"
        ]

    blocked = "is already being used by"
    removed = {  # noqa: RUF012 - read only
        "forwarding rule",
        "target HTTP proxy",
        "URL map",
        "backend service",
        "health check",
        "network endpoint group",
        "address",
        "disk",
        "firewall rule",
    }
    usd = 0.01 * 730 + 0.005 * 730 + 20 * 0.1


CLOUDS: Final[Mapping[str, Callable[[Twin], Aws | Google]]] = {"aws": Aws, "gcp": Google}


def test_deployed_environment_is_not_swept_and_after_destroy_its_remains_are_removed(twin: Twin) -> None:
    account = CLOUDS[twin.instance.cloud](twin)
    account.create()

    deployed = twin.cli("sweep", twin.environment, "--remove", "--yes", check=False)
    assert deployed.returncode == 3, deployed.stdout + deployed.stderr
    assert f"its cluster {CLUSTER} exists" in deployed.stderr, "what belongs to it is in use"

    # The load balancer is in the network, which therefore cannot be deleted.
    destroyed = twin.cli("destroy", twin.environment, check=False)
    assert destroyed.returncode != 0
    assert account.blocked in re.sub(r"\s+", " ", destroyed.stdout + destroyed.stderr)

    code, document = sweep(twin)
    left = of(document, "left")
    assert code == 2
    assert {entry["kind"] for entry in left.values()} == account.removed
    assert all(entry["recognised_by"] and entry["command"] for entry in left.values())
    assert document["usd_a_month"] == pytest.approx(account.usd, abs=0.01)
    claimed = of(document, "claimed")
    assert [entry["recognised_by"] for entry in claimed.values()] == [f"tag {OTHERS}"]
    assert len(of(document, "uncertain")) == 1, "another environment's name can begin with acme-dev"

    table = twin.cli("sweep", twin.environment, check=False)
    assert table.returncode == 2
    assert f"{twin.environment}: {len(left)} left, {document['usd_a_month']:.2f} $ a month" in table.stdout
    unasked = twin.cli("sweep", twin.environment, "--remove", check=False)
    assert unasked.returncode == 1, "no terminal, and no --yes"
    assert sweep(twin)[1]["resources"] == document["resources"], "neither removes anything"

    code, removal = sweep(twin, "--remove", "--yes")
    assert {entry["outcome"] for entry in removal["removed"]} == {"removed"}, removal["removed"]
    assert code == 0
    assert len(account.others()) == 1, "what another environment claims is not removed"
    twin.cli("destroy", twin.environment)
    code, document = sweep(twin)
    assert code == 0
    assert of(document, "left") == {}
    assert of(document, "claimed").keys() == claimed.keys()
    kinds = {entry["kind"] for entry in of(document, "retained").values()}
    assert "key" in kinds, "keys in deletion are stated apart"
