"""The control plane: EKS cluster, its key, logs, role, and identity provider."""

from dataclasses import dataclass

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws import cloudwatch, eks, iam, kms, vpc

from aiplatform._shared.aws.account import Account
from aiplatform._shared.aws.logs import log_group, name_key
from aiplatform._shared.aws.policy_documents import allow, document, key_policy, logs_may_use_key, trust
from aiplatform.cluster.args import CLUSTER, CLUSTER_ROLE, KEY_ALIAS, LOGS, ClusterSettings

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")


@dataclass(frozen=True)
class ControlPlane:
    """The cluster and the resources that belong to it."""

    cluster: eks.Cluster
    key: kms.Key
    oidc_provider: iam.OpenIdConnectProvider
    name: str
    ways: list[pulumi.Resource]
    """Resources by which the program reaches the Kubernetes API."""

    @property
    def security_group_id(self) -> Output[str]:
        """The security group that EKS created for control plane and nodes."""
        # With the arn, which is unknown in a preview of a new cluster: the object itself is an input, and
        # known before EKS has added the group to it.
        group = self.cluster.vpc_config.apply(lambda config: config.cluster_security_group_id)
        return Output.all(group, self.cluster.arn).apply(lambda values: str(values[0] or ""))

    @property
    def certificate_authority(self) -> Output[str]:
        """The CA of the API's certificate, PEM in base64."""
        return self.cluster.certificate_authority.apply(lambda authority: authority.data or "")

    @property
    def oidc_issuer(self) -> Output[str]:
        """The issuer of the cluster's service account tokens, a URL."""
        return self.cluster.identities.apply(lambda identities: _issuer(identities))


def _issuer(identities: object) -> str:
    first = identities[0] if isinstance(identities, (list, tuple)) and identities else None  # pyright: ignore[reportUnknownVariableType]
    oidcs = getattr(first, "oidcs", None)  # pyright: ignore[reportUnknownArgumentType]
    return str(oidcs[0].issuer) if oidcs else ""


class ControlPlaneBuilder:
    """Creates the control plane as children of one component."""

    def __init__(
        self, parent: pulumi.ComponentResource, name: str, settings: ClusterSettings, account: Account
    ) -> None:
        self.parent = parent
        self.name = name
        self.settings = settings
        self.account = account
        self.cluster_name = CLUSTER.of(settings.prefix)

    def build(self) -> ControlPlane:
        """All of it."""
        key = self._key()
        role, rights = self._role(key)
        cluster = self._cluster(role, key, [*rights, self._log_group(key)])
        control_plane = ControlPlane(cluster, key, self._oidc_provider(cluster), self.cluster_name, [])
        if self.settings.api_access.mode == "in_vpc":
            control_plane.ways.append(self._allow_api_access(control_plane))
        return control_plane

    def _options(
        self,
        *depends_on: pulumi.Resource,
        protect: bool = False,
        retain: bool = False,
        delete_before_replace: bool | None = None,
        ignore_changes: list[str] | None = None,
    ) -> ResourceOptions:
        return ResourceOptions(
            parent=self.parent,
            ignore_changes=ignore_changes,
            depends_on=list(depends_on) or None,
            # None, not False: an inherited protect stays.
            protect=True if protect else None,
            retain_on_delete=True if retain else None,
            delete_before_replace=delete_before_replace,
        )

    def _tags(self, purpose: str) -> dict[str, str]:
        return {**self.settings.tags, "Name": f"{self.settings.prefix}-{purpose}"}

    def _key(self) -> kms.Key:
        """The key of secrets and logs. A lost key is a lost cluster: 30 days to call it back."""
        group = LOGS.of(self.settings.prefix)
        key = kms.Key(
            f"{self.name}-key",
            description=f"Secrets and control-plane logs of {self.cluster_name}",
            enable_key_rotation=True,
            deletion_window_in_days=30,
            policy=key_policy(self.account, logs_may_use_key(self.account, group)),
            tags=self._tags("cluster"),
            opts=self._options(protect=self.settings.protect, retain=self.settings.retain_data),
        )
        name_key(f"{self.name}-key", key, KEY_ALIAS.of(self.settings.prefix), self._options())
        return key

    def _log_group(self, key: kms.Key) -> cloudwatch.LogGroup:
        """Made before the cluster: EKS would make it without end of retention and without the key."""
        return log_group(
            f"{self.name}-logs",
            LOGS.of(self.settings.prefix),
            self.settings.log_retention_days,
            key,
            self.settings.tags,
            self._options(retain=self.settings.retain_data),
        )

    def _role(self, key: kms.Key) -> tuple[iam.Role, list[pulumi.Resource]]:
        """The role, and what it must have before EKS uses it (and keep until the cluster is gone)."""
        arn = self.account.arn("eks", f"cluster/{self.cluster_name}")
        role = iam.Role(
            f"{self.name}-role",
            name_prefix=CLUSTER_ROLE.of(self.settings.prefix),
            description=f"Control plane of {self.cluster_name}",
            assume_role_policy=trust(
                "eks.amazonaws.com",
                {
                    "StringEquals": {"aws:SourceAccount": self.account.account_id},
                    "ArnLike": {"aws:SourceArn": arn},
                },
            ),
            tags=self.settings.tags,
            opts=self._options(),
        )
        attachment = iam.RolePolicyAttachment(
            f"{self.name}-role-AmazonEKSClusterPolicy",
            role=role.name,
            policy_arn=self.account.managed_policy("AmazonEKSClusterPolicy"),
            opts=self._options(),
        )
        secrets = iam.RolePolicy(
            f"{self.name}-role-secrets",
            name="encrypt-secrets",
            role=role.name,
            policy=key.arn.apply(
                lambda key_arn: document(
                    allow(["kms:Encrypt", "kms:Decrypt", "kms:ListGrants", "kms:DescribeKey"], key_arn)
                )
            ),
            opts=self._options(),
        )
        return role, [attachment, secrets]

    def _cluster(self, role: iam.Role, key: kms.Key, depends_on: list[pulumi.Resource]) -> eks.Cluster:
        public = self.settings.api_access.mode == "cidrs"
        return eks.Cluster(
            f"{self.name}-cluster",
            name=self.cluster_name,
            version=self.settings.version,
            role_arn=role.arn,
            vpc_config=eks.ClusterVpcConfigArgs(
                subnet_ids=self.settings.control_plane_subnets,
                endpoint_private_access=True,
                endpoint_public_access=public,
                public_access_cidrs=list(self.settings.api_access.cidrs) if public else None,
            ),
            kubernetes_network_config=eks.ClusterKubernetesNetworkConfigArgs(
                ip_family="ipv4", service_ipv4_cidr=self.settings.eks.service_cidr
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
            upgrade_policy=eks.ClusterUpgradePolicyArgs(support_type=self.settings.eks.support.upper()),
            zonal_shift_config=eks.ClusterZonalShiftConfigArgs(enabled=self.settings.eks.zonal_shift),
            deletion_protection=self.settings.deletion_protection,
            tags=self.settings.tags,
            opts=self._options(
                *depends_on,
                protect=self.settings.protect,
                # Its name is the cluster's, and may be there only once.
                delete_before_replace=True,
                # EKS keeps the zones that the control plane began in, and refuses a subnet in another one: a
                # zone that is added to the network is for nodes (EKS user guide, "View Amazon EKS networking
                # requirements for VPC and subnets").
                ignore_changes=["vpcConfig.subnetIds"],
            ),
        )

    def _oidc_provider(self, cluster: eks.Cluster) -> iam.OpenIdConnectProvider:
        """Create the provider for roles of service accounts (IRSA): charts without Pod Identity need it."""
        return iam.OpenIdConnectProvider(
            f"{self.name}-oidc",
            url=cluster.identities.apply(lambda identities: _issuer(identities)),
            client_id_lists=["sts.amazonaws.com"],
            tags=self.settings.tags,
            opts=self._options(),
        )

    def _allow_api_access(self, control_plane: ControlPlane) -> pulumi.Resource:
        """Allow access to the private endpoint, which otherwise answers only members of the cluster security
        group: from the group in the arguments, or else from the network."""
        group = self.settings.api_access.security_group_id
        if group is not None:
            return vpc.SecurityGroupIngressRule(
                f"{self.name}-api-from-group",
                security_group_id=control_plane.security_group_id,
                description="Kubernetes API from the runner",
                referenced_security_group_id=group,
                ip_protocol="tcp",
                from_port=443,
                to_port=443,
                tags=self._tags("api-from-group"),
                opts=self._options(),
            )
        return vpc.SecurityGroupIngressRule(
            f"{self.name}-api-from-network",
            security_group_id=control_plane.security_group_id,
            description="Kubernetes API from the network",
            cidr_ipv4=self.settings.network.cidr,
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            tags=self._tags("api-from-network"),
            opts=self._options(),
        )
