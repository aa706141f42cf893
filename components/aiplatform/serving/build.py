"""The resources of serving: runtimes, the container that copies models, and what each team has."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking
from pulumi_kubernetes.policy import v1 as policy

from aiplatform._shared.context import Context
from aiplatform._shared.images import images, mirrored
from aiplatform._shared.kubernetes import custom_objects
from aiplatform._shared.kubernetes.names import TEAM_LABEL
from aiplatform._shared.kubernetes.workloads import ingress_from
from aiplatform._shared.outputs import mapped, mapped_object
from aiplatform._shared.references.model_store import RELEASES_URI
from aiplatform.serving import (
    admission,
    llm_log_objects,
    llm_logs,
    request_logs,
    rollout_objects,
    runtimes,
    templates,
)
from aiplatform.serving.args import SERVICE_ACCOUNT, TEMPLATES, ServingSettings
from aiplatform.serving.engines import PORT

LOADER: Final = "ai-platform-releases"
"""The ClusterStorageContainer, the only one of the cluster."""
PREDICTORS: Final = "serving.kserve.io/inferenceservice"
"""The label of Pods of InferenceServices."""
_SCHEMES: Final = ("s3://", "gs://", "hf://", "hdfs://", "webhdfs://", "https://", "http://")
"""All schemes for which KServe would otherwise take its own program; ours refuses what is no release."""


def build(
    component: pulumi.ComponentResource, name: str, settings: ServingSettings, opts: ResourceOptions | None
) -> dict[str, Input[str]]:
    """Create all resources as children of `component`. Returns the principal of each team's predictors.

    What is custom depends on what the component depends on, which the engine does not pass on to children.
    """
    kserve = ResourceOptions(depends_on=opts.depends_on if opts is not None else None)
    context = Context(component, name, settings)
    store = settings.model_store
    uri = store.uri(store.releases_bucket)
    _loader(context, uri, kserve)
    for key in settings.all_runtimes:
        manifest = mapped_object(settings.mirrors, _planned(settings, key))
        _custom(context, f"{name}-{key}", runtimes.API_VERSION, runtimes.KIND, manifest, kserve)
    logs = _logs_uri(settings)
    admission.create(name, uri, ResourceOptions(parent=component), logs)
    # The service account of a team ends while KServe runs, also where the namespace stays: the
    # InferenceServices that it owns have finalizers of KServe's.
    return _teams(context, {"releases": uri, "logs": logs, "mirrors": settings.mirrors}, kserve)


def _planned(settings: ServingSettings, key: str) -> Callable[[Mapping[str, str]], Mapping[str, Any]]:
    def planned(mirrors: Mapping[str, str]) -> Mapping[str, Any]:
        return runtimes.runtime(settings, key, mirrors)

    return planned


def _custom(
    context: Context[ServingSettings],
    logical: str,
    api_version: str,
    kind: str,
    manifest: Input[Mapping[str, Any]],
    after: ResourceOptions,
) -> None:
    options = ResourceOptions.merge(after, ResourceOptions(parent=context.parent))
    custom_objects.create(logical, api_version, kind, manifest, options)


def _loader(context: Context[ServingSettings], uri: Input[str], after: ResourceOptions) -> None:
    """Create the container that KServe adds to Pods with a model: it copies the release, and compares each
    file with the manifest."""
    settings = context.settings
    variables: dict[str, Input[str]] = {RELEASES_URI: uri}
    if settings.cloud == "aws":
        from aiplatform.serving.aws import region

        variables |= dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), region(context.parent))

    def manifest(known: Mapping[str, str]) -> Mapping[str, Any]:
        return {
            "metadata": {"name": LOADER, "labels": {"app.kubernetes.io/managed-by": "ai-platform"}},
            "spec": {
                "workloadType": "initContainer",
                # A model and its adapters: pairs of a URI and a folder.
                "supportsMultiModelDownload": True,
                "supportedUriFormats": [{"prefix": scheme} for scheme in _SCHEMES],
                "container": {
                    "name": "storage-initializer",
                    "image": settings.image,
                    # KServe adds the URI and the folder as arguments.
                    "command": ["python", "-m", "model_release", "load"],
                    "env": [{"name": key, "value": value} for key, value in sorted(known.items())],
                    "resources": {
                        "requests": {"cpu": "500m", "memory": "512Mi"},
                        "limits": {"cpu": "2", "memory": "1Gi"},
                    },
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                        "readOnlyRootFilesystem": True,
                    },
                },
            },
        }

    _custom(
        context,
        f"{context.name}-loader",
        runtimes.API_VERSION,
        "ClusterStorageContainer",
        mapped_object(variables, manifest),
        after,
    )


def _logs_uri(settings: ServingSettings) -> Input[str]:
    """Return where requests and answers are stored; empty where there is no such bucket."""
    store = settings.request_logs
    if store is None:
        return ""
    scheme = "gs" if settings.cloud == "gcp" else "s3"
    return mapped(store.bucket, lambda bucket: f"{scheme}://{bucket}/{store.prefix}")


def _teams(
    context: Context[ServingSettings], values: Mapping[str, Input[Any]], after: ResourceOptions
) -> dict[str, Input[str]]:
    settings = context.settings
    principals: dict[str, Input[str]] = {}
    if not settings.teams:
        return principals
    grants = _grants(context)
    for team in settings.teams:
        principals[team], ready = grants.predictors(team)
        _team(context, team, values, ResourceOptions.merge(after, context.options(*ready)))
        if llm_logs.measured(settings, team):
            options = ResourceOptions.merge(after, context.options(grants.logger(team)))
            _logger(context, team, values["logs"], options)
    return principals


@dataclass(frozen=True)
class _Grants:
    """What gives a team its identities in the cloud, and returns what Pods need before they start: of its
    predictors, with the principal, and of its logger of language models."""

    predictors: Callable[[str], tuple[Input[str], list[pulumi.Resource]]]
    logger: Callable[[str], pulumi.Resource]


def _grants(context: Context[ServingSettings]) -> _Grants:
    if context.settings.cloud == "gcp":
        from aiplatform.serving import gcp

        number = gcp.project_number(context)
        return _Grants(
            lambda team: gcp.grant(context, team, number),
            lambda team: gcp.grant_logger(context, team, number),
        )
    from aiplatform.serving import aws

    return _Grants(lambda team: aws.grant(context, team), lambda team: aws.grant_logger(context, team))


def _templates(
    context: Context[ServingSettings], team: str, values: Mapping[str, Input[Any]]
) -> Input[dict[str, str]]:
    settings, region = context.settings, ""
    if settings.cloud == "aws" and request_logs.uses(settings, team):
        from aiplatform.serving import aws

        region = aws.region(context.parent)

    def planned(known: Mapping[str, Any]) -> dict[str, str]:
        agent = mirrored(images()[request_logs.IMAGE].reference, known["mirrors"])
        logs = request_logs.Target(known["logs"], agent, region) if known["logs"] else None
        return templates.templates(settings, team, known["releases"], logs)

    return mapped_object(values, planned)


def _team(
    context: Context[ServingSettings], team: str, values: Mapping[str, Input[Any]], options: ResourceOptions
) -> None:
    """Create what is in the namespace of a team. values: URIs of releases and request logs, and mirrors."""
    settings = context.settings

    def metadata(name: str) -> meta.ObjectMetaArgs:
        return meta.ObjectMetaArgs(name=name, namespace=settings.namespace(team), labels={TEAM_LABEL: team})

    core.ServiceAccount(
        f"{context.name}-{team}-service-account",
        metadata=metadata(SERVICE_ACCOUNT),
        automount_service_account_token=False,
        opts=options,
    )
    core.ConfigMap(
        f"{context.name}-{team}-templates",
        metadata=metadata(TEMPLATES),
        data=_templates(context, team, values),
        opts=options,
    )
    for service, served in settings.teams[team].services.items():
        if served.most > 1:
            _budget(context, team, service, metadata(f"serving-{service}"), options)
    if team in settings.rolled_out:
        rollout_objects.create(context.name, settings, team, options)
    # By KServe's label; and by the platform's, which groups of Pods over several nodes have.
    ports = [PORT, *([request_logs.AGENT_PORT] if request_logs.uses(settings, team) else [])]
    for name, label in (("clients", PREDICTORS), ("service-clients", templates.SERVICE)):
        if settings.client_namespaces:
            logical = f"{context.name}-{team}-{name}"
            _clients(context, logical, metadata(f"serving-{name}"), label, ports, options)


def _logger(context: Context[ServingSettings], team: str, logs: Input[str], options: ResourceOptions) -> None:
    """Create what measures a team's requests to language models. logs: the URI of the bucket's folder."""
    variables: dict[str, Input[str]] = {"LOGS_URI": logs}
    if context.settings.cloud == "aws":
        from aiplatform.serving import aws

        variables |= dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), aws.region(context.parent))
    llm_log_objects.create(context.name, context.settings, team, variables, options)


def _budget(
    context: Context[ServingSettings],
    team: str,
    service: str,
    metadata: meta.ObjectMetaArgs,
    options: ResourceOptions,
) -> None:
    """Create the disruption budget of a service: a drain evicts one Pod of its blue and green servers at a
    time. A single Pod is evicted, too."""
    policy.PodDisruptionBudget(
        f"{context.name}-{team}-{service}-disruption-budget",
        metadata=metadata,
        spec=policy.PodDisruptionBudgetSpecArgs(
            max_unavailable=1,
            selector=meta.LabelSelectorArgs(match_labels={templates.SERVICE: service}),
            # A server that does not start would otherwise stop the drain of its node.
            unhealthy_pod_eviction_policy="AlwaysAllow",
        ),
        opts=options,
    )


def _clients(
    context: Context[ServingSettings],
    logical: str,
    metadata: meta.ObjectMetaArgs,
    label: str,
    ports: Sequence[int],
    options: ResourceOptions,
) -> None:
    """Allow clients to connect to the ports of servers with a label, whatever its value."""
    networking.NetworkPolicy(
        logical,
        metadata=metadata,
        spec=networking.NetworkPolicySpecArgs(
            pod_selector=meta.LabelSelectorArgs(
                match_expressions=[meta.LabelSelectorRequirementArgs(key=label, operator="Exists")]
            ),
            policy_types=["Ingress"],
            ingress=[ingress_from(port, context.settings.client_namespaces) for port in ports],
        ),
        opts=options,
    )
