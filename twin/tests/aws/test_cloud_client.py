"""AWS as the controller sees it, from another process: over HTTP, in the types of the control plane."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from twin import credential
from twin.aws.cloud_client import ApiServerError, AwsView, connect
from twin.aws.server import application, bind
from twin.kubernetes.cloud_client import CloudView
from twin.kubernetes.cloud_interface import InsufficientCapacity
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.services.eks.scene import Names, group_params, make_cluster_of, network_and_roles


@pytest.fixture(scope="module")
def view(clients: Clients) -> Iterator[AwsView]:
    server = bind(clients.server.instance)
    credential.renew(clients.server.instance)
    server.app = application(clients.server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    view: CloudView = connect(clients.server.instance)
    assert isinstance(view, AwsView)
    yield view
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def names(clients: Clients, view: AwsView) -> Names:
    """A cluster that the view made ACTIVE, with a node group and an add-on."""
    assert view.cluster() is None, "nothing yet"
    names = network_and_roles(clients)
    make_cluster_of(clients, names, bootstrapSelfManagedAddons=False)
    seen = view.cluster()
    assert seen is not None
    assert seen.status == "CREATING"
    assert seen.self_managed_addons is False
    view.cluster_ready("https://127.0.0.1:6443", "Q0E=")
    taints = [{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}]
    sizes = {"minSize": 1, "maxSize": 2, "desiredSize": 1}
    clients("eks").create_nodegroup(**group_params(names, taints=taints, scalingConfig=sizes))
    clients("eks").create_addon(clusterName="demo", addonName="vpc-cni", configurationValues='{"env": {}}')
    return names


def test_the_cluster_its_machines_groups_and_add_ons_come_in_the_views_types(
    clients: Clients, view: AwsView, names: Names
) -> None:
    cluster = view.cluster()
    assert cluster is not None
    assert (cluster.name, cluster.status, cluster.version) == ("demo", "ACTIVE", "1.34")
    assert cluster.issuer.startswith("https://oidc.eks.us-west-2.amazonaws.com/id/")
    assert cluster.service_cidr == "172.20.0.0/16"
    assert cluster.uid, "another cluster of the same name has another"
    machine = view.machines()[0]
    assert machine.taints[0].effect == "NoSchedule", "Kubernetes' own word"
    assert machine.devices == {"nvidia.com/gpu": 1}
    group = view.groups()[0]
    assert (group.minimum, group.maximum, group.desired, group.node_group) == (1, 2, 1, "gpu")
    assert group.template.taints == machine.taints
    addon = view.addons()[0]
    assert (addon.name, addon.configuration) == ("vpc-cni", {"env": {}})
    view.addon_status("vpc-cni", "DEGRADED", ["no nodes"])
    described = clients("eks").describe_addon(clusterName="demo", addonName="vpc-cni")["addon"]
    assert (described["status"], described["health"]["issues"][0]["message"]) == ("DEGRADED", "no nodes")


def test_refusals_come_as_the_views_exceptions(clients: Clients, view: AwsView, names: Names) -> None:
    group = view.groups()[0].name
    with pytest.raises(PermissionError, match="not authorized to perform: autoscaling:SetDesiredCapacity"):
        view.set_desired(group, 2, role=names["pod_role"])
    admin = "arn:aws:iam::123456789012:role/platform-deployer"
    with pytest.raises(ApiServerError, match="above the maximum"):
        view.set_desired(group, 9, role=admin)
    clients.server.faults.add({"kind": "capacity", "instance_type": "g5.xlarge"})
    with pytest.raises(InsufficientCapacity, match="InsufficientInstanceCapacity"):
        view.set_desired(group, 2, role=admin)
    clients.server.faults.clear()
    view.set_desired(group, 2, role=admin)
    one, other = view.machines()
    view.terminate(group, one.provider_id, role=admin)
    assert [machine.provider_id for machine in view.machines()] == [other.provider_id]
    assert view.authenticate("k8s-aws-v1.nonsense") is None, "an invalid token has no principal"
    assert view.workload_role("kube-system", "absent") is None


def test_a_node_groups_status_follows_its_nodes(clients: Clients, view: AwsView, names: Names) -> None:
    def status() -> str:
        nodegroup = clients("eks").describe_nodegroup(clusterName="demo", nodegroupName="gpu")["nodegroup"]
        return nodegroup["status"]

    ready = len(view.machines())
    view.node_group_health("gpu", ready, [])
    assert status() == "ACTIVE"
    view.node_group_health("gpu", ready - 1, ["ip-10-0-0-4 is NotReady"])
    assert status() == "DEGRADED"
    view.node_group_health("gpu", ready, [])
    assert status() == "ACTIVE"


def test_a_front_that_is_away_is_reported_and_one_that_is_back_is_used(
    clients: Clients, names: Names, view: AwsView
) -> None:
    class Broken:
        def request(self, *_: object) -> None:
            raise BrokenPipeError

        def close(self) -> None: ...

    view._local.connection = Broken()  # pyright: ignore[reportPrivateUsage] - it died with the API server
    assert view.cluster() is not None, "a second connection decides"


def test_a_credential_that_was_renewed_in_between_is_read_again(
    clients: Clients, view: AwsView, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = credential.headers
    stale = iter([{"Authorization": "Bearer of-the-front-before"}])
    monkeypatch.setattr(credential, "headers", lambda instance: next(stale, None) or current(instance))
    view.addons()
    monkeypatch.setattr(credential, "headers", lambda instance: {})
    with pytest.raises(ApiServerError, match="needs the credential"):
        view.addons()
