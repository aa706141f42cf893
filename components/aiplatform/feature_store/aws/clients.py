"""The principals of a feature store on AWS that query Athena: the materializer, appliers and readers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Input, Output
from pulumi_aws import glue, iam

from aiplatform._shared.aws.keys import Key
from aiplatform._shared.aws.managed_policies import attached
from aiplatform._shared.aws.policy_documents import Statement, document
from aiplatform._shared.aws.roles import Role, roles
from aiplatform.feature_store import config
from aiplatform.feature_store.aws import offline, permissions
from aiplatform.feature_store.aws.buckets import create_staging_bucket
from aiplatform.feature_store.aws.context import REGISTRY, Context, Staging
from aiplatform.feature_store.aws.online import OnlineStore
from aiplatform.feature_store.output_types import FeatureStoreClient
from aiplatform.lakehouse.tables import ZONES

Permissions = Callable[[Staging, str, Sequence[str]], list[Statement]]
"""A principal, the key's arn and the lakehouse's databases -> statements."""


@dataclass(frozen=True)
class Principals:
    """The roles that arguments name."""

    materializer: Role
    appliers: list[Role]
    readers: list[Role]


def named_principals(context: Context) -> Principals:
    """Return the materializer, appliers and readers. No role is two of them: of two equal permissions of Lake
    Formation the revocation of one revokes the other."""
    settings = context.settings
    materializer = "FeatureStoreArgs.materializer.principal"
    appliers = {f"FeatureStoreArgs.appliers[{index}]": arn for index, arn in enumerate(settings.appliers)}
    readers = {f"FeatureStoreArgs.readers[{index}]": arn for index, arn in enumerate(settings.readers)}
    arns = {materializer: settings.materializer.principal, **appliers, **readers}
    named = {role.path: role for role in roles(arns, context.account.account_id)}
    return Principals(
        named[materializer], [named[path] for path in appliers], [named[path] for path in readers]
    )


@dataclass(frozen=True)
class Clients:
    """Creates what principals use Feast by. Policies are known once the key's arn and the names of the
    lakehouse's databases are."""

    context: Context
    key: Key
    database: glue.CatalogDatabase
    online: OnlineStore

    def allow_server(self, role: Input[str]) -> pulumi.Resource:
        """Put the server's policy on its role."""
        return iam.RolePolicy(
            f"{self.context.name}-server",
            name=f"{self.context.settings.prefix}-features-server",
            role=role,
            policy=self._document(lambda key, _: permissions.serve(self.context, key)),
            opts=self.context.options(),
        )

    def create(
        self, staging: Staging, role: Input[str], statements: Permissions, former_names: Sequence[str] = ()
    ) -> list[pulumi.Resource]:
        """Create bucket, workgroup and permissions of a principal; returns what its queries depend on.
        former_names: logical names of its permission to create tables."""
        bucket = create_staging_bucket(staging, self.key)
        workgroup = offline.create_workgroup(staging, self.key, bucket)
        tables = offline.allow_creating_tables(staging, self.database, former_names)
        # Not inline: a role of several feature stores and lakehouses would exceed the size of its policies.
        policy = attached(
            f"{self.context.name}-{staging.logical}",
            f"{self.context.settings.prefix}-features-{staging.physical}",
            role,
            self._document(lambda key, databases: statements(staging, key, databases)),
            self.context.settings.tags,
            self.context.options(),
        )
        return [*bucket, workgroup, tables, policy]

    def create_named(
        self, kind: str, named: Sequence[Role], statements: Permissions
    ) -> list[FeatureStoreClient]:
        """Create what appliers or readers use; returns their entries in the output `clients`."""
        entries: list[FeatureStoreClient] = []
        for index, role in enumerate(named):
            staging = Staging(self.context, f"{kind}-{role.short}", f"{kind}-{role.key}", role.arn)
            former_name = f"{self.context.name}-{kind}-{index}-tables"
            self.create(staging, role.name, statements, [former_name] if role.key != str(index) else [])
            entries.append(
                {
                    "principal": staging.principal,
                    "feature_store_yaml": self.feature_store_yaml(staging),
                    "staging_bucket": staging.bucket(),
                    "offline_database": self.context.database,
                    "workgroup": self.context.workgroup(staging.physical),
                }
            )
        return entries

    def feature_store_yaml(self, staging: Staging) -> Output[str]:
        """Return a principal's `feature_store.yaml`."""
        settings = self.context.settings
        values: Output[Any] = Output.all(self.online.config, settings.registry.cache_seconds)
        return values.apply(
            lambda known: config.render(
                settings,
                cache_seconds=known[1],
                bucket=f"s3://{self.context.bucket(REGISTRY)}",
                offline=offline.config(staging),
                online=known[0],
            )
        )

    def _document(self, statements: Callable[[str, Sequence[str]], list[Statement]]) -> Output[str]:
        databases = [self.context.settings.lakehouse.zone(zone).database for zone in ZONES]
        return Output.all(self.key.arn, *databases).apply(
            lambda known: document(*statements(str(known[0]), [str(name) for name in known[1:]]))
        )
