"""The arguments of the component Teams: what the file states, and the addresses of what the layers below
offer. Pure: no resource, no call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from pulumi import Input

from aiplatform._shared.principals import known
from aiplatform.addons.catalog import catalog
from aiplatform.addons.permissions import SECRETS
from aiplatform.feature_store.args import PORT as STORE_PORT
from aiplatform.gateway.args import ENVOY_GATEWAY
from aiplatform.model_registry.args import PORT as REGISTRY_PORT
from aiplatform.teams.inputs import TeamsArgs
from aiplatform.training.args import RAY, RAY_HEAD_PORTS
from aiplatform.training.plan import FILES_AT
from stacks import devices, iceberg_catalog
from stacks.data_arguments import secret_of
from stacks.settings import Settings
from stacks.settings.generated import stated
from stacks.settings.teams import OF_PLATFORM

MOUNTED_AT: Final = FILES_AT
"""Where Pods mount the ConfigMap `platform-files`."""
MLFLOW: Final = "mlflow"
"""The Secret of a team's account in the model registry."""
_SERVED_PORTS: Final = (8000, 8080)
"""Ports of Pods that serve models behind the gateway: of LLMInferenceServices and of InferenceServices."""
_SERVICE_PORTS: Final = (80, 443)
"""Ports of the Services in front of the platform's servers."""


@dataclass(frozen=True)
class Offered:
    """What the layers below offer to teams: outputs of components, or placeholders of them. None: the
    environment has no such component."""

    cluster: Mapping[str, Any] | None
    workload_identities: Mapping[str, Any]
    addons: Mapping[str, Any] | None = None
    lakehouse: Mapping[str, Any] | None = None
    feature_store: Mapping[str, Any] | None = None
    model_registry: Mapping[str, Any] | None = None
    model_store: Mapping[str, Any] | None = None
    training: Mapping[str, Any] | None = None


def teams(settings: Settings, offered: Offered) -> TeamsArgs:
    """Arguments of the teams."""
    addons = offered.addons or {}
    has_secrets = SECRETS in addons.get("versions", {})
    registry = offered.model_registry
    args: dict[str, Any] = {
        "prefix": settings.environment.prefix,
        "cluster": offered.cluster,
        "secret_stores": has_secrets,
        "teams": {name: _team(settings, name, offered, has_secrets) for name in settings.teams},
    }
    if offered.model_store is not None:
        args["model_store"] = offered.model_store
    if offered.training is not None:
        args["cluster_roles"] = [offered.training["reader_role"]]
    numbers = devices.claimed(settings)
    if numbers:
        args["claimed_gpus"] = numbers
    if settings.environment.cloud == "aws" and has_secrets:
        args["secrets_role_arn"] = addons["secrets_role_arn"]
        if registry is not None:
            args["secret_keys"] = [registry["kms_key"]]
    return cast("TeamsArgs", args)


def _team(settings: Settings, name: str, offered: Offered, has_secrets: bool) -> dict[str, Any]:
    team = {key: value for key, value in stated(settings.teams[name]).items() if key not in OF_PLATFORM}
    team["identity"] = offered.workload_identities[name]
    # What the file states applies in place of the platform's values.
    team["configuration"] = {**_configuration(settings, name, offered), **team.get("configuration", {})}
    team["files"] = {**_files(settings, name, offered), **team.get("files", {})}
    team["services"] = {**dict(_services(offered)), **team.get("services", {})}
    if settings.training is not None and stated(settings.training).get("ray"):
        team["clients"] = {catalog()[RAY].namespace: list(RAY_HEAD_PORTS), **team.get("clients", {})}
    if settings.gateway_class == "envoy":
        namespace = catalog()[ENVOY_GATEWAY].namespace
        team["clients"] = {namespace: list(_SERVED_PORTS), **team.get("clients", {})}
    registry = offered.model_registry
    if registry is not None and has_secrets:
        account = {
            "secret": secret_of(registry["secrets"], name),
            "keys": {"MLFLOW_TRACKING_USERNAME": "username", "MLFLOW_TRACKING_PASSWORD": "password"},
        }
        team["secrets"] = {MLFLOW: account, **team.get("secrets", {})}
    return team


def _services(offered: Offered) -> Iterator[tuple[str, list[int]]]:
    """Yield the namespaces of the platform's servers, with the ports of their Services and Pods."""
    if offered.model_registry is not None:
        yield offered.model_registry["namespace"], [*_SERVICE_PORTS, REGISTRY_PORT]
    if offered.feature_store is not None:
        yield offered.feature_store["namespace"], [*_SERVICE_PORTS, STORE_PORT]


def _configuration(settings: Settings, name: str, offered: Offered) -> dict[str, Input[str]]:
    """Return the environment variables by which clients of the platform need no configuration."""
    environment = settings.environment
    variables: dict[str, Input[str]] = {"PLATFORM_ENVIRONMENT": environment.name, "PLATFORM_TEAM": name}
    if environment.cloud == "aws":
        variables["AWS_REGION"] = environment.region
    else:
        variables["GOOGLE_CLOUD_PROJECT"] = environment.project_id or ""
        variables["GOOGLE_CLOUD_REGION"] = environment.region
    registry, lakehouse, store = (
        offered.model_registry,
        offered.lakehouse,
        offered.feature_store,
    )
    if registry is not None:
        variables["MLFLOW_TRACKING_URI"] = registry["tracking_uri"]
        # MLflow's experiment `Default` is no account's: a run without an experiment would be refused.
        variables["MLFLOW_EXPERIMENT_NAME"] = name
    if lakehouse is not None:
        variables["PYICEBERG_HOME"] = MOUNTED_AT
        variables["LAKEHOUSE_WAREHOUSE"] = lakehouse["warehouse"]
    if store is not None:
        variables["FEATURE_SERVER_URL"] = store["endpoint"]
        if _client(store, offered.workload_identities[name]) is not None:
            variables["FEAST_FS_YAML_FILE_PATH"] = f"{MOUNTED_AT}/feature_store.yaml"
    return variables


def _files(settings: Settings, name: str, offered: Offered) -> dict[str, Input[str]]:
    """Return the configuration files of clients."""
    files: dict[str, Input[str]] = {}
    if offered.lakehouse is not None:
        files[".pyiceberg.yaml"] = iceberg_catalog.file(settings, offered.lakehouse)
    if offered.feature_store is not None:
        client = _client(offered.feature_store, offered.workload_identities[name])
        if client is not None:
            files["feature_store.yaml"] = client
    return files


def _client(store: Mapping[str, Any], identity: Mapping[str, Any]) -> Input[str] | None:
    """Return the `feature_store.yaml` of an identity that the feature store lists as applier or reader."""
    principal = known(identity["principal"])
    clients = cast("Sequence[Mapping[str, Any]]", store["clients"])
    return next(
        (client["feature_store_yaml"] for client in clients if known(client["principal"]) == principal), None
    )
