"""The identity of a team's predictors on Google Cloud: a grant for the service account of Kubernetes itself
(Workload Identity Federation for GKE), under a condition on the names of objects."""

import pulumi
from pulumi import Input, Output
from pulumi_gcp import organizations, storage

from aiplatform._shared.context import Context
from aiplatform._shared.gcp.apis import enable_apis
from aiplatform.serving import request_logs
from aiplatform.serving.args import SERVICE_ACCOUNT, ServingSettings
from aiplatform.serving.llm_logs import NAME as LOGGER


def grant(
    context: Context[ServingSettings], team: str, number: Input[str]
) -> tuple[Input[str], list[pulumi.Resource]]:
    """Allow the service account to read the team's releases. number: of the project (`project_number`).
    Returns the principal, and what Pods need before they start."""
    settings = context.settings
    member = _member(settings, settings.namespace(team), number)
    bucket = settings.model_store.releases_bucket
    granted = storage.BucketIAMMember(
        f"{context.name}-{team}-releases",
        bucket=bucket,
        # It also allows to list objects, which the condition does not match: the resource of a list is the
        # bucket. The manifest of a release names the files.
        role="roles/storage.objectViewer",
        member=member,
        condition=storage.BucketIAMMemberConditionArgs(
            title=f"releases-of-{team}",
            expression=Output.from_input(bucket).apply(
                # With the slash: `search` is not the beginning of `search-ads`.
                lambda name: f'resource.name.startsWith("projects/_/buckets/{name}/objects/{team}/")'
            ),
        ),
        opts=context.options(),
    )
    if settings.request_logs is None or not request_logs.uses(settings, team):
        return member, [granted]
    return member, [granted, _writes(context, team, f"{context.name}-{team}-request-logs", member)]


def grant_logger(context: Context[ServingSettings], team: str, number: Input[str]) -> pulumi.Resource:
    """Allow the service account of a team's logger to write what it measures. Returns what Pods need before
    they start."""
    member = _member(context.settings, context.settings.namespace(team), number, LOGGER)
    return _writes(context, team, f"{context.name}-{team}-{LOGGER}-request-logs", member)


def _writes(
    context: Context[ServingSettings], team: str, logical: str, member: Input[str]
) -> storage.BucketIAMMember:
    settings, logs = context.settings, context.settings.request_logs
    assert logs is not None, "serving/request_logs.py refuses it"  # noqa: S101
    folder = f"{logs.prefix}/{settings.namespace(team)}/"
    return storage.BucketIAMMember(
        logical,
        bucket=logs.bucket,
        # It creates objects, and reads, lists and replaces none.
        role="roles/storage.objectCreator",
        member=member,
        condition=storage.BucketIAMMemberConditionArgs(
            title=f"request-logs-of-{team}",
            expression=Output.from_input(logs.bucket).apply(
                lambda name: f'resource.name.startsWith("projects/_/buckets/{name}/objects/{folder}")'
            ),
        ),
        opts=context.options(),
    )


def project_number(context: Context[ServingSettings]) -> Output[str]:
    """Return the number of the cluster's project, by which principals name their pool of identities."""
    project = context.settings.cluster.project or ""
    apis = enable_apis(context.parent, context.name, project, ["cloudresourcemanager", "iam", "storage"])
    options = pulumi.InvokeOutputOptions(parent=context.parent, depends_on=list(apis.values()))
    return organizations.get_project_output(project_id=project, opts=options).number


def _member(
    settings: ServingSettings, namespace: str, number: Input[str], account: str = SERVICE_ACCOUNT
) -> Output[str]:
    """Return the principal of the service account ("Authenticate to Google Cloud APIs from GKE
    workloads")."""
    return Output.all(number, settings.cluster.workload_pool).apply(
        lambda known: (
            f"principal://iam.googleapis.com/projects/{known[0]}/locations/global/workloadIdentityPools/"
            f"{known[1]}/subject/ns/{namespace}/sa/{account}"
        )
    )
