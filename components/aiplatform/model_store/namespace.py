"""The namespace of promotions and imports, its service accounts, network policies, quota and roles."""

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking
from pulumi_kubernetes.rbac import v1 as rbac

from aiplatform._shared.context import Context
from aiplatform._shared.kubernetes.namespaces import limits
from aiplatform._shared.kubernetes.workloads import (
    NAMESPACE_LABEL,
    Application,
    egress_rules,
    egress_to,
    namespace,
)
from aiplatform._shared.outputs import mapped
from aiplatform._shared.references.model_store import RELEASES_URI
from aiplatform.model_store import admission, workflow_admission
from aiplatform.model_store.args import (
    CONFIGURATION,
    FILES,
    IMPORTER,
    NAMESPACE,
    PROMOTER,
    ModelStoreSettings,
)
from aiplatform.model_store.platform import Built

_LABELS: Final = {"app.kubernetes.io/part-of": "model-store"}
_RBAC: Final = "rbac.authorization.k8s.io"
ROLE: Final = "release-managers"
"""The Role of the members that approve."""
CA_FILE: Final = "ca.pem"
"""The key of the ConfigMap FILES with the authorities of the registry's certificate."""
_GOOGLE_APIS: Final = ("199.36.153.4/30", "199.36.153.8/30")
"""restricted.googleapis.com and private.googleapis.com ("Configure Private Google Access")."""
_PODS: Final = 20
_READ: Final = ("get", "list", "watch")
_RULES: Final[Sequence[tuple[str, Sequence[str], Sequence[str]]]] = (
    ("batch", ("jobs",), (*_READ, "create", "delete")),
    ("", ("pods", "events"), _READ),
    ("", ("pods/log", "configmaps"), ("get",)),
    (admission.API_GROUP, (admission.APPROVABLE,), (admission.VERB,)),
)


_WORKFLOW_RULES: Final[Sequence[tuple[str, Sequence[str], Sequence[str]]]] = (
    # `patch` resumes: the admission policies allow no other change.
    (workflow_admission.GROUP, ("workflows",), (*_READ, "patch")),
    (workflow_admission.GROUP, ("workflowtemplates",), ("get", "list")),
)
REPORTERS: Final = "promotion-steps"
"""The Role of the promoter, by which steps of workflows report their results."""


def create(context: Context[ModelStoreSettings], built: Built, uri: Input[str]) -> list[pulumi.Resource]:
    """Create the namespace and all that it contains. uri: of the releases. Returns what Jobs need before they
    start."""
    application = Application(context.parent, context.name, NAMESPACE, _LABELS)
    exists = namespace(application)
    options = application.options(*exists)

    def metadata(name: str) -> meta.ObjectMetaArgs:
        return meta.ObjectMetaArgs(name=name, namespace=NAMESPACE, labels=_LABELS)

    quota = limits.Quota(pods=_PODS, volumes=0)
    exists += limits.create(f"{context.name}-{NAMESPACE}", metadata, quota, options)
    accounts = [
        core.ServiceAccount(
            f"{context.name}-{account}-service-account",
            metadata=meta.ObjectMetaArgs(
                name=account,
                namespace=NAMESPACE,
                labels=_LABELS,
                annotations=built.identities[account].annotations,
            ),
            # They call the cloud, not Kubernetes.
            automount_service_account_token=False,
            opts=application.options(*exists, *built.ready),
        )
        for account in (PROMOTER, IMPORTER)
    ]
    configuration = core.ConfigMap(
        f"{context.name}-configuration",
        metadata=metadata(CONFIGURATION),
        data=_variables(context.settings, built, uri),
        opts=options,
    )
    files: list[pulumi.Resource] = []
    if context.settings.registry_ca is not None:
        files = [
            core.ConfigMap(
                f"{context.name}-files",
                metadata=metadata(FILES),
                data={CA_FILE: context.settings.registry_ca},
                opts=options,
            )
        ]
    _approvers(context, built.groups, options)
    if context.settings.workflows is not None:
        _reporters(context, options)
    admission.create(context, options)
    return [*exists, *accounts, configuration, *files, *_network_policies(context, options)]


def _variables(settings: ModelStoreSettings, built: Built, uri: Input[str]) -> dict[str, Input[str]]:
    variables: dict[str, Input[str]] = {
        RELEASES_URI: uri,
        "IMAGE": settings.image or "",
        "PROFILE": settings.profile,
        **built.variables,
    }
    if settings.registry is not None:
        variables["MLFLOW_TRACKING_URI"] = settings.registry.tracking_uri
        variables["MLFLOW_ACCOUNT_SECRET"] = _secret(settings, settings.registry.secret)
        variables["GUARDED_ALIASES"] = ",".join(settings.registry.guarded_aliases)
    if settings.hugging_face is not None:
        variables["HUGGING_FACE_SECRET"] = _secret(settings, settings.hugging_face.secret)
    if settings.registry_ca is not None:
        # Absent without: MLflow takes an empty one for no verification.
        variables["MLFLOW_TRACKING_SERVER_CERT_PATH"] = f"{admission.FILES_AT}/{CA_FILE}"
    return variables


def _secret(settings: ModelStoreSettings, secret: Input[str]) -> Input[str]:
    """Return a secret as the program addresses it: on Google Cloud with its project."""
    if settings.cloud != "gcp":
        return secret
    project = settings.cluster.project
    return mapped(secret, lambda stated: stated if "/" in stated else f"projects/{project}/secrets/{stated}")


def _network_policies(
    context: Context[ModelStoreSettings], options: ResourceOptions
) -> list[networking.NetworkPolicy]:
    """Create what promotions and imports connect to. Only imports reach every address."""
    settings = context.settings
    ranges = settings.api_ranges
    # Argo's executor reports to the API server, whose addresses change.
    if ranges is None and settings.cloud == "gcp" and settings.workflows is None:
        ranges = list(_GOOGLE_APIS)
    registry = settings.registry
    servers = (
        []
        if registry is None
        else [
            egress_to(
                port,
                [
                    networking.NetworkPolicyPeerArgs(
                        namespace_selector=meta.LabelSelectorArgs(
                            match_labels={NAMESPACE_LABEL: registry.namespace}
                        )
                    )
                ],
            )
            for port in registry.ports
        ]
    )
    egress = {
        PROMOTER: egress_rules(settings.cloud, *servers, ranges=ranges),
        IMPORTER: egress_rules(settings.cloud),
    }
    return [
        networking.NetworkPolicy(
            f"{context.name}-{account}-network-policy",
            metadata=meta.ObjectMetaArgs(name=account, namespace=NAMESPACE, labels=_LABELS),
            spec=networking.NetworkPolicySpecArgs(
                pod_selector=meta.LabelSelectorArgs(match_labels={admission.JOB_LABEL: account}),
                policy_types=["Egress"],
                egress=rules,
            ),
            opts=options,
        )
        for account, rules in egress.items()
    ]


def _approvers(
    context: Context[ModelStoreSettings], groups: Sequence[Input[str]], options: ResourceOptions
) -> None:
    """Create the Role of the members that approve, and its binding."""
    if not groups:
        return
    rules = _RULES if context.settings.workflows is None else (*_RULES, *_WORKFLOW_RULES)
    role = rbac.Role(
        f"{context.name}-{ROLE}",
        metadata=meta.ObjectMetaArgs(name=ROLE, namespace=NAMESPACE, labels=_LABELS),
        rules=[
            rbac.PolicyRuleArgs(api_groups=[group], resources=list(resources), verbs=list(verbs))
            for group, resources, verbs in rules
        ],
        opts=options,
    )
    rbac.RoleBinding(
        f"{context.name}-{ROLE}-members",
        metadata=meta.ObjectMetaArgs(name=ROLE, namespace=NAMESPACE, labels=_LABELS),
        role_ref=rbac.RoleRefArgs(api_group=_RBAC, kind="Role", name=ROLE),
        subjects=[rbac.SubjectArgs(kind="Group", name=group, api_group=_RBAC) for group in groups],
        opts=ResourceOptions.merge(options, ResourceOptions(depends_on=[role])),
    )


def _reporters(context: Context[ModelStoreSettings], options: ResourceOptions) -> None:
    """Allow the promoter to report the results of steps, and nothing else."""
    role = rbac.Role(
        f"{context.name}-{REPORTERS}",
        metadata=meta.ObjectMetaArgs(name=REPORTERS, namespace=NAMESPACE, labels=_LABELS),
        rules=[
            rbac.PolicyRuleArgs(
                api_groups=[workflow_admission.GROUP],
                resources=["workflowtaskresults"],
                verbs=["create", "patch"],
            )
        ],
        opts=options,
    )
    rbac.RoleBinding(
        f"{context.name}-{REPORTERS}-members",
        metadata=meta.ObjectMetaArgs(name=REPORTERS, namespace=NAMESPACE, labels=_LABELS),
        role_ref=rbac.RoleRefArgs(api_group=_RBAC, kind="Role", name=REPORTERS),
        subjects=[rbac.SubjectArgs(kind="ServiceAccount", name=PROMOTER, namespace=NAMESPACE)],
        opts=ResourceOptions.merge(options, ResourceOptions(depends_on=[role])),
    )
