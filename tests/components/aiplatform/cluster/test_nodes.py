"""The cluster's own nodes, and what the EBS driver does for it."""

import json
from typing import Any

import pytest

from aiplatform.cluster import Cluster
from tests.components.aiplatform.cluster.test_cluster import ARGS
from tests.components.recording import Recording, record, value


def _cluster(**arguments: Any) -> Recording:
    args: Any = {**ARGS, **arguments}
    return record(lambda: Cluster("cluster", args))


@pytest.fixture(scope="module")
def default() -> Recording:
    """A cluster with only the required arguments."""
    return _cluster()


def test_nodes_may_register_and_pull_images_and_nothing_else(default: Recording):
    def policies(recorded: Recording) -> set[str]:
        return {
            attachment.inputs["policyArn"].rsplit("/")[-1]
            for attachment in recorded.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
            if attachment.name.startswith("cluster-node-")
        }

    needed = {"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"}
    assert policies(default) == needed, "the CNI's rights are the CNI's, by Pod Identity"
    assert policies(_cluster(session_manager=True)) == {*needed, "AmazonSSMManagedInstanceCore"}


def test_system_nodes_are_hardened_and_repaired(default: Recording):
    group = default.one("aws:eks/nodeGroup:NodeGroup").inputs
    assert group["amiType"] == "AL2023_x86_64_STANDARD"
    assert group["nodeRepairConfig"] == {"enabled": True}
    assert group["subnetIds"] == ["subnet-p1", "subnet-p2"]
    assert group["nodeGroupNamePrefix"] == "acme-dev-system-", "a replacement does not meet its name"
    assert group["version"] == "1.35"
    assert default.one("aws:eks/nodeGroup:NodeGroup").ignore_changes == ("scalingConfig.desiredSize",)
    template = default.one("aws:ec2/launchTemplate:LaunchTemplate").inputs
    assert template["metadataOptions"]["httpTokens"] == "required"
    assert template["metadataOptions"]["httpPutResponseHopLimit"] == 1
    (volume,) = template["blockDeviceMappings"]
    assert (volume["ebs"]["volumeType"], volume["ebs"]["encrypted"]) == ("gp3", "true")
    key = default.one("aws:kms/key:Key", "cluster-volumes-key").state["arn"]
    assert volume["ebs"]["kmsKeyId"] == key == value(default.result.volume_key_arn), "pools take it too"


def test_an_update_of_system_nodes_evicts_past_budgets_where_that_is_said(default: Recording):
    group = "aws:eks/nodeGroup:NodeGroup"
    assert "forceUpdateVersion" not in default.one(group).inputs
    assert _cluster(system_nodes={"force_update": True}).one(group).inputs["forceUpdateVersion"] is True


def test_graviton_system_nodes_get_an_arm_image():
    recorded = _cluster(system_nodes={"instance_types": ["m7g.large", "m8g.large"]})
    assert recorded.one("aws:eks/nodeGroup:NodeGroup").inputs["amiType"] == "AL2023_ARM_64_STANDARD"


def test_volumes_get_the_clusters_tags_but_none_that_the_driver_keeps_for_itself(default: Recording):
    def controller(recorded: Recording) -> dict[str, Any]:
        driver = recorded.one("aws:eks/addon:Addon", "cluster-aws-ebs-csi-driver")
        return json.loads(driver.inputs["configurationValues"])["controller"]

    assert "extraVolumeTags" not in controller(default)
    tags = {"owner": "ml", "kubernetes.io/created-for/pvc/name": "x", "CSIVolumeName": "x"}
    tagged = controller(_cluster(tags=tags))
    assert tagged["extraVolumeTags"] == {"owner": "ml"}, "with another owner tag the driver does not start"
    assert tagged["nodeSelector"] == controller(default)["nodeSelector"], "in addition to its other settings"
