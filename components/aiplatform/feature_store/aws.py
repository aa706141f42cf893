"""The feature store on AWS: its parts, in the order in which they need each other."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import pulumi
from pulumi import Input, Output
from pulumi_aws import glue, iam, kms
from pulumi_kubernetes.core import v1 as core

from aiplatform._args import ArgumentError, Fault, got, is_unknown
from aiplatform._aws import Place, Statement, document, place
from aiplatform._references import ClusterReferenceArgs
from aiplatform._workloads import Home, namespace
from aiplatform.feature_store import aws_buckets, aws_offline, aws_online, aws_rights, config
from aiplatform.feature_store.args import IDENTITY, NAMESPACE, SERVER, FeatureStoreSettings
from aiplatform.feature_store.aws_context import REGISTRY, Context, Staging
from aiplatform.feature_store.workloads import Platform, Who, Workloads
from aiplatform.workload_identity import WorkloadIdentity

Rights = Callable[[Staging, str, Sequence[str]], list[Statement]]


def _strangers(key: str, principals: Sequence[Input[str]], where: Place) -> Iterator[Fault]:
    """Roles of another account, to which this one can give no policy."""
    for index, principal in enumerate(principals):
        if not is_unknown(principal) and str(principal).split(":")[4] != where.account_id:
            reason = f"{got(principal)}, expected a role of this account, {where.account_id}"
            yield Fault(f"FeatureStoreArgs.{key}[{index}]", reason)


class _Grants:
    """Gives roles their rights. They are known once the key's arn and the lakehouse's databases are."""

    def __init__(self, context: Context, key: kms.Key, database: glue.CatalogDatabase) -> None:
        self.context = context
        self.key = key
        self.database = database
        zones = context.settings.lakehouse.zones
        self.known = Output.all(key.arn, *(zone.database for zone in zones))

    def server(self, role: Input[str]) -> pulumi.Resource:
        """What the server may do."""
        return self._policy(
            "server",
            role,
            lambda key, _: aws_rights.serve(self.context, key),
        )

    def client(self, staging: Staging, role: Input[str], rights: Rights) -> list[pulumi.Resource]:
        """What a principal that asks Athena may do, and what it has for that. Answers what must be there
        before it asks."""
        made = aws_buckets.staging(staging, self.key)
        workgroup = aws_offline.workgroup(staging, self.key)
        tables = aws_offline.may_make_tables(self.context, staging.who, staging.principal, self.database)
        policy = self._policy(staging.who, role, lambda key, databases: rights(staging, key, databases))
        return [*made, workgroup, tables, policy]

    def _policy(
        self, who: str, role: Input[str], rights: Callable[[str, Sequence[str]], list[Statement]]
    ) -> pulumi.Resource:
        return iam.RolePolicy(
            f"{self.context.name}-{who}",
            # One role may be of several feature stores, and of other things.
            name=f"{self.context.settings.prefix}-features-{who}",
            role=role,
            policy=self.known.apply(
                lambda each: document(*rights(str(each[0]), [str(name) for name in each[1:]]))
            ),
            opts=self.context.options(),
        )


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
    registry = aws_buckets.registry(context, key)
    database = aws_offline.database(context)
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
    grant = _Grants(context, key, database)
    schedule = Staging(context, "materializer", settings.materializer.principal)
    rights = [
        grant.server(server.role_name.apply(str)),
        *grant.client(schedule, settings.materializer.role_name or "", aws_rights.materialize),
    ]
    clients: list[Staging] = []
    for who, principals, statements in (
        ("applier", settings.appliers, aws_rights.apply),
        ("reader", settings.readers, aws_rights.read),
    ):
        for index, principal in enumerate(principals):
            client = Staging(context, f"{who}-{index}", principal)
            grant.client(client, Output.from_input(principal).apply(_role_name), statements)
            clients.append(client)

    def file(staging: Staging) -> Output[str]:
        """A principal's `feature_store.yaml`."""
        return Output.from_input(online.config).apply(
            lambda block: config.rendered(
                settings,
                bucket=f"s3://{context.bucket(REGISTRY)}",
                offline=aws_offline.config(staging),
                online=block,
            )
        )

    home = Home(parent, name, NAMESPACE, {"app.kubernetes.io/part-of": NAMESPACE})
    ready = [*namespace(home), *registry.ready, *online.ready, *rights]
    ready += [_online_secret(home, part, user, ready) for part, user in online.users.items()]
    region = context.place.region
    Workloads(
        home,
        settings,
        file(schedule),
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
        "clients": [_client(each, file(each)) for each in clients],
        "feature_store_yaml": file(schedule),
        "registry": "sql"
        if settings.registry.kind == "sql"
        else f"s3://{context.bucket(REGISTRY)}/{config.REGISTRY}",
        "registry_bucket": registry.registry.bucket,
        "staging_bucket": schedule.bucket(),
        "offline_database": database.name,
        "workgroup": context.workgroup(schedule.who),
        "online_store": settings.store,
        "online_tables": online.tables,
        "kms_key": key.arn,
        "namespace": NAMESPACE,
        "endpoint": f"http://{SERVER}.{NAMESPACE}.svc.cluster.local",
        "server_principal": server.principal,
    }


def _client(staging: Staging, file: Output[str]) -> dict[str, Any]:
    return {
        "principal": staging.principal,
        "feature_store_yaml": file,
        "staging_bucket": staging.bucket(),
        "offline_database": staging.context.database,
        "workgroup": staging.context.workgroup(staging.who),
    }
