"""The control plane: EKS cluster, its key, logs, role, and identity provider."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Output
from pulumi_aws import cloudwatch, eks, iam, kms, vpc

from aiplatform._shared.aws.keys import Key, existing_key
from aiplatform._shared.aws.logs import log_group, name_key
from aiplatform._shared.aws.policy_documents import allow, document, key_policy, logs_may_use_key, trust
from aiplatform.cluster.args import CLUSTER_ROLE, KEY_ALIAS, LOGS
from aiplatform.cluster.aws.context import EksContext

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")


@dataclass(frozen=True)
class ControlPlane:
    """The cluster and the resources that belong to it.

    api_rules: security group rules by which the program reaches the Kubernetes API.
    """

    cluster: eks.Cluster
    key: Key
    oidc_provider: iam.OpenIdConnectProvider
    api_rules: Sequence[pulumi.Resource]

    @property
    def security_group_id(self) -> Output[str]:
        """The security group that EKS created for control plane and nodes."""
        return _security_group_id(self.cluster)

    @property
    def certificate_authority(self) -> Output[str]:
        """The CA of the API's certificate, PEM in base64."""
        return self.cluster.certificate_authority.apply(lambda authority: authority.data or "")

    @property
    def oidc_issuer(self) -> Output[str]:
        """The issuer of the cluster's service account tokens, a URL."""
        return self.cluster.identities.apply(lambda identities: _issuer(identities))


def _security_group_id(cluster: eks.Cluster) -> Output[str]:
    # With the arn, which is unknown in a preview of a new cluster: the object itself is an input, and known
    # before EKS has added the group to it.
    group = cluster.vpc_config.apply(lambda config: config.cluster_security_group_id)
    return Output.all(group, cluster.arn).apply(lambda values: str(values[0] or ""))


def _issuer(identities: object) -> str:
    first = identities[0] if isinstance(identities, (list, tuple)) and identities else None  # pyright: ignore[reportUnknownVariableType]
    oidcs = getattr(first, "oidcs", None)  # pyright: ignore[reportUnknownArgumentType]
    return str(oidcs[0].issuer) if oidcs else ""


def control_plane(context: EksContext) -> ControlPlane:
    """Create the control plane."""
    key = _key(context)
    role, permissions = _role(context, key)
    cluster = _cluster(context, role, key, [*permissions, _log_group(context, key)])
    oidc_provider = _oidc_provider(context, cluster)
    in_vpc = context.settings.api_access.mode == "in_vpc"
    return ControlPlane(cluster, key, oidc_provider, [_api_rule(context, cluster)] if in_vpc else [])


def _key(context: EksContext) -> Key:
    """The key of secrets and logs, a new one where the settings name none. Without its key a cluster is lost:
    its deletion can be cancelled for 30 days."""
    prefix, stated = context.settings.prefix, context.settings.kms_key
    if stated is not None:
        return existing_key(stated, context.account, "ClusterArgs.kms_key")
    key = kms.Key(
        f"{context.name}-key",
        description=f"Secrets and control-plane logs of {context.cluster_name}",
        enable_key_rotation=True,
        deletion_window_in_days=30,
        policy=key_policy(context.account, logs_may_use_key(context.account, LOGS.of(prefix))),
        tags=context.tags("cluster"),
        opts=context.options(protect=True, retain=True),
    )
    name_key(f"{context.name}-key", key, KEY_ALIAS.of(prefix), context.options())
    return Key(key.arn)


def _log_group(context: EksContext, key: Key) -> cloudwatch.LogGroup:
    """Create the log group before the cluster: EKS would create it without a retention and without the
    key."""
    return log_group(
        f"{context.name}-logs",
        LOGS.of(context.settings.prefix),
        context.settings.log_retention_days,
        key,
        context.settings.tags,
        context.options(retain=True),
    )


def _role(context: EksContext, key: Key) -> tuple[iam.Role, list[pulumi.Resource]]:
    """Return the role, and the permissions that it must have before EKS uses it, and until the cluster is
    deleted."""
    arn = context.account.arn("eks", f"cluster/{context.cluster_name}")
    role = iam.Role(
        f"{context.name}-role",
        name_prefix=CLUSTER_ROLE.of(context.settings.prefix),
        description=f"Control plane of {context.cluster_name}",
        assume_role_policy=trust(
            "eks.amazonaws.com",
            {
                "StringEquals": {"aws:SourceAccount": context.account.account_id},
                "ArnLike": {"aws:SourceArn": arn},
            },
        ),
        tags=context.settings.tags,
        opts=context.options(),
    )
    attachment = iam.RolePolicyAttachment(
        f"{context.name}-role-AmazonEKSClusterPolicy",
        role=role.name,
        policy_arn=context.account.managed_policy("AmazonEKSClusterPolicy"),
        opts=context.options(),
    )
    secrets = iam.RolePolicy(
        f"{context.name}-role-secrets",
        name="encrypt-secrets",
        role=role.name,
        policy=key.arn.apply(
            lambda key_arn: document(
                allow(["kms:Encrypt", "kms:Decrypt", "kms:ListGrants", "kms:DescribeKey"], key_arn)
            )
        ),
        opts=context.options(),
    )
    return role, [attachment, secrets]


def _cluster(
    context: EksContext, role: iam.Role, key: Key, depends_on: Sequence[pulumi.Resource]
) -> eks.Cluster:
    settings = context.settings
    public = settings.api_access.mode == "cidrs"
    return eks.Cluster(
        f"{context.name}-cluster",
        name=context.cluster_name,
        version=settings.version,
        role_arn=role.arn,
        vpc_config=eks.ClusterVpcConfigArgs(
            subnet_ids=settings.control_plane_subnets,
            endpoint_private_access=True,
            endpoint_public_access=public,
            public_access_cidrs=list(settings.api_access.cidrs) if public else None,
        ),
        kubernetes_network_config=eks.ClusterKubernetesNetworkConfigArgs(
            ip_family="ipv4", service_ipv4_cidr=settings.eks.service_cidr
        ),
        encryption_config=eks.ClusterEncryptionConfigArgs(
            provider=eks.ClusterEncryptionConfigProviderArgs(key_arn=key.arn), resources=["secrets"]
        ),
        enabled_cluster_log_types=list(LOG_TYPES),
        # The creator gets an access entry (access.py), which can be listed and deleted.
        access_config=eks.ClusterAccessConfigArgs(
            authentication_mode="API", bootstrap_cluster_creator_admin_permissions=False
        ),
        # vpc-cni, kube-proxy and coredns are add-ons from the start, with versions and configuration.
        bootstrap_self_managed_addons=False,
        upgrade_policy=eks.ClusterUpgradePolicyArgs(support_type=settings.eks.support.upper()),
        zonal_shift_config=eks.ClusterZonalShiftConfigArgs(enabled=settings.eks.zonal_shift),
        deletion_protection=settings.deletion_protection,
        tags=settings.tags,
        opts=context.options(
            *depends_on,
            protect=True,
            # Two clusters cannot have the same name.
            delete_before_replace=True,
            # EKS keeps the zones that the control plane was created in, and refuses a subnet in another one:
            # a zone that is added to the network is for nodes (EKS user guide, "View Amazon EKS networking
            # requirements for VPC and subnets").
            ignore_changes=["vpcConfig.subnetIds"],
            # EKS changes no key, and the provider reports success for another one (Amazon EKS user guide,
            # "Encrypt Kubernetes secrets with KMS"): the former key would be deleted, and the cluster lost.
            replace_on_changes=["encryptionConfig"],
        ),
    )


def _oidc_provider(context: EksContext, cluster: eks.Cluster) -> iam.OpenIdConnectProvider:
    """Create the provider for roles of service accounts (IRSA): charts without Pod Identity need it."""
    return iam.OpenIdConnectProvider(
        f"{context.name}-oidc",
        url=cluster.identities.apply(lambda identities: _issuer(identities)),
        client_id_lists=["sts.amazonaws.com"],
        tags=context.settings.tags,
        opts=context.options(),
    )


def _api_rule(context: EksContext, cluster: eks.Cluster) -> pulumi.Resource:
    """Allow access to the private endpoint, which otherwise answers only members of the cluster security
    group: from the group in the arguments, or else from the network."""
    settings = context.settings
    group = settings.api_access.security_group_id
    purpose = "api-from-network" if group is None else "api-from-group"
    return vpc.SecurityGroupIngressRule(
        f"{context.name}-{purpose}",
        security_group_id=_security_group_id(cluster),
        description=f"Kubernetes API from the {'network' if group is None else 'runner'}",
        cidr_ipv4=settings.network.cidr if group is None else None,
        referenced_security_group_id=group,
        ip_protocol="tcp",
        from_port=443,
        to_port=443,
        tags=context.tags(purpose),
        opts=context.options(),
    )
