"""Topics that refer to each other: names that two of them would share, and a topic that needs another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aiplatform._shared.args import Problem, got, nearest
from aiplatform.addons.permissions.settings import KARPENTER, LOAD_BALANCERS
from aiplatform.continuous_training.args import REQUESTS_IDENTITY
from aiplatform.feature_store.args import IDENTITY as STORE_IDENTITY
from aiplatform.feature_store.args import MATERIALIZER as STORE_MATERIALIZER
from aiplatform.feature_store.args import NAMESPACE as STORE_NAMESPACE
from aiplatform.feature_store.args import SERVER as STORE_SERVER
from aiplatform.gateway.args import CERTIFICATES, GATEWAY_KINDS
from aiplatform.guardrails.args import default_priority_classes
from aiplatform.model_registry.args import NAMESPACE as REGISTRY_NAMESPACE
from aiplatform.model_registry.args import SERVER as REGISTRY_SERVER
from aiplatform.model_registry.args import SETUP as REGISTRY_SETUP
from aiplatform.model_store.args import IMPORTER, PROMOTER, REQUESTS
from aiplatform.model_store.args import NAMESPACE as RELEASE
from aiplatform.training.args import JOBSET
from stacks import devices
from stacks.settings import MATERIALIZER, ModelRegistry, Settings
from stacks.settings.generated import stated


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield the topics that contradict each other or lack one that they need."""
    yield from _pool_names(settings)
    yield from _cost(settings)
    yield from _karpenter(settings)
    yield from _identities(settings)
    yield from _feature_store(settings)
    yield from _teams(settings)
    yield from _observability(settings)
    yield from _gpu_metrics(settings)
    yield from _model_store(settings)
    yield from _training(settings)
    yield from _gateway(settings)
    yield from _pipelines(settings)
    if settings.model_registry is not None:
        yield from _namespace(settings.model_registry)


def _pool_names(settings: Settings) -> Iterator[Problem]:
    for name in sorted(set(settings.node_pools) & set(settings.gpu_pools)):
        yield Problem(
            f"gpu_pools.{name}",
            f"also the name of a node pool; expected a name that no pool has, not {name!r}",
        )


def _cost(settings: Settings) -> Iterator[Problem]:
    """Yield the pools whose use is stated and that do not exist."""
    pools = [*settings.node_pools, *settings.gpu_pools]
    for name in settings.cost.hours:
        if name not in pools:
            known = ", ".join(pools) or "none, since there are no pools"
            yield Problem(f"cost.hours.{name}", f"no pool; expected one of {known}{nearest(name, pools)}")


def _karpenter(settings: Settings) -> Iterator[Problem]:
    """Yield what keeps Karpenter from creating the nodes of the pools that state it."""
    for name in settings.karpenter_pools:
        path, option = f"gpu_pools.{name}.node_provisioning", None
        if settings.addons is not None:
            option = settings.addons.options.get(KARPENTER)
        if settings.addons is None:
            yield Problem(
                path,
                "Karpenter is an add-on, and the file has none; expected the topic addons, if only as {}",
            )
        elif option is not None and option.enabled is False:
            yield Problem(
                f"addons.options.{KARPENTER}.enabled",
                f"got false, and {path} needs it; expected true, or node_provisioning: cluster_autoscaler",
            )


def _gpu_metrics(settings: Settings) -> Iterator[Problem]:
    """Yield where a node with GPUs would have two exporters of their metrics."""
    if settings.environment.cloud != "gcp" or not devices.enabled(settings, devices.EXPORTER):
        return
    if settings.observability is None and stated(settings.cluster.gke).get("managed_prometheus") is not False:
        yield Problem(
            f"addons.options.{devices.EXPORTER}.enabled",
            "got true, and GKE's own collection of metrics (cluster.gke.managed_prometheus) has an exporter, "
            "too; expected managed_prometheus: false or the topic observability, or the add-on left out",
        )


def _observability(settings: Settings) -> Iterator[Problem]:
    """Yield what observability lacks, and what would collect the same metrics."""
    if settings.observability is None:
        return
    if settings.addons is None:
        yield Problem("observability", "it needs add-ons, and the file has none; expected the topic addons")
    if stated(settings.cluster.gke).get("managed_prometheus") and settings.environment.cloud == "gcp":
        yield Problem(
            "cluster.gke.managed_prometheus",
            "got true, and the topic observability collects the same metrics, which would be stored and paid "
            "for twice; expected it left out, or no topic observability",
        )
    if stated(settings.cluster.gke).get("workload_logs") and settings.observability.logs is not None:
        yield Problem(
            "cluster.gke.workload_logs",
            "got true, and observability.logs collects the same logs, which would be stored and paid for "
            "twice; expected it left out, or no observability.logs",
        )


def _training(settings: Settings) -> Iterator[Problem]:
    """Yield what training lacks."""
    if settings.training is None:
        return
    if settings.addons is None:
        yield Problem("training", "it needs add-ons, and the file has none; expected the topic addons")
        return
    option = settings.addons.options.get(JOBSET)
    if option is not None and option.enabled is False:
        yield Problem(
            f"addons.options.{JOBSET}.enabled",
            "got false, and TrainJobs consist of JobSets; expected true, or no topic training",
        )


def _gateway(settings: Settings) -> Iterator[Problem]:
    """Yield what the gateway lacks, and what contradicts it."""
    if settings.gateway is None:
        return
    if settings.addons is None:
        yield Problem("gateway", "it needs add-ons, and the file has none; expected the topic addons")
        return
    envoy, on_google = settings.gateway_class == "envoy", settings.environment.cloud == "gcp"
    needed = [CERTIFICATES, *([GATEWAY_KINDS] if envoy else [])]
    for name in [*needed, *([] if on_google else [LOAD_BALANCERS])]:
        option = settings.addons.options.get(name)
        if option is not None and option.enabled is False:
            yield Problem(
                f"addons.options.{name}.enabled",
                "got false, and the topic gateway needs it; expected true, or no topic gateway",
            )
    gateways_of_gke = stated(settings.cluster.gke).get("gateway_api")
    if envoy and on_google and gateways_of_gke:
        yield Problem(
            "cluster.gke.gateway_api",
            "got true, and Envoy Gateway needs the kinds of gateways in another version than GKE's, which "
            "would replace them; expected false, or gateway.gateway_class: gke",
        )
    if not envoy and on_google and gateways_of_gke is False:
        yield Problem(
            "cluster.gke.gateway_api",
            "got false, and gateway.gateway_class is gke; expected true, or gateway_class: envoy",
        )
    for name in stated(settings.gateway).get("claims", {}):
        if name not in settings.teams:
            yield Problem(
                f"gateway.claims.{name}",
                f"got {name!r}, which is no team of the file{nearest(name, settings.teams)}",
            )


def _priority_classes(settings: Settings) -> Iterator[Problem]:
    """Yield the priority classes of teams that the environment does not have."""
    if settings.guardrails is None:
        return
    topic: dict[str, Any] = stated(settings.guardrails)
    known: list[str] = list(topic.get("priority_classes", default_priority_classes()))
    for name, team in settings.teams.items():
        for index, entry in enumerate(stated(team).get("priority_classes", [])):
            if entry not in known:
                yield Problem(
                    f"teams.{name}.priority_classes[{index}]",
                    f"got {entry!r}, which is no priority class of the cluster; expected one of "
                    f"{', '.join(known)}, or an entry in guardrails.priority_classes{nearest(entry, known)}",
                )


def _teams(settings: Settings) -> Iterator[Problem]:
    """Yield what keeps the members of teams out of the cluster, and names that are taken."""
    platform_names = _names_of_components(settings)
    for name in settings.teams:
        if name in platform_names:
            yield Problem(
                f"teams.{name}",
                f"the platform creates an identity {name!r} for {platform_names[name]}; expected another "
                "name",
            )
    queues = settings.queue_names
    kueue = settings.addons.options.get("kueue") if settings.addons is not None else None
    if settings.queues is not None and kueue is not None and kueue.enabled is False:
        yield Problem(
            "addons.options.kueue.enabled",
            "got false, and it is the controller of the topic queues; expected true, or no topic queues",
        )
    for name, team in settings.teams.items():
        queue = stated(team).get("queue")
        if queue is not None and queue not in queues:
            expected = f"expected one of {', '.join(queues)}" if queues else "expected the topic queues"
            yield Problem(
                f"teams.{name}.queue",
                f"{got(queue)}, which is no queue of the file; {expected}{nearest(queue, queues)}",
            )
    yield from _priority_classes(settings)
    groups = stated(settings.cluster.gke).get("google_groups")
    if settings.teams and settings.environment.cloud == "gcp" and groups is None:
        yield Problem(
            "cluster.gke.google_groups",
            "missing; expected the group gke-security-groups@<your domain>, without which GKE knows no "
            "members of teams",
        )
    taken = {
        namespace: topic for (namespace, _), topic in _service_accounts_of_the_platform(settings).items()
    }
    for name in settings.teams:
        namespace = settings.namespace_of(name)
        if namespace in taken:
            yield Problem(
                f"teams.{name}.namespace",
                f"got {namespace!r}, which belongs to {taken[namespace]}; expected another one",
            )
    yield from _quotas(settings)
    yield from _members(settings)


def _members(settings: Settings) -> Iterator[Problem]:
    """Yield the members of teams that also administer the cluster. EKS has one access entry for a role; on
    GKE the end of one membership would revoke the role by which the other reaches the cluster."""
    admins = settings.cluster.admins
    for name, team in settings.teams.items():
        for role in ("owners", "developers", "readers"):
            for index, member in enumerate(stated(team).get(role, [])):
                if member in admins:
                    yield Problem(
                        f"teams.{name}.{role}[{index}]",
                        f"got {member!r}, which is in cluster.admins, too; expected one or the other",
                    )


def _model_store(settings: Settings) -> Iterator[Problem]:
    """Yield what promotions lack, and members that would approve models of a team that they are in."""
    if settings.model_store is None:
        return
    topic = stated(settings.model_store)
    account = settings.model_store.account
    if settings.model_registry is not None and "registry" not in topic:
        accounts: Mapping[str, Any] = stated(settings.model_registry).get("accounts", {})
        if not accounts.get(account, {}).get("promotes"):
            promoting = [name for name, stated_account in accounts.items() if stated_account.get("promotes")]
            yield Problem(
                "model_store.account",
                f"got {account!r}, which is no account of model_registry that promotes"
                f"{nearest(account, promoting)}; expected one with `promotes: true`",
            )
        if stated(settings.model_registry).get("tls_secret") and not topic.get("registry_ca"):
            yield Problem(
                "model_store.registry_ca",
                "missing, and no public authority signs the name of the registry's server "
                "(model_registry.tls_secret); expected the certificates of its authority, in PEM",
            )
    if settings.model_registry is None and settings.model_store.registry is None and "account" in topic:
        yield Problem(
            "model_store.account",
            f"got {account!r} without a model registry; expected the topic model_registry",
        )
    group = topic.get("release_group", [])
    if (
        group
        and settings.environment.cloud == "gcp"
        and not stated(settings.cluster.gke).get("google_groups")
    ):
        yield Problem(
            "cluster.gke.google_groups",
            "missing; expected the group gke-security-groups@<your domain>, without which GKE knows no "
            "members of model_store.release_group",
        )
    others = _admitted(settings)
    for index, member in enumerate(group):
        if member in others:
            yield Problem(
                f"model_store.release_group[{index}]",
                f"got {member!r}, which is in {others[member]}, too; expected a member that only approves: "
                "an author does not approve, and EKS has one access entry for a role",
            )


def _admitted(settings: Settings) -> dict[str, str]:
    """Return the administrators and members of teams, each with the key that states it."""
    members = dict.fromkeys(settings.cluster.admins, "cluster.admins")
    for name, team in settings.teams.items():
        for role in ("owners", "developers", "readers"):
            members |= dict.fromkeys(stated(team).get(role, []), f"teams.{name}.{role}")
    return members


def _quotas(settings: Settings) -> Iterator[Problem]:
    """Yield the policy without which teams can pass their quotas: a warning admits accelerators that Kueue
    does not count."""
    if settings.guardrails is None:
        return
    guardrails = stated(settings.guardrails)
    enforcement = guardrails.get("policies", {}).get("accelerators", guardrails.get("enforcement", "deny"))
    queued = [name for name, team in settings.teams.items() if stated(team).get("queue") is not None]
    if queued and enforcement != "deny":
        yield Problem(
            "guardrails.policies.accelerators",
            f"got {enforcement!r}, with which a workload without a queue gets accelerators; expected 'deny': "
            f"teams with a queue ({', '.join(queued)}) share them by quotas",
        )


def _feature_store(settings: Settings) -> Iterator[Problem]:
    if settings.feature_store is None:
        return
    if settings.lakehouse is None:
        yield Problem(
            "feature_store", "features come from a lakehouse, which is missing; expected the topic lakehouse"
        )
        return
    grants = stated(settings.lakehouse).get("grants", [])
    if not any(grant["principal"] == MATERIALIZER for grant in grants):
        yield Problem(
            "lakehouse.grants",
            f"no grant for {MATERIALIZER!r}, which fills the feature store; expected one with the action "
            "`read` on the "
            "tables that features come from",
        )


def _identities(settings: Settings) -> Iterator[Problem]:
    """Yield names that are taken and service accounts with two identities: EKS refuses a second
    association, and on Google Cloud a service account's annotation names one identity."""
    platform_names = _names_of_the_platform(settings)
    owners = dict(_service_accounts_of_the_platform(settings))
    for name, identity in settings.workload_identities.items():
        path = f"workload_identities.{name}"
        if name in platform_names:
            yield Problem(
                path,
                f"the platform creates an identity {name!r} for {platform_names[name]}; expected another "
                "name",
            )
        service_account = (identity.namespace, identity.service_account)
        owner = owners.setdefault(service_account, path)
        if owner != path:
            yield Problem(
                f"{path}.service_account",
                f"got {identity.service_account!r} in the namespace {identity.namespace!r}, which belongs "
                f"to {owner}; "
                "expected one identity for each service account",
            )


def _names_of_the_platform(settings: Settings) -> Mapping[str, str]:
    """Return the names of identities that the platform creates, each with what it is for."""
    return {**_names_of_components(settings), **{name: f"the team {name}" for name in settings.teams}}


def _names_of_components(settings: Settings) -> Mapping[str, str]:
    names: dict[str, str] = {}
    if settings.feature_store is not None:
        names |= dict.fromkeys((MATERIALIZER, STORE_IDENTITY), "the feature store")
    if settings.model_registry is not None:
        names |= dict.fromkeys((REGISTRY_SERVER, REGISTRY_SETUP), "the model registry")
    if settings.model_store is not None:
        names |= dict.fromkeys((PROMOTER, IMPORTER), "the model store")
    if settings.continuous_training is not None:
        names[REQUESTS_IDENTITY] = "continuous training"
    return names


def _service_accounts_of_the_platform(settings: Settings) -> Mapping[tuple[str, str], str]:
    """Return (namespace, service account) of the platform's identities, each with the topic that creates
    it."""
    accounts: dict[tuple[str, str], str] = {}
    if settings.feature_store is not None:
        accounts |= {(STORE_NAMESPACE, name): "feature_store" for name in (STORE_SERVER, STORE_MATERIALIZER)}
    if settings.model_registry is not None:
        namespace = stated(settings.model_registry).get("namespace", REGISTRY_NAMESPACE)
        accounts |= {(namespace, name): "model_registry" for name in (REGISTRY_SERVER, REGISTRY_SETUP)}
    if settings.model_store is not None:
        accounts |= {(RELEASE, name): "model_store" for name in (PROMOTER, IMPORTER)}
    if settings.continuous_training is not None:
        accounts[(REQUESTS, REQUESTS)] = "continuous_training"
    return accounts


def _pipelines(settings: Settings) -> Iterator[Problem]:
    """Yield teams of pipelines that do not exist, and submitters that may do more."""
    if settings.pipelines is None:
        return
    others = _admitted(settings)
    if settings.model_store is not None:
        group = stated(settings.model_store).get("release_group", [])
        others |= dict.fromkeys(group, "model_store.release_group")
    for name, team in stated(settings.pipelines)["teams"].items():
        if name not in settings.teams:
            expected = nearest(name, settings.teams) or "; expected a team of the topic teams"
            yield Problem(f"pipelines.teams.{name}", f"no team has this name{expected}")
        for index, submitter in enumerate(team.get("submitters", [])):
            if submitter in others:
                yield Problem(
                    f"pipelines.teams.{name}.submitters[{index}]",
                    f"got {submitter!r}, which is in {others[submitter]}, too; expected a principal that "
                    "only submits: EKS has one access entry for a role",
                )


def _namespace(topic: ModelRegistry) -> Iterator[Problem]:
    namespace = stated(topic).get("namespace", REGISTRY_NAMESPACE)
    if namespace.startswith("kube-") or namespace in ("default", STORE_NAMESPACE):
        yield Problem(
            "model_registry.namespace",
            f"got {namespace!r}, which exists already; expected a namespace that the model registry creates "
            "for itself",
        )
