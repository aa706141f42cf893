"""The resources of a function on Google Cloud, in the order of their dependencies.

A service of Cloud Run and no resource of Cloud Run functions: the latter builds an image of each change, and
sets all traffic to the latest revision again.
"""

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi import Input, Output
from pulumi_gcp import cloudrunv2, projects, serviceaccount, storage

from aiplatform._shared.gcp.keys import data_key, grant_member_key_use
from aiplatform._shared.gcp.logs import LogBucket, create_log_bucket, with_stated_key, writer
from aiplatform._shared.outputs import mapped
from aiplatform._shared.principals import declare, member_key
from aiplatform.function import limits
from aiplatform.function.args import LATEST, FunctionSettings
from aiplatform.function.gcp.alarms import create_alarms
from aiplatform.function.gcp.context import Context, Key, context_of
from aiplatform.function.gcp.events import create_events
from aiplatform.function.platform import Deployed

INVOKER: Final = "roles/run.invoker"
_READER: Final = "roles/storage.objectViewer"
_CREATOR: Final = "roles/storage.objectCreator"
_LATEST: Final = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
_REVISION: Final = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"


def create(parent: pulumi.ComponentResource, name: str, settings: FunctionSettings) -> Deployed:
    """Create the resources as children of the component."""
    context = context_of(parent, name, settings)
    agents = {
        "run": context.service_agent("run"),
        **({"pubsub": context.service_agent("pubsub")} if settings.event is not None else {}),
    }
    key = _key(context, agents)
    principal, email = _account(context)
    granted = [*_trace(context, principal), *_objects(context, principal)]
    service = _service(context, email, key, granted)
    logs = _logs(context, service, key)
    _allow_callers(context, service)
    events = create_events(context, service, agents["pubsub"], key) if settings.event is not None else None
    create_alarms(context, service, events)
    return Deployed(
        target=service.id,
        url=service.uri,
        principal=principal,
        version=service.latest_created_revision.apply(lambda path: path.rpartition("/")[2]),
        dead_letters="" if events is None else events.dead_letters.id,
        logs=logs,
        kms_key="" if key is None else key.id,
    )


def _key(context: Context, agents: dict[str, Output[str]]) -> Key | None:
    settings = context.settings
    if not settings.has_key:
        return None
    key = data_key(context)
    users: dict[str, Input[str]] = dict(agents)
    if settings.log_bucket is None:
        logging = writer(context.parent, context.project, context.apis["logging"])
        users["logging"] = Output.concat("serviceAccount:", logging)
    grants = [
        grant_member_key_use(
            context.parent,
            f"{context.name}-key-{service}",
            key,
            member,
            depends_on=[context.apis["cloudkms"]],
        )
        for service, member in users.items()
    ]
    return Key(key, key.id, grants)


def _account(context: Context) -> tuple[Input[str], Input[str]]:
    """Return the identity of the code as a member, and its email."""
    settings = context.settings
    if settings.role is not None:
        email = Output.from_input(settings.role).apply(lambda member: member.partition(":")[2])
        return settings.role, email
    account_id = f"{settings.prefix}-fn-{settings.name}"
    account = serviceaccount.Account(
        context.name,
        project=context.project,
        account_id=account_id,
        display_name=f"Code of {context.service}",
        opts=context.options(context.apis["iam"], delete_before_replace=True),
    )
    member = f"serviceAccount:{account_id}@{context.project}.iam.gserviceaccount.com"
    return declare(account.member, member), account.email


def _trace(context: Context, principal: Input[str]) -> list[pulumi.Resource]:
    if not context.settings.tracing:
        return []
    return [
        projects.IAMMember(
            f"{context.name}-trace",
            project=context.project,
            role="roles/cloudtrace.agent",
            member=principal,
            opts=context.options(context.apis["cloudresourcemanager"]),
        )
    ]


def _objects(context: Context, principal: Input[str]) -> list[pulumi.Resource]:
    """Grant objects: roles on buckets, limited to the prefix by a condition."""
    settings = context.settings
    entries = [
        *((f"reads-{index}", _READER, entry) for index, entry in enumerate(settings.reads)),
        *((f"writes-{index}", _CREATOR, entry) for index, entry in enumerate(settings.writes)),
    ]
    members: list[pulumi.Resource] = []
    for key, role, entry in entries:
        bucket = Output.from_input(settings.bucket(entry))
        condition = storage.BucketIAMMemberConditionArgs(
            title=f"{context.service}-{key}",
            expression=bucket.apply(
                lambda known, prefix=entry.prefix: (
                    f'resource.name.startsWith("projects/_/buckets/{known}/objects/{prefix}")'
                )
            ),
        )
        members.append(
            storage.BucketIAMMember(
                f"{context.name}-{key}",
                bucket=bucket,
                role=role,
                member=principal,
                condition=condition if entry.prefix else None,
                opts=context.options(),
            )
        )
    return members


def _service(
    context: Context, email: Input[str], key: Key | None, depends_on: Sequence[pulumi.Resource]
) -> cloudrunv2.Service:
    settings = context.settings
    grants = [] if key is None else list(key.grants)
    open_to_all = settings.http is not None and settings.http.from_internet
    return cloudrunv2.Service(
        context.name,
        project=context.project,
        location=context.region,
        name=context.service,
        # After the sink to a shared log bucket, so that no log is elsewhere; and deleted before it.
        description=mapped(settings.log_bucket, lambda _: f"Owner: {settings.owner}"),
        ingress="INGRESS_TRAFFIC_ALL" if open_to_all else "INGRESS_TRAFFIC_INTERNAL_ONLY",
        # Every caller needs roles/run.invoker.
        invoker_iam_disabled=False,
        deletion_protection=False,
        template=cloudrunv2.ServiceTemplateArgs(
            service_account=email,
            encryption_key=None if key is None else key.id,
            timeout=f"{settings.timeout_seconds}s",
            max_instance_request_concurrency=settings.concurrency,
            execution_environment="EXECUTION_ENVIRONMENT_GEN2",
            scaling=cloudrunv2.ServiceTemplateScalingArgs(
                min_instance_count=0, max_instance_count=settings.max_instances
            ),
            containers=[
                cloudrunv2.ServiceTemplateContainerArgs(
                    image="" if settings.image is None else settings.image,
                    envs=[
                        cloudrunv2.ServiceTemplateContainerEnvArgs(name=name, value=value)
                        for name, value in sorted(settings.environment.items())
                    ],
                    resources=cloudrunv2.ServiceTemplateContainerResourcesArgs(
                        limits={
                            "cpu": limits.cpus(settings.memory_mib),
                            "memory": f"{settings.memory_mib}Mi",
                        },
                        cpu_idle=True,
                        startup_cpu_boost=True,
                    ),
                )
            ],
            vpc_access=_in_network(context),
            labels=settings.all_tags,
        ),
        traffics=[
            cloudrunv2.ServiceTrafficArgs(
                type=_LATEST if version == LATEST else _REVISION,
                revision=None if version == LATEST else version,
                percent=percent,
            )
            for version, percent in (settings.traffic or {LATEST: 100}).items()
        ],
        labels=settings.all_tags,
        opts=context.options(context.apis["run"], *grants, *depends_on, delete_before_replace=True),
    )


def _in_network(context: Context) -> cloudrunv2.ServiceTemplateVpcAccessArgs | None:
    network = context.settings.network
    if network is None:
        return None
    subnet = Output.from_input(network.private_subnet_ids).apply(lambda subnets: str(subnets[0]))
    return cloudrunv2.ServiceTemplateVpcAccessArgs(
        egress="PRIVATE_RANGES_ONLY",
        network_interfaces=[
            cloudrunv2.ServiceTemplateVpcAccessNetworkInterfaceArgs(network=network.vpc_id, subnetwork=subnet)
        ],
    )


def _logs(context: Context, service: cloudrunv2.Service, key: Key | None) -> Input[str]:
    """Return the log bucket, which is created unless an argument names it. The name of a deleted one is
    reserved for seven days: it has a part of the service's uid."""
    if context.settings.log_bucket is not None:
        return context.settings.log_bucket
    logs = LogBucket(
        project=context.project,
        region=context.region,
        name=f"{context.service}-fn",
        description=f"Logs of {context.service}",
        filter=(
            'resource.type="cloud_run_revision" AND '
            f'resource.labels.service_name="{context.service}" AND '
            f'resource.labels.location="{context.region}"'
        ),
        days=context.settings.retention_days,
        retain=False,
    )
    unique = service.uid.apply(lambda uid: f"{logs.name}-{uid[:8]}")
    bucket = create_log_bucket(
        context.parent,
        f"{context.name}-logs",
        logs,
        with_stated_key(unique, None if key is None else key.key),
        None if key is None else key.id,
        [context.apis["logging"], *([] if key is None else key.grants)],
    )
    return bucket.id


def _allow_callers(context: Context, service: cloudrunv2.Service) -> None:
    http = context.settings.http
    for position, caller in enumerate(http.callers if http is not None else ()):
        cloudrunv2.ServiceIamMember(
            f"{context.name}-{member_key(caller, str(position))}",
            project=context.project,
            location=context.region,
            name=service.name,
            role=INVOKER,
            member=caller,
            opts=context.options(),
        )
