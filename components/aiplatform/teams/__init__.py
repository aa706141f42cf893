"""Teams of a cluster: namespaces with members, queues, identities, secrets and configuration."""

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform._shared.references.identity import WorkloadIdentityReferenceArgs
from aiplatform._shared.references.model_store import ModelStoreReferenceArgs
from aiplatform._shared.references.providers import refuse_cloud_of_unknown
from aiplatform.teams.args import TeamArgs, TeamLimitsArgs, TeamsArgs, TeamSecretArgs, TeamsSettings
from aiplatform.teams.outputs import TeamsOutputs

__all__ = [
    "ClusterReferenceArgs",
    "ModelStoreReferenceArgs",
    "TeamArgs",
    "TeamLimitsArgs",
    "TeamSecretArgs",
    "Teams",
    "TeamsArgs",
    "TeamsOutputs",
    "WorkloadIdentityReferenceArgs",
]


class Teams(ComponentResource):
    """The teams of a cluster. Each has a namespace with restricted Pods, network policies and limits; owners,
    developers and readers; a LocalQueue of its ClusterQueue; a service account with a cloud identity; a
    SecretStore that reads only the team's secrets; and a ConfigMap by which clients of the platform need no
    configuration.

    One component has all teams of a cluster: a principal has one access entry in EKS, whichever teams it is
    in. Takes the cloud's and the Kubernetes provider of the cluster through `opts.providers`, and depends, by
    `opts.depends_on`, on the add-ons and queues that it uses.
    """

    namespaces: KnownOutput[dict[str, str]]
    """Team -> its namespace."""
    service_accounts: KnownOutput[dict[str, str]]
    """Team -> the service account of its cloud identity, for those that have one."""
    secret_roles: Output[dict[str, str]]
    """AWS: team -> the arn of the role that its SecretStore assumes."""

    def __init__(self, name: str, args: TeamsArgs, opts: ResourceOptions | None = None) -> None:
        refuse_cloud_of_unknown("TeamsArgs", args, opts)
        settings = read(TeamsSettings, args, "TeamsArgs")
        super().__init__("aiplatform:index:Teams", name, {}, opts)
        # Imported late: arguments are checked without the clouds' SDKs, which take a second and more to load.
        from aiplatform.teams.build import build

        self.outputs: TeamsOutputs = build(self, name, settings, opts)
        publish(self, self.outputs)
