"""The feature store on AWS: its parts, in the order in which they need each other."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pulumi
from pulumi import Input, Output
from pulumi_aws import glue, iam, kms
from pulumi_kubernetes.core import v1 as core

from aiplatform._shared.aws.account import Place, Statement, document, place
from aiplatform._shared.aws.managed_policies import attached
from aiplatform._shared.aws.roles import Role, roles
from aiplatform._shared.kubernetes.workloads import Home, namespace
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform.feature_store import config
from aiplatform.feature_store.args import IDENTITY, NAMESPACE, SERVER, FeatureStoreSettings
from aiplatform.feature_store.aws import buckets as aws_buckets
from aiplatform.feature_store.aws import offline as aws_offline
from aiplatform.feature_store.aws import online as aws_online
from aiplatform.feature_store.aws import permissions as aws_rights
from aiplatform.feature_store.aws.context import REGISTRY, TABLES, Context, Staging
from aiplatform.feature_store.workloads import Platform, Who, Workloads
from aiplatform.lakehouse.tables import ZONES
from aiplatform.workload_identity import WorkloadIdentity

Rights = Callable[[Staging, str, Sequence[str]], list[Statement]]


class _Grants:
    """Gives roles their rights. They are known once the key's arn and the lakehouse's databases are."""

    def __init__(self, context: Context, key: kms.Key, database: glue.CatalogDatabase) -> None:
        self.context = context
        self.key = key
        self.database = database
        zones = [context.settings.lakehouse.zone(name) for name in ZONES]
        self.known = Output.all(key.arn, *(zone.database for zone in zones))

    def server(self, role: Input[str]) -> pulumi.Resource:
        """What the server may do."""
        return iam.RolePolicy(
            f"{self.context.name}-server",
            name=f"{self.context.settings.prefix}-features-server",
            role=role,
            policy=self._document(lambda key, _: aws_rights.serve(self.context, key)),
            opts=self.context.options(),
        )

    def client(
        self, staging: Staging, role: Input[str], rights: Rights, formerly: Sequence[str] = ()
    ) -> list[pulumi.Resource]:
        """What a principal that asks Athena may do, and what it has for that. Answers what must be there
        before it asks. formerly: logical names of its right to make tables."""
        made = aws_buckets.staging(staging, self.key)
        workgroup = aws_offline.workgroup(staging, self.key, made)
        tables = aws_offline.may_make_tables(staging, self.database, formerly)
        # A role may be of several feature stores, and of lakehouses: its inline policies would be too long.
        policy = attached(
            f"{self.context.name}-{staging.logical}",
            f"{self.context.settings.prefix}-features-{staging.who}",
            role,
            self._document(lambda key, databases: rights(staging, key, databases)),
            self.context.settings.tags,
            self.context.options(),
        )
        return [*made, workgroup, tables, policy]

    def _document(self, rights: Callable[[str, Sequence[str]], list[Statement]]) -> Output[str]:
        return self.known.apply(
            lambda each: document(*rights(str(each[0]), [str(name) for name in each[1:]]))
        )


def _named(settings: FeatureStoreSettings, where: Place) -> Mapping[str, list[Role]]:
    """The materializer, appliers and readers. None is another one, too: of two equal grants of Lake Formation
    the revoke of one revokes the other."""
    kinds = {"applier": "appliers", "reader": "readers"}
    materializer = "FeatureStoreArgs.materializer.principal"
    named: dict[str, Input[str]] = {materializer: settings.materializer.principal}
    for key in kinds.values():
        for index, principal in enumerate(getattr(settings, key)):
            named[f"FeatureStoreArgs.{key}[{index}]"] = principal
    everyone = roles(named, where.account_id)
    return {
        "materializer": [each for each in everyone if each.path == materializer],
        **{
            kind: [each for each in everyone if each.path.startswith(f"FeatureStoreArgs.{key}[")]
            for kind, key in kinds.items()
        },
    }


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
    named = _named(settings, where)
    context = Context(parent, name, settings, where)
    key = aws_buckets.key(context)
    registry = aws_buckets.registry(context, key)
    schedule = Staging(context, "materializer", "materializer", named["materializer"][0].arn)
    database = aws_offline.database(context, f"s3://{schedule.bucket()}/{TABLES}")
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
    rights = [
        grant.server(server.role_name.apply(str)),
        *grant.client(schedule, settings.materializer.role_name or "", aws_rights.materialize),
    ]
    clients: list[Staging] = []
    for kind, statements in (("applier", aws_rights.apply), ("reader", aws_rights.read)):
        for index, role in enumerate(named[kind]):
            client = Staging(context, f"{kind}-{role.short}", f"{kind}-{role.key}", role.arn)
            former = f"{name}-{kind}-{index}-tables"
            grant.client(client, role.name, statements, [former] if role.key != str(index) else [])
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
