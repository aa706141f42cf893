"""Teams on EKS: access entries of their members, and the role of each SecretStore."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import Input, Output
from pulumi_aws import eks

from aiplatform._shared.aws.account import Account, account_of
from aiplatform._shared.aws.policy_documents import Statement, allow
from aiplatform._shared.aws.roles import key, service_role
from aiplatform._shared.aws.secret_stores import READ, secret_arn, trust_controller
from aiplatform._shared.principals import identity, known
from aiplatform.addons.permissions import SECRET_READERS
from aiplatform.teams import secrets
from aiplatform.teams.context import TeamsContext
from aiplatform.teams.members import by_path


def admit_members(context: TeamsContext) -> list[pulumi.Resource]:
    """Create an access entry for each member, with the groups of all its teams: EKS has one for each
    principal. Returns what SecretStores depend on: nothing."""
    members: dict[str, tuple[str, Input[str], list[str]]] = {}
    for path, (principal, group) in by_path(context.settings).items():
        text = known(principal)
        # Named by its path where only the engine knows it: positions of two lists are the same.
        logical = key(path, principal) if text else path.split("teams.", 1)[1]
        members.setdefault(identity(principal), (logical, principal, []))[2].append(group)
    taken: set[str] = set()
    for logical, principal, groups in members.values():
        text = known(principal)
        # Roles of two accounts may have one name.
        logical = f"{logical}-{text.split(':')[4]}" if text and logical in taken else logical
        taken.add(logical)
        eks.AccessEntry(
            f"{context.name}-{logical}",
            cluster_name=context.settings.cluster.name,
            principal_arn=principal,
            kubernetes_groups=sorted(set(groups)),
            type="STANDARD",
            tags=context.settings.tags,
            opts=context.options(delete_before_replace=True),
        )
    return []


def secret_store(context: TeamsContext, team: str, exists: Sequence[pulumi.Resource]) -> secrets.SecretStore:
    """Create the SecretStore of a team, and the role that it reads with."""
    settings, account = context.settings, account_of(context.parent)
    logical = f"{context.name}-{team}-secrets"
    namespace = settings.namespace(team)
    secret_names = [declared.secret for declared in settings.teams[team].secrets.values()]
    role = service_role(
        logical,
        parent=context.parent,
        # Not generated: the add-on's role may assume roles with this prefix.
        role_name=f"{SECRET_READERS.of(settings.prefix)}{team}",
        description=f"External Secrets: the secrets of the team {team}",
        trust=Output.from_input(settings.secrets_role_arn).apply(
            lambda arn: trust_controller(str(arn), namespace)
        ),
        statements=Output.all(Output.all(*secret_names), Output.all(*settings.secret_keys)).apply(
            lambda resolved: _statements(account, settings.prefix, team, *resolved)
        ),
        policy_name="secrets",
        tags=settings.tags,
        opts=pulumi.ResourceOptions(delete_before_replace=True),
    )
    provider: Mapping[str, Any] = {
        "aws": {
            "service": "SecretsManager",
            "region": account.region,
            "role": role.arn,
            "sessionTagsPolicy": "Simple",
        }
    }
    resource = secrets.secret_store(context, team, provider, [*exists, *role.policies])
    return secrets.SecretStore(resource, role.arn)


def _statements(
    account: Account, prefix: str, team: str, secret_names: Sequence[str], keys: Sequence[str]
) -> list[Statement]:
    arns = [account.arn("secretsmanager", f"secret:{prefix}/teams/{team}/*")]
    arns += [secret_arn(account, secret) for secret in secret_names]
    statements = [allow(READ, arns, sid="Secrets")]
    if keys:
        statements.append(
            allow(
                ["kms:Decrypt"],
                list(keys),
                {"StringEquals": {"kms:ViaService": f"secretsmanager.{account.region}.{account.dns_suffix}"}},
                sid="Keys",
            )
        )
    return statements
