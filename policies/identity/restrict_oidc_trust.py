"""Trust in an identity provider is limited to one workload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each
from ..framework.google_bindings import members
from ..framework.policy_documents import Principal, Statement, allowed_statements

POLICY = Policy(
    title="Federated trust names its workload",
    severity="critical",
    description="A role that trusts an identity provider trusts all its identities: with GitHub, every "
    "repository of every customer. A condition on the subject of the token names the repository, the branch "
    "or the service account; on Google Cloud the condition of the pool and the member do.",
    remediation="Compare the provider's `:sub` with a whole subject (repo:acme@1/platform@2:environment:prod "
    "or, where the repository's subjects have no ids, repo:acme/platform:environment:prod; "
    "system:serviceaccount:ns:name) and `:aud` with sts.amazonaws.com; on Google Cloud set "
    "attributeCondition and grant to one subject or attribute.",
    frameworks=("NIST 800-53 AC-3", "NIST 800-53 IA-8", "SOC 2 CC6.1"),
)

# Providers with many customers, by the hosts of their issuers.
_SHARED_ISSUERS = (
    "token.actions.githubusercontent.com",
    "gitlab.com",
    "agent.buildkite.com",
    "app.terraform.io",
    "oidc.circleci.com",
    "api.pulumi.com",
)
# The number of parts required before a wildcard: system:serviceaccount:NAMESPACE:.
_PARTS = {"system": 3}
# Kinds of subjects whose second part is a repository: GitHub's `repo:acme/platform:...`, since July 2026 with
# ids that no successor of a name gets (`repo:acme@1/platform@2:...`), and GitLab's `project_path:acme/...`.
_REPOSITORIES = ("repo", "project_path")
_WILDCARD = re.compile(r"[*?]")
# A prefix of branches or tags: GitHub's `ref:refs/heads/release/*`, GitLab's `ref_type:branch:ref:release-*`.
_SOME_REFS = re.compile(r"(ref:refs/(heads|tags)/|ref_type:(branch|tag):ref:)[^*?]+[*?].*")


@POLICY.on("aws:iam/role:Role")
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Roles that trust an OpenID Connect provider."""
    yield from check_each(allowed_statements(resource, "assumeRolePolicy"), _check_statement)


def _check_statement(statement: Statement) -> Iterator[Outcome]:
    yield from check_each(statement.principals, _check_principal, statement)


def _check_principal(principal: Principal, statement: Statement) -> Iterator[Outcome]:
    if principal.kind not in ("Federated", "*"):
        return
    provider = str(Entry(principal.path, principal.value).known())
    if principal.kind == "*" or ":saml-provider/" in provider:
        return
    subjects = list(_subjects(statement))
    for key, subject in subjects:
        scope = _scope(subject) if isinstance(subject, str) else None
        if scope:
            yield Violation(statement.where("Condition"), f"{key!r} may be {subject!r}, which is {scope}")
    statement.require_known_conditions()
    if not subjects:
        names = statement.condition_names
        limit = f"{names} does not limit the subject" if names else "no condition on the subject"
        yield Violation(principal.path, f"trusts all identities of {provider!r}: {limit}")


def _subjects(statement: Statement) -> Iterator[tuple[str, Any]]:
    for operator, conditions in statement.conditions.items():
        if "not" in operator.lower() or operator.lower().endswith("ifexists"):
            continue
        for key, value in conditions.items():
            if key.lower().endswith((":sub", ":repository", ":repository_id", ":project_path", ":email")):
                for subject in cast("list[Any]", value) if isinstance(value, list) else [value]:
                    yield key, subject


def _scope(subject: str) -> str | None:
    """Return what a wildcard in a subject allows beyond one workload; None where that is nothing."""
    wildcard = _WILDCARD.search(subject)
    if wildcard is None:
        return None
    kind, _, rest = subject.partition(":")
    if kind in _REPOSITORIES:
        return _repository_scope(rest)
    prefix = subject[: wildcard.start()]
    named = prefix.count(":") >= _PARTS.get(kind, 1) and prefix.partition(":")[2]
    return None if named else "any identity"


def _repository_scope(rest: str) -> str | None:
    repository, _, context = rest.partition(":")
    if _WILDCARD.search(repository):
        return "any repository of an owner" if "/" in _WILDCARD.split(repository)[0] else "any identity"
    if context.startswith("environment:"):
        # GitHub creates an environment, without rules, for the first job that names it.
        return "any branch of the repository: a job can name an environment without rules"
    return None if _SOME_REFS.fullmatch(context) else "any branch and pull request of the repository"


@POLICY.on("gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider")
def on_pools(resource: Resource) -> Iterator[Outcome]:
    """Pools that accept every token of a provider with many customers."""
    issuer = resource.known("oidc.issuerUri")
    condition = str(resource.known("attributeCondition") or "true")
    shared = isinstance(issuer, str) and any(host in issuer for host in _SHARED_ISSUERS)
    if shared and condition.strip().lower() == "true":
        yield Violation("attributeCondition", f"is not set, so that every token of {issuer!r} is accepted")


@POLICY.on("gcp:serviceaccount/")
def on_accounts(resource: Resource) -> Iterator[Outcome]:
    """Service accounts that a whole pool may impersonate."""
    yield from check_each(members(resource), _check_member)


def _check_member(entry: Entry) -> Iterator[Outcome]:
    member = str(entry.known())
    if member.startswith("principalSet://iam.googleapis.com/") and member.endswith("/*"):
        yield Violation(entry.path, f"allows {member!r}, the whole pool, to impersonate the service account")
