"""Somebody else's tokens are good for one workload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.principals import is_undecided, members, principals
from ..pack.statements import Statement, statements

POLICY = Policy(
    title="Federated trust names its workload",
    severity="critical",
    description="A role that trusts an identity provider trusts all whom the provider knows: with GitHub, "
    "every repository of the world. A condition on the token's subject says which repository, "
    "branch or service account is meant, and on Google Cloud the pool's condition and the "
    "member do.",
    remediation="Compare the provider's `:sub` with a whole subject (repo:acme@1/platform@2:environment:prod "
    "or, where the repository's subjects have no ids, repo:acme/platform:environment:prod; "
    "system:serviceaccount:ns:name) and `:aud` with sts.amazonaws.com; on Google Cloud set "
    "attributeCondition and grant to one subject or attribute.",
    frameworks=("NIST 800-53 AC-3", "NIST 800-53 IA-8", "SOC 2 CC6.1"),
)

# Providers that know everybody, by the hosts of their issuers.
_SHARED_ISSUERS = (
    "token.actions.githubusercontent.com",
    "gitlab.com",
    "agent.buildkite.com",
    "app.terraform.io",
    "oidc.circleci.com",
    "api.pulumi.com",
)

# What must stand before a wildcard: system:serviceaccount:NAMESPACE:.
_PARTS = {"system": 3}
# Kinds of subjects whose second part is a repository: GitHub's `repo:acme/platform:...`, since July 2026 with
# ids that no successor of a name gets (`repo:acme@1/platform@2:...`), and GitLab's `project_path:acme/...`.
_REPOSITORIES = ("repo", "project_path")
_WILDCARD = re.compile(r"[*?]")
# A prefix of branches or tags: GitHub's `ref:refs/heads/release/*`, GitLab's `ref_type:branch:ref:release-*`.
_SOME_REFS = re.compile(r"(ref:refs/(heads|tags)/|ref_type:(branch|tag):ref:)[^*?]+[*?].*")


@POLICY.on("aws:iam/role:Role")
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Roles that trust a provider of OpenID Connect."""
    for statement in statements(resource, "assumeRolePolicy"):
        if isinstance(statement, Undecided):
            yield statement
        elif statement.allows:
            yield from _judged(statement)


def _judged(statement: Statement) -> Iterator[Judgement]:
    for path, kind, provider in principals(statement):
        if kind != "Federated" or not isinstance(provider, str) or ":saml-provider/" in provider:
            continue
        subjects = list(_subjects(statement))
        if is_undecided(statement):
            yield Undecided(f"{statement.path}.Condition")
        elif not subjects:
            yield Finding(path, f"trusts all whom {provider!r} knows: no condition is about the subject")
        for key, subject in subjects:
            whom = _whom(subject) if isinstance(subject, str) else None
            if whom:
                yield Finding(f"{statement.path}.Condition", f"{key!r} may be {subject!r}, which is {whom}")


def _subjects(statement: Statement) -> Iterator[tuple[str, Any]]:
    for operator, conditions in statement.conditions.items():
        if "not" in operator.lower() or operator.lower().endswith("ifexists"):
            continue
        for key, value in conditions.items():
            if key.lower().endswith((":sub", ":repository", ":repository_id", ":project_path", ":email")):
                for subject in cast("list[Any]", value) if isinstance(value, list) else [value]:
                    yield key, subject


def _whom(subject: str) -> str | None:
    """Whom a wildcard in a subject admits beyond one workload; None where it admits no one."""
    wildcard = _WILDCARD.search(subject)
    if wildcard is None:
        return None
    kind, _, rest = subject.partition(":")
    if kind in _REPOSITORIES:
        return _whom_of_repositories(rest)
    before = subject[: wildcard.start()]
    named = before.count(":") >= _PARTS.get(kind, 1) and before.partition(":")[2]
    return None if named else "anybody"


def _whom_of_repositories(rest: str) -> str | None:
    repository, _, context = rest.partition(":")
    if _WILDCARD.search(repository):
        return "any repository of an owner" if "/" in _WILDCARD.split(repository)[0] else "anybody"
    if context.startswith("environment:"):
        # GitHub makes an environment, without rules, for the job that names it first.
        return "any branch of the repository: a job can name an environment that has no rules"
    return None if _SOME_REFS.fullmatch(context) else "any branch and pull request of the repository"


@POLICY.on("gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider")
def on_pools(resource: Resource) -> Iterator[Judgement]:
    """Pools that take every token of a provider that everybody has an account of."""
    issuer = resource.get("oidc.issuerUri")
    condition = resource.get("attributeCondition")
    if issuer is UNKNOWN or condition is UNKNOWN:
        yield Undecided("attributeCondition" if condition is UNKNOWN else "oidc.issuerUri")
    elif str(condition or "true").strip().lower() == "true" and _is_shared(issuer):
        yield Finding("attributeCondition", f"is missing, so that every token of {issuer!r} is taken")


def _is_shared(issuer: Any) -> bool:
    return isinstance(issuer, str) and any(host in issuer for host in _SHARED_ISSUERS)


@POLICY.on("gcp:serviceaccount/")
def on_accounts(resource: Resource) -> Iterator[Judgement]:
    """Service accounts that a whole pool may become."""
    for path, member in members(resource):
        if member is UNKNOWN:
            yield Undecided(path)
        elif str(member).startswith("principalSet://iam.googleapis.com/") and str(member).endswith("/*"):
            yield Finding(path, f"lets {member!r}, all of the pool, become the service account")
