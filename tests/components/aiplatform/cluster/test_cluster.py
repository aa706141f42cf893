"""The cluster component: resources, their order, and secure defaults."""

import json
from typing import Any

import pytest
from pulumi_aws import eks

from aiplatform._shared.args import keys
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform.cluster import Cluster
from aiplatform.cluster.aws.args import ADDONS
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import ACCOUNT, REGION, Recording, record, value

NETWORK: dict[str, Any] = {
    "vpc_id": "vpc-1",
    "cidr": "10.16.0.0/16",
    "private_subnet_ids": ["subnet-p1", "subnet-p2"],
    "intra_subnet_ids": ["subnet-i1", "subnet-i2"],
}
ARGS: dict[str, Any] = {"prefix": "acme-dev", "version": "1.35", "network": NETWORK}
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/platform/admins"
EKS = "aws:eks/cluster:Cluster"


def _cluster(**arguments: Any) -> Recording:
    args: Any = {**ARGS, **arguments}
    return record(lambda: Cluster("cluster", args))


@pytest.fixture(scope="module")
def default() -> Recording:
    """A cluster with only the required arguments."""
    return _cluster()


def _trust(recorded: Recording, role: str) -> dict[str, Any]:
    policy = recorded.one("aws:iam/role:Role", role).inputs["assumeRolePolicy"]
    (statement,) = json.loads(policy)["Statement"]
    return statement


def _configuration(recorded: Recording, addon: str) -> dict[str, Any]:
    return json.loads(recorded.one("aws:eks/addon:Addon", f"cluster-{addon}").inputs["configurationValues"])


def test_logical_names_are_a_contract():
    recorded = _cluster(admins=[ADMIN])
    assert recorded.names() == [
        "aiplatform:index:Cluster cluster",
        "aws:cloudwatch/logGroup:LogGroup cluster-logs",
        "aws:ec2/launchTemplate:LaunchTemplate cluster-system",
        "aws:eks/accessEntry:AccessEntry cluster-admin-admins",
        "aws:eks/accessEntry:AccessEntry cluster-creator",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation cluster-admin-admins",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation cluster-creator",
        "aws:eks/addon:Addon cluster-aws-ebs-csi-driver",
        "aws:eks/addon:Addon cluster-coredns",
        "aws:eks/addon:Addon cluster-eks-node-monitoring-agent",
        "aws:eks/addon:Addon cluster-eks-pod-identity-agent",
        "aws:eks/addon:Addon cluster-kube-proxy",
        "aws:eks/addon:Addon cluster-metrics-server",
        "aws:eks/addon:Addon cluster-vpc-cni",
        "aws:eks/cluster:Cluster cluster-cluster",
        "aws:eks/nodeGroup:NodeGroup cluster-system",
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider cluster-oidc",
        "aws:iam/role:Role cluster-aws-ebs-csi-driver",
        "aws:iam/role:Role cluster-node",
        "aws:iam/role:Role cluster-role",
        "aws:iam/role:Role cluster-vpc-cni",
        "aws:iam/rolePolicy:RolePolicy cluster-aws-ebs-csi-driver-volumes-key",
        "aws:iam/rolePolicy:RolePolicy cluster-role-secrets",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment cluster-aws-ebs-csi-driver",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment cluster-node-AmazonEC2ContainerRegistryPullOnly",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment cluster-node-AmazonEKSWorkerNodePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment cluster-role-AmazonEKSClusterPolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment cluster-vpc-cni",
        "aws:kms/alias:Alias cluster-key",
        "aws:kms/alias:Alias cluster-volumes-key",
        "aws:kms/key:Key cluster-key",
        "aws:kms/key:Key cluster-volumes-key",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule cluster-api-from-network",
        "kubernetes:storage.k8s.io/v1:StorageClass cluster-gp3",
        "kubernetes:storage.k8s.io/v1:StorageClassPatch cluster-gp2",
        "pulumi:providers:kubernetes cluster-kubernetes",
    ]


def test_every_part_is_a_child_of_the_component(default: Recording):
    component = default.one("aiplatform:index:Cluster")
    for resource in default.resources:
        if resource is not component:
            assert resource.parent == component.urn, resource.name


def test_by_default_the_api_is_reached_only_from_the_network(default: Recording):
    config = default.one(EKS).inputs["vpcConfig"]
    assert config["endpointPrivateAccess"] is True
    assert config["endpointPublicAccess"] is False
    assert "publicAccessCidrs" not in config
    assert config["subnetIds"] == ["subnet-i1", "subnet-i2"]
    rule = default.one("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").inputs
    assert rule["securityGroupId"] == "sg-0c1u5te2", "the cluster security group guards the private endpoint"
    assert (rule["cidrIpv4"], rule["fromPort"], rule["toPort"]) == ("10.16.0.0/16", 443, 443)


def test_listed_addresses_reach_a_public_endpoint_beside_the_private_one():
    recorded = _cluster(api_access={"mode": "cidrs", "cidrs": ["192.52.193.0/24"]})
    config = recorded.one(EKS).inputs["vpcConfig"]
    assert config["endpointPrivateAccess"] is True, "nodes talk to the API inside the network"
    assert config["endpointPublicAccess"] is True
    assert config["publicAccessCidrs"] == ["192.52.193.0/24"]
    assert not recorded.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")


def test_a_zone_that_is_added_later_is_only_for_nodes(default: Recording):
    assert default.one(EKS).ignore_changes == ("vpcConfig.subnetIds",), (
        "EKS refuses subnets in other zones than those that the control plane began in"
    )


def test_another_key_replaces_the_cluster(default: Recording):
    cluster = default.one(EKS)
    assert cluster.replace_on_changes == ("encryptionConfig",), (
        "EKS changes no key, and the provider ignores another one: the former one would be deleted"
    )
    protected = _cluster(protect=True).one(EKS)
    assert protected.protect, "Pulumi refuses to replace it"


def test_secrets_are_encrypted_by_a_key_of_the_clusters_own(default: Recording):
    key = default.one("aws:kms/key:Key", "cluster-key")
    assert default.one(EKS).inputs["encryptionConfig"] == {
        "provider": {"keyArn": key.state["arn"]},
        "resources": ["secrets"],
    }
    assert key.inputs["enableKeyRotation"] is True
    account, logs = json.loads(key.inputs["policy"])["Statement"]
    assert account["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, (
        "only the account's own IAM decides"
    )
    assert not any("*" in action for action in logs["Action"])
    assert logs["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"].endswith(
        ":log-group:/aws/eks/acme-dev-cluster/cluster"
    )


def test_all_control_plane_logs_are_written_to_a_group_that_exists_before_the_cluster(default: Recording):
    cluster, group = default.one(EKS), default.one("aws:cloudwatch/logGroup:LogGroup")
    assert set(cluster.inputs["enabledClusterLogTypes"]) == {
        "api",
        "audit",
        "authenticator",
        "controllerManager",
        "scheduler",
    }
    assert group.inputs["name"] == f"/aws/eks/{cluster.inputs['name']}/cluster"
    assert group.inputs["retentionInDays"] == 90
    assert group.inputs["kmsKeyId"] == default.one("aws:kms/key:Key", "cluster-key").state["arn"]
    assert default.depends(cluster, group), "else EKS makes the group, without retention or key"


def test_access_is_only_by_access_entries(default: Recording):
    assert default.one(EKS).inputs["accessConfig"] == {
        "authenticationMode": "API",
        "bootstrapClusterCreatorAdminPermissions": False,
    }
    entry = default.one("aws:eks/accessEntry:AccessEntry")
    assert entry.inputs["principalArn"] == f"arn:aws:iam::{ACCOUNT}:role/platform-deployer"
    assert entry.ignore_changes == ("principalArn",), "a later deployer does not take the first one's place"


def test_admins_get_the_cluster_admin_policy():
    recorded = _cluster(admins=[ADMIN])
    association = recorded.one(
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation", "cluster-admin-admins"
    ).inputs
    assert association["principalArn"] == ADMIN
    assert association["policyArn"] == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    assert association["accessScope"] == {"type": "cluster"}


def test_a_creator_among_the_admins_gets_one_entry():
    deployer = f"arn:aws:iam::{ACCOUNT}:role/platform-deployer"
    recorded = _cluster(admins=[deployer])
    assert [entry.name for entry in recorded.all("aws:eks/accessEntry:AccessEntry")] == [
        "cluster-admin-platform-deployer"
    ], "EKS refuses a second entry for a principal"
    assert {
        len(resource.aliases)
        for resource in recorded.resources
        if resource.type.startswith("aws:eks/access") and resource.name == "cluster-admin-platform-deployer"
    } == {1}, "the entry that the creator had becomes the admin's: a second one would be refused"


def test_a_creator_who_was_an_admin_keeps_the_entry():
    recorded = _cluster(admins=[ADMIN])
    entry = recorded.one("aws:eks/accessEntry:AccessEntry", "cluster-creator")
    assert len(entry.aliases) == 2, "under both names that the admin's entry may have had"
    other = "arn:aws:iam::444455556666:role/platform-deployer"
    recorded = _cluster(admins=[other])
    entry = recorded.one("aws:eks/accessEntry:AccessEntry", "cluster-creator")
    assert len(entry.aliases) == 1, "not under the name of an admin who is there"


def test_two_admins_of_one_name_in_two_accounts_both_get_in():
    other = "arn:aws:iam::444455556666:role/admins"
    recorded = _cluster(admins=[ADMIN, other], eks={"creator_is_admin": False})
    assert [entry.name for entry in recorded.all("aws:eks/accessEntry:AccessEntry")] == [
        "cluster-admin-admins",
        "cluster-admin-admins-444455556666",
    ]


def test_kubernetes_objects_wait_for_the_right_to_make_them(default: Recording):
    entry = default.one("aws:eks/accessPolicyAssociation:AccessPolicyAssociation")
    provider = default.named("cluster-kubernetes")
    assert default.depends(provider, entry), "so all objects that it creates wait"
    assert default.named("cluster-gp3").provider.startswith(provider.urn)


def test_the_kubernetes_provider_is_configured_after_nodes_have_joined(default: Recording):
    provider, nodes = default.named("cluster-kubernetes"), default.one("aws:eks/nodeGroup:NodeGroup")
    assert default.depends(provider, nodes), (
        "EKS is ACTIVE before its endpoint answers and an access entry is known, and the provider asks once"
    )
    assert not default.depends(nodes, provider), "nodes need no Kubernetes object of the program"


def test_addons_come_in_the_order_that_works(default: Recording):
    addons = {addon.inputs["addonName"]: addon for addon in default.all("aws:eks/addon:Addon")}
    assert set(addons) == set(ADDONS)
    nodes = default.one("aws:eks/nodeGroup:NodeGroup")
    first = ("eks-pod-identity-agent", "vpc-cni", "kube-proxy")
    for name, addon in addons.items():
        if name in first:
            assert default.depends(nodes, addon), f"a node is not Ready without {name}"
        else:
            assert default.depends(addon, nodes), f"{name} is not healthy without nodes"
    assert default.depends(addons["vpc-cni"], addons["eks-pod-identity-agent"]), "its role comes through it"


def test_a_pool_that_takes_the_node_role_waits_for_what_a_node_needs():
    def program() -> None:
        args: Any = ARGS
        cluster = Cluster("cluster", args)
        eks.AccessEntry("pool", cluster_name="other", principal_arn=cluster.node_role_arn)

    recorded = record(program)
    pool = recorded.named("pool")
    for needed in ("cluster-vpc-cni", "cluster-kube-proxy", "cluster-eks-pod-identity-agent"):
        assert recorded.depends(pool, recorded.one("aws:eks/addon:Addon", needed)), needed
    assert recorded.depends(pool, recorded.named("cluster-node-AmazonEKSWorkerNodePolicy"))
    assert pool.inputs["principalArn"] == recorded.one("aws:iam/role:Role", "cluster-node").state["arn"]


def test_addon_versions_are_eks_defaults_or_pinned():
    recorded = _cluster(eks={"addons": {"coredns": {"version": "v1.13.2-eksbuild.4"}}})
    addons = {addon.inputs["addonName"]: addon.inputs for addon in recorded.all("aws:eks/addon:Addon")}
    assert addons["coredns"]["addonVersion"] == "v1.13.2-eksbuild.4"
    assert addons["vpc-cni"]["addonVersion"] == "v1.0.0-eksbuild.1", "as getAddonVersion answers"
    calls = [call.arguments for call in recorded.calls if call.token.endswith("getAddonVersion")]
    assert len(calls) == 6, "no question about a pinned one"
    assert all(call["kubernetesVersion"] == "1.35" for call in calls)


def test_addons_that_run_on_system_nodes_tolerate_their_taint(default: Recording):
    taint = default.one("aws:eks/nodeGroup:NodeGroup").inputs["taints"]
    assert taint == [{"key": "CriticalAddonsOnly", "value": "true", "effect": "NO_SCHEDULE"}]
    there = {
        "nodeSelector": default.one("aws:eks/nodeGroup:NodeGroup").inputs["labels"],
        "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}],
    }
    assert _configuration(default, "coredns") == there, "DNS on no spot node"
    assert _configuration(default, "metrics-server") == there
    assert _configuration(default, "aws-ebs-csi-driver") == {"controller": there}
    agent = _configuration(default, "eks-node-monitoring-agent")
    assert agent["nodeAgent"]["tolerations"] == [{"operator": "Exists"}], "node repair needs it everywhere"


def test_network_policies_are_enforced_and_prefix_delegation_is_an_option(default: Recording):
    assert _configuration(default, "vpc-cni") == {"enableNetworkPolicy": "true"}
    delegating = _configuration(_cluster(eks={"prefix_delegation": True}), "vpc-cni")
    assert delegating["env"]["ENABLE_PREFIX_DELEGATION"] == "true", "strings, by the add-on's schema"


def test_an_addons_configuration_is_laid_over_the_components():
    recorded = _cluster(eks={"addons": {"coredns": {"configuration": {"replicaCount": 3}}}})
    assert set(_configuration(recorded, "coredns")) == {"nodeSelector", "tolerations", "replicaCount"}


def test_the_order_of_an_addons_configuration_is_no_change():
    keys = {"replicaCount": 3, "corefile": "."}
    first, again = (
        _cluster(eks={"addons": {"coredns": {"configuration": dict(order)}}})
        .one("aws:eks/addon:Addon", "cluster-coredns")
        .inputs["configurationValues"]
        for order in (keys.items(), reversed(keys.items()))
    )
    assert first == again, "EKS would update the add-on for nothing"


@pytest.mark.parametrize(
    ("addon", "account"), [("vpc-cni", "aws-node"), ("aws-ebs-csi-driver", "ebs-csi-controller-sa")]
)
def test_addon_roles_are_for_one_service_account_of_this_cluster(
    default: Recording, addon: str, account: str
):
    statement = _trust(default, f"cluster-{addon}")
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert set(statement["Action"]) == {"sts:AssumeRole", "sts:TagSession"}
    assert statement["Condition"]["StringEquals"] == {
        "aws:SourceAccount": ACCOUNT,
        "aws:RequestTag/eks-cluster-name": "acme-dev-cluster",
        "aws:RequestTag/kubernetes-namespace": "kube-system",
        "aws:RequestTag/kubernetes-service-account": account,
    }
    installed = default.one("aws:eks/addon:Addon", f"cluster-{addon}")
    role = default.one("aws:iam/role:Role", f"cluster-{addon}")
    assert installed.inputs["podIdentityAssociations"] == [
        {"roleArn": role.state["arn"], "serviceAccount": account}
    ]
    attachment = default.one("aws:iam/rolePolicyAttachment:RolePolicyAttachment", f"cluster-{addon}")
    assert default.depends(installed, attachment), "it starts with its rights"


def test_the_control_plane_role_is_no_confused_deputy(default: Recording):
    statement = _trust(default, "cluster-role")
    assert statement["Principal"] == {"Service": "eks.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/acme-dev-cluster"},
    }
    cluster = default.one(EKS)
    for right in ("cluster-role-AmazonEKSClusterPolicy", "cluster-role-secrets"):
        assert default.depends(cluster, default.named(right)), "and keeps it until the cluster is gone"


def test_no_policy_of_the_component_allows_all_actions(default: Recording):
    for policy in default.all("aws:iam/rolePolicy:RolePolicy"):
        for statement in json.loads(policy.inputs["policy"])["Statement"]:
            assert not any("*" in action for action in statement["Action"]), policy.name
            assert statement["Resource"] != "*", policy.name


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("AutoScaling", "autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"),
        ("Spot", "spot.amazonaws.com/AWSServiceRoleForEC2Spot"),
    ],
)
def test_ec2_may_launch_nodes_with_encrypted_volumes(default: Recording, name: str, role: str):
    key = default.one("aws:kms/key:Key", "cluster-volumes-key")
    account, *statements = json.loads(key.inputs["policy"])["Statement"]
    assert account["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    use, grant = [statement for statement in statements if statement["Sid"].startswith(name)]
    for statement in (use, grant):
        # Not a principal by name: KMS refuses one that is not there yet, as in a new account.
        assert statement["Condition"]["StringEquals"] == {
            "kms:CallerAccount": ACCOUNT,
            "aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{role}",
        }
        assert not any("*" in action for action in statement["Action"])
    assert grant["Action"] == ["kms:CreateGrant"]
    assert grant["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}, "for EBS volumes alone"


def test_a_replaced_cluster_is_deleted_before_its_replacement(default: Recording):
    assert default.one(EKS).delete_before_replace, "the name may be there only once"


def test_encrypted_gp3_is_the_default_storage_class_and_gp2_is_not(default: Recording):
    gp3 = default.named("cluster-gp3")
    assert gp3.inputs["metadata"]["name"] == "gp3"
    mark = "storageclass.kubernetes.io/is-default-class"
    assert gp3.inputs["metadata"]["annotations"][mark] == "true"
    key = default.one("aws:kms/key:Key", "cluster-volumes-key")
    assert gp3.inputs["parameters"] == {"type": "gp3", "encrypted": "true", "kmsKeyId": key.state["arn"]}
    assert gp3.inputs["volumeBindingMode"] == "WaitForFirstConsumer"
    assert default.named("cluster-gp2").inputs["metadata"]["annotations"][mark] == "false"


def test_storage_classes_go_with_the_cluster(default: Recording):
    cluster = default.one(EKS)
    for name in ("cluster-gp3", "cluster-gp2"):
        assert default.named(name).deleted_with == cluster.urn
        assert default.named(name).provider.startswith(default.named("cluster-kubernetes").urn)


def test_nothing_that_is_replaced_has_a_fixed_name(default: Recording):
    for role in default.all("aws:iam/role:Role"):
        assert role.inputs["namePrefix"].startswith("acme-dev-")
        assert "name" not in role.inputs
    assert default.one(EKS).inputs["name"] == "acme-dev-cluster", "people address it"


def test_protection_is_by_argument_and_covers_the_keys():
    recorded = _cluster(protect=True, deletion_protection=True)
    protected = {resource.name for resource in recorded.resources if resource.protect}
    assert protected == {"cluster-cluster", "cluster-key", "cluster-volumes-key"}
    assert recorded.one(EKS).inputs["deletionProtection"] is True
    assert not any(resource.protect for resource in _cluster().resources)


def test_upgrades_follow_the_requested_support(default: Recording):
    assert default.one(EKS).inputs["upgradePolicy"] == {"supportType": "STANDARD"}
    assert _cluster(eks={"support": "extended"}).one(EKS).inputs["upgradePolicy"] == {
        "supportType": "EXTENDED"
    }
    assert default.one(EKS).inputs["bootstrapSelfManagedAddons"] is False


def test_the_kubeconfig_holds_no_secret(default: Recording):
    config = json.loads(value(default.result.kubeconfig))
    (user,) = config["users"]
    assert set(user["user"]) == {"exec"}, "no token, no certificate"
    assert user["user"]["exec"]["command"] == "aws"
    assert user["user"]["exec"]["args"][:6] == [
        "eks",
        "get-token",
        "--cluster-name",
        "acme-dev-cluster",
        "--region",
        REGION,
    ]
    (cluster,) = config["clusters"]
    assert cluster["cluster"]["server"].startswith("https://")
    assert default.named("cluster-kubernetes").inputs["kubeconfig"] == value(default.result.kubeconfig)


def test_outputs_are_registered_and_are_what_a_pool_takes(default: Recording):
    outputs = default.one("aiplatform:index:Cluster").outputs
    assert outputs is not None
    assert set(outputs) <= keys(ClusterReference)
    assert json.loads(json.dumps(outputs)) == outputs, "a layer's outputs survive JSON"
    assert outputs["security_group_id"] == "sg-0c1u5te2"
    assert outputs["oidc_issuer"].startswith("https://oidc.eks.")
    assert value(default.result.node_role_arn) == outputs["node_role_arn"]


def test_every_input_and_output_is_documented_for_other_languages():
    assert undocumented(Cluster) == []


def test_a_cluster_that_tells_no_issuer_has_none():
    from aiplatform.cluster.aws.control_plane import _issuer

    assert [_issuer(unknown) for unknown in (None, [], [object()])] == ["", "", ""]
