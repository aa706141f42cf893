"""The feature store on AWS: its parts, in the order in which they need each other."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import pulumi
from pulumi import Input, Output
from pulumi_aws import iam
from pulumi_kubernetes.core import v1 as core

from aiplatform._args import ArgumentError, Fault, got, is_unknown
from aiplatform._aws import Place, Statement, document, place
from aiplatform._references import ClusterReferenceArgs
from aiplatform._workloads import Home, namespace
from aiplatform.feature_store import aws_buckets, aws_offline, aws_online, aws_rights, config
from aiplatform.feature_store.args import IDENTITY, NAMESPACE, SERVER, FeatureStoreSettings
from aiplatform.feature_store.aws_context import REGISTRY, Context
from aiplatform.feature_store.workloads import Platform, Who, Workloads
from aiplatform.workload_identity import WorkloadIdentity

Rights = Callable[[Context, str, Sequence[str]], list[Statement]]


def _strangers(key: str, principals: Sequence[Input[str]], where: Place) -> Iterator[Fault]:
    """Roles of another account, to which this one can give no policy."""
    for index, principal in enumerate(principals):
        if not is_unknown(principal) and str(principal).split(":")[4] != where.account_id:
            reason = f"{got(principal)}, expected a role of this account, {where.account_id}"
            yield Fault(f"FeatureStoreArgs.{key}[{index}]", reason)


class _Grants:
    """Gives roles their rights. They are known once the key's arn and the lakehouse's databases are."""

    def __init__(self, context: Context, key: Input[str]) -> None:
        self.context = context
        zones = context.settings.lakehouse.zones
        self.known = Output.all(key, *(zone.database for zone in zones))

    def to(self, who: str, role: Input[str], rights: Rights) -> pulumi.Resource:
        """What the rights of a part are, for a role by its name."""
        return iam.RolePolicy(
            f"{self.context.name}-{who}",
            # One role may be of several feature stores, and of other things.
            name=f"{self.context.settings.prefix}-features-{who}",
            role=role,
            policy=self.known.apply(
                lambda each: document(*rights(self.context, str(each[0]), [str(name) for name in each[1:]]))
            ),
            opts=self.context.options(),
        )

    def offline(
        self,
        who: str,
        principal: Input[str],
        role: Input[str],
        rights: Rights,
        offline: aws_offline.Offline,
    ) -> list[pulumi.Resource]:
        """The same for one that asks Athena, and so makes tables."""
        tables = aws_offline.may_make_tables(self.context, who, principal, offline.database)
        return [self.to(who, role, rights), tables]


def _role_name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _online_secret(
    home: Home, part: str, user: aws_online.User, depends_on: Sequence[pulumi.Resource]
) -> core.Secret:
    return core.Secret(
        f"{home.name}-{part}-online",
        metadata=home.metadata(config.online_secret(part)),
        string_data={"username": user.name, "password": user.password},
        opts=home.options(*depends_on),
    )


def build(parent: pulumi.ComponentResource, name: str, settings: FeatureStoreSettings) -> dict[str, Any]:
    """All of it, as children of one component. Answers its outputs."""
    where = place(parent)
    faults = [
        *_strangers("appliers", settings.appliers, where),
        *_strangers("readers", settings.readers, where),
    ]
    if faults:
        raise ArgumentError(faults)
    context = Context(parent, name, settings, where)
    key = aws_buckets.key(context)
    buckets = aws_buckets.buckets(context, key)
    offline = aws_offline.offline(context, key)
    online = aws_online.online(context, key)
    server = WorkloadIdentity(
        f"{name}-server",
        {
            "prefix": settings.prefix,
            "name": IDENTITY,
            "cluster": cast("ClusterReferenceArgs", settings.cluster),
            "namespace": NAMESPACE,
            "service_account": SERVER,
            "tags": settings.tags,
        },
        pulumi.ResourceOptions(parent=parent),
    )
    grant = _Grants(context, key.arn)
    rights: list[pulumi.Resource] = [grant.to("server", server.role_name.apply(str), aws_rights.serve)]
    rights += grant.offline(
        "materializer",
        settings.materializer.principal,
        settings.materializer.role_name or "",
        aws_rights.materialize,
        offline,
    )
    for who, principals, statements in (
        ("applier", settings.appliers, aws_rights.apply),
        ("reader", settings.readers, aws_rights.read),
    ):
        for index, principal in enumerate(principals):
            role = Output.from_input(principal).apply(_role_name)
            grant.offline(f"{who}-{index}", principal, role, statements, offline)
    text = Output.from_input(online.config).apply(
        lambda block: config.rendered(
            settings,
            bucket=f"s3://{context.bucket(REGISTRY)}",
            offline=aws_offline.config(context),
            online=block,
        )
    )
    home = Home(parent, name, NAMESPACE, {"app.kubernetes.io/part-of": NAMESPACE})
    ready = [*namespace(home), *buckets.ready, *online.ready, *rights]
    ready += [_online_secret(home, part, user, ready) for part, user in online.users.items()]
    region = context.place.region
    Workloads(
        home,
        settings,
        text,
        Platform(
            server=Who(server.annotations, server.ready),
            materializer=Who(settings.materializer.annotations or {}, settings.materializer.ready or ""),
            # No Pod reaches the instance's metadata, so it is told where it is; boto3 reads the second.
            variables={"AWS_REGION": region, "AWS_DEFAULT_REGION": region},
        ),
        ready,
    ).build()
    return {
        "cloud": "aws",
        "project": settings.project,
        "feature_store_yaml": text,
        "registry": "sql"
        if settings.registry.kind == "sql"
        else f"s3://{context.bucket(REGISTRY)}/{config.REGISTRY}",
        "registry_bucket": buckets.registry.bucket,
        "staging_bucket": buckets.staging.bucket,
        "offline_database": offline.database.name,
        "workgroup": offline.workgroup.name,
        "online_store": settings.store,
        "online_tables": online.tables,
        "kms_key": key.arn,
        "namespace": NAMESPACE,
        "endpoint": f"http://{SERVER}.{NAMESPACE}.svc.cluster.local",
        "server_principal": server.principal,
    }
