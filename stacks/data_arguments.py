"""The arguments of the components of data, models and pipelines, from the settings. Pure: no resource, no
call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from pulumi import Input, Output

from aiplatform._shared.args import UNKNOWN
from aiplatform.container_registry.args import ContainerRegistryArgs
from aiplatform.feature_store.args import FeatureStoreArgs
from aiplatform.lakehouse.args import LakehouseArgs
from aiplatform.model_registry.args import ModelRegistryArgs
from aiplatform.model_store.args import NAMESPACE as RELEASE
from aiplatform.model_store.args import ModelStoreArgs
from aiplatform.pipelines.args import PipelinesArgs
from stacks import continuous_training_arguments, team_parts
from stacks.arguments import charts, retains_data
from stacks.key_grants import with_key_grants
from stacks.settings import MATERIALIZER, Settings, principals
from stacks.settings.generated import ComponentTopic, stated

Principals = Mapping[str, Input[str]]
"""Name of a workload identity -> its principal in the cloud."""


class Below(Protocol):
    """Of the first layer, what these need: Foundation, or Placeholders of it
    (stacks/validation/placeholders.py)."""

    @property
    def network(self) -> Mapping[str, Any]:
        """Network.outputs."""
        ...

    @property
    def cluster(self) -> Mapping[str, Any] | None:
        """Cluster.outputs."""
        ...

    @property
    def workload_identities(self) -> Mapping[str, Any]:
        """WorkloadIdentity.outputs by the identity's name."""
        ...

    @property
    def principals(self) -> Principals:
        """Principals of the workload identities."""
        ...


def lakehouse(settings: Settings, below: Below) -> LakehouseArgs:
    """Arguments of the lakehouse."""
    args = _arguments(settings, "lakehouse", below.principals, LakehouseArgs)
    if args.get("captures") or args.get("batches"):
        args["network"] = below.network
    if continuous_training_arguments.uses_table_events(settings):
        args["table_events"] = True
    if "billing_export" in args and settings.teams:
        namespaces = {settings.namespace_of(name): name for name in settings.teams}
        args["billing_export"] = {"team_namespaces": namespaces, **args["billing_export"]}
    return cast(LakehouseArgs, args)


def feature_store(settings: Settings, below: Below, lakehouse: Mapping[str, Any]) -> FeatureStoreArgs:
    """Arguments of the feature store. lakehouse: Lakehouse.outputs."""
    args = _arguments(settings, "feature_store", below.principals, FeatureStoreArgs)
    args.update(
        cluster=below.cluster, lakehouse=lakehouse, materializer=below.workload_identities[MATERIALIZER]
    )
    if settings.environment.cloud == "aws":
        args["network"] = below.network
    server: dict[str, Any] = {"metrics": settings.observability is not None, **args.get("server", {})}
    if settings.teams:
        server["clients"] = _with_teams(settings, server.get("clients", []))
    args["server"] = server
    return cast(FeatureStoreArgs, args)


def container_registry(settings: Settings, below: Below) -> ContainerRegistryArgs:
    """Arguments of the container registry."""
    args = _arguments(settings, "container_registry", below.principals, ContainerRegistryArgs)
    nodes = (below.cluster or {}).get("node_role_arn")
    if settings.environment.cloud == "aws" and nodes is not None:
        # A node that pulls an image which the cache does not have yet imports it.
        args["node_roles"] = [nodes]
    pushers = team_parts.pushers(settings)
    if pushers:
        args["repositories"] = [*args.get("repositories", []), *pushers]
        args["repository_writers"] = args.get("repository_writers", {}) | {
            repository: [below.principals.get(name, name) for name in names]
            for repository, names in pushers.items()
        }
    if settings.environment.cloud == "gcp":
        # Artifact Registry deletes a repository with its images in any case.
        args.pop("force_destroy", None)
    return cast(ContainerRegistryArgs, args)


def model_registry(settings: Settings, below: Below) -> ModelRegistryArgs:
    """Arguments of the model registry."""
    args = _arguments(settings, "model_registry", below.principals, ModelRegistryArgs)
    args.update(cluster=below.cluster, network=below.network)
    args.setdefault("metrics", settings.observability is not None)
    if settings.teams:
        # Each team has an account, and its Pods reach the server.
        args["accounts"] = {**{name: {} for name in settings.teams}, **args.get("accounts", {})}
        args["client_namespaces"] = _with_teams(settings, args.get("client_namespaces", []))
    if settings.model_store is not None and settings.model_store.registry is None:
        args["client_namespaces"] = list(dict.fromkeys([*args.get("client_namespaces", []), RELEASE]))
    if settings.environment.cloud == "gcp":
        # The provider's default labels do not reach Cloud SQL, which has to be labelled with its cost center.
        args["tags"] = {**settings.environment.all_tags, **args.get("tags", {})}
    database = args.get("database", {})
    if settings.environment.teardown and "existing" not in database:
        args["database"] = {**database, "deletion_protection": False}
    return cast(ModelRegistryArgs, args)


def model_store(settings: Settings, below: Below, registry: Mapping[str, Any] | None) -> ModelStoreArgs:
    """Arguments of the model store. registry: ModelRegistry.outputs, or None where the environment has
    none."""
    environment = settings.environment
    args = _arguments(settings, "model_store", below.principals, ModelStoreArgs)
    account = args.pop("account", "release")
    args.update(cluster=below.cluster, profile=environment.profile)
    if settings.continuous_training is not None:
        args["workflows"] = continuous_training_arguments.workflows(settings)
    if registry is not None and "registry" not in args:
        args["registry"] = {
            "tracking_uri": registry["tracking_uri"],
            "namespace": registry["namespace"],
            "secret": secret_of(registry["secrets"], account),
            **({"kms_key": registry["kms_key"]} if environment.cloud == "aws" else {}),
            **_guarded_aliases(settings),
        }
    retention = args.get("releases", {}).get("retention", {})
    if environment.cloud == "gcp" and args["force_destroy"] and retention.get("mode") != "compliance":
        # Cloud Storage empties no bucket in its period, which ends with this update.
        args.get("releases", {}).pop("retention", None)
    return cast(ModelStoreArgs, args)


def pipelines(settings: Settings, below: Below) -> PipelinesArgs:
    """Arguments of pipelines: each team runs its steps with the identity of its Pods."""
    args = _arguments(settings, "pipelines", below.principals, PipelinesArgs)
    stated_teams: Mapping[str, Mapping[str, Any]] = args["teams"]
    teams = {
        name: {
            **team,
            "namespace": settings.namespace_of(name),
            "identity": below.workload_identities[name],
        }
        for name, team in stated_teams.items()
    }
    return cast(PipelinesArgs, {**args, "cluster": below.cluster, "charts": charts(settings), "teams": teams})


def _guarded_aliases(settings: Settings) -> dict[str, Any]:
    aliases = stated(settings.model_registry).get("guarded_aliases") if settings.model_registry else None
    return {"guarded_aliases": aliases} if aliases else {}


def secret_of(secrets: Any, account: str) -> Input[str]:
    """Return the secret of an account in the model registry. secrets: its output, or a placeholder."""
    if secrets is UNKNOWN:
        return UNKNOWN
    if isinstance(secrets, Output):
        return cast("Output[Any]", secrets).apply(lambda entries: secret_of(entries, account))
    # An output in a separate stack, too: whether it is one decides the names of grants.
    return Output.from_input(next(entry["secret"] for entry in secrets if entry["account"] == account))


def _with_teams(settings: Settings, namespaces: Sequence[str]) -> list[str]:
    """Return namespaces with those of the teams."""
    return list(dict.fromkeys([*namespaces, *map(settings.namespace_of, settings.teams)]))


def component_arguments(settings: Settings, topic: str, arguments: type) -> dict[str, Any]:
    """Return the arguments that the file states and those that every component gets, of a topic without
    principals."""
    return _arguments(settings, topic, {}, arguments)


def _arguments(settings: Settings, topic: str, known: Principals, arguments: type) -> dict[str, Any]:
    """Return the arguments that the file states and those that every component gets, as far as this one
    accepts them. Names of workload identities are replaced by their principals."""
    settings_of_topic: ComponentTopic | None = getattr(settings, topic)
    assert settings_of_topic is not None, f"called only where there is a {topic}"  # noqa: S101
    args = principals.replaced(topic, with_key_grants(settings, stated(settings_of_topic)), known)
    accepted = arguments.__annotations__
    # A component that takes a cluster has its location from there; `project` then names something else.
    ignored = () if "cloud" in accepted else ("project", "region")
    common = {key: value for key, value in _common(settings).items() if key in accepted}
    return {**{key: value for key, value in common.items() if key not in ignored}, **args}


def _common(settings: Settings) -> dict[str, Any]:
    environment = settings.environment
    place = {"project": environment.project_id or "", "region": environment.region}
    return {
        "prefix": environment.prefix,
        "cloud": environment.cloud,
        **(place if environment.cloud == "gcp" else {}),
        "mirrors": settings.images.mirrors,
        "protect": environment.profile == "prod" and not environment.teardown,
        "retain_data": retains_data(settings),
        "force_destroy": environment.profile != "prod" or environment.teardown == "with_data",
    }
