"""Arguments of the runner."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pulumi import Input

from aiplatform._shared.args import Problem, between, distinct, matches, one_of
from aiplatform._shared.logs import retention
from aiplatform._shared.outputs import Tags
from aiplatform._shared.secret_names import KMS_KEY
from aiplatform.naming import (
    CODEBUILD_PROJECT,
    IAM_ROLE,
    KMS_ALIAS,
    LOG_GROUP,
    SECURITY_GROUP_PREFIX,
    PhysicalName,
    aws_tags,
    prefix_for,
)
from aiplatform.network.args import NetworkReference
from aiplatform.runner.inputs import RunnerArgs as RunnerArgs

PROJECT: Final = PhysicalName(CODEBUILD_PROJECT, "{prefix}-runner")
# Not generated: the trust policy of the deployer's role names it.
ROLE: Final = PhysicalName(IAM_ROLE, "{prefix}-runner")
LOGS: Final = PhysicalName(LOG_GROUP, "/aws/codebuild/{prefix}-runner")
# A separate project, role and log group for jobs of GitHub Actions.
JOBS_PROJECT: Final = PhysicalName(CODEBUILD_PROJECT, "{prefix}-jobs")
JOBS_ROLE: Final = PhysicalName(IAM_ROLE, "{prefix}-jobs")
JOBS_LOGS: Final = PhysicalName(LOG_GROUP, "/aws/codebuild/{prefix}-jobs")
KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-runner")
GROUP: Final = PhysicalName(SECURITY_GROUP_PREFIX, "{prefix}-runner")

HOSTS: Final = {"github.com": "GITHUB", "gitlab.com": "GITLAB", "bitbucket.org": "BITBUCKET"}
"""Host of a repository -> CodeBuild's type of source."""
SIZES: Final = {
    "small": "BUILD_GENERAL1_SMALL",
    "medium": "BUILD_GENERAL1_MEDIUM",
    "large": "BUILD_GENERAL1_LARGE",
}
IMAGE: Final = "aws/codebuild/amazonlinux-x86_64-standard:5.0"
BUILDSPEC: Final = "buildspec.yml"
DEPLOYER: Final = "DEPLOYER_ROLE_ARN"
"""The environment variable of a run with the arn of the role that it assumes."""


def _repository(value: Any) -> str | None:
    url = urlsplit(str(value))
    if url.scheme == "https" and url.hostname in HOSTS and re.fullmatch(r"(/[\w.-]+){2,}", url.path):
        if url.netloc == url.hostname:
            return None
        return "expected no user, password or port in it; a connection authenticates to the repository"
    hosts = ", ".join(HOSTS)
    return f"expected the HTTPS URL of a repository (https://github.com/acme/platform) on one of {hosts}"


ROLE_ARN: Final = matches(
    r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+",
    "an IAM role's arn, arn:aws:iam::111122223333:role/platform-deployer",
)
CONNECTION_ARN: Final = matches(
    r"arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z]+(-[a-z]+)+-\d:\d{12}:connection/[0-9a-f-]{36}",
    "a connection's arn, arn:aws:codeconnections:<region>:<account>:connection/<uuid>",
)
ACTOR: Final = matches(r"[1-9]\d*", "the numeric id of a GitHub account, 583231")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _variables(value: Any) -> str | None:
    for name in value:
        if not _VARIABLE.fullmatch(name):
            return f"{name!r}: expected a name of letters, digits and _"
        if name == DEPLOYER or name.startswith("CODEBUILD_"):
            return f"{name!r}: expected another name: the runner sets this variable"
    return None


@dataclass(frozen=True)
class RunnerSettings:
    """A CodeBuild project in a network, for programs that need its private endpoints."""

    prefix: Annotated[
        str, prefix_for(PROJECT, ROLE, LOGS, JOBS_PROJECT, JOBS_ROLE, JOBS_LOGS, KEY_ALIAS, GROUP)
    ]
    """First part of every physical name, `{org}-{environment}`; the project and its role are
    `{prefix}-runner`, those for jobs of GitHub Actions `{prefix}-jobs`."""
    network: NetworkReference
    """The network of the runner: `Network.outputs`. Its private subnets need a route to the repository and to
    AWS."""
    deployer_role_arn: Input[Annotated[str, ROLE_ARN]]
    """The IAM role that programs assume. The runner can assume it and no other; its trust policy must allow
    the role `{prefix}-runner`. A run reads it from the environment variable DEPLOYER_ROLE_ARN."""
    repository: Annotated[str, _repository] | None = None
    """The git repository of the programs: an HTTPS URL on github.com, gitlab.com or bitbucket.org. Default
    none; `buildspec` is then the text of a buildspec."""
    connection_arn: Input[Annotated[str, CONNECTION_ARN]] | None = None
    """The connection (AWS CodeConnections) with access to the repository. Default none, for a public one."""
    revision: Input[Annotated[str, matches(r"[^\s~^:?*\[\\]+", "a branch, tag or commit")]] | None = None
    """Branch, tag or commit. Default: the repository's default branch."""
    buildspec: Input[Annotated[str, matches(r"(?s).*\S.*", "a path or the text of a buildspec")]] | None = (
        None
    )
    """The buildspec of a run: the path of a file in the repository, or its text. Default `buildspec.yml`."""
    github_workflows: Annotated[
        list[Input[Annotated[str, matches(r"\S(.*\S)?", "the name of a workflow")]]], distinct
    ] = field(default_factory=list[Input[str]])
    """Names of GitHub Actions workflows of the repository whose jobs run in the network, by the label
    `codebuild-{prefix}-jobs-...`, on a project `{prefix}-jobs` whose role can assume no other role. A name
    allows anyone who can push a branch, because the workflow's file in that branch states the name itself. A
    job therefore gets the deployer's role by OpenID Connect from a GitHub environment, on whose branches and
    reviewers the trust policy relies. Default none: runs are started by `aws codebuild start-build`."""
    github_actors: Annotated[
        list[Input[Annotated[str, ACTOR]]],
        distinct,
    ] = field(default_factory=list[Input[str]])
    """The numeric ids of the GitHub accounts whose jobs run here, `["583231"]` (api.github.com/users/NAME):
    accounts that merge, dispatch or re-run, and the account that a schedule runs as. Default: every account
    that can queue a job of the workflows."""
    environment_variables: Annotated[dict[str, Input[str]], _variables] = field(
        default_factory=dict[str, Input[str]]
    )
    """Additional environment variables of a run. Anyone with read access to the project can read them, so
    they must not be secrets. Default none."""
    image: Input[Annotated[str, matches(r"[^\s:]+(:\d+/[^\s:]+)?(:[\w.-]+)?", "an image")]] = IMAGE
    """The image of a run, for x86-64. Default: AWS's image of Amazon Linux 2023."""
    size: Input[Annotated[str, one_of(list(SIZES))]] = "medium"
    """`small` (2 CPUs, 4 GB), `medium` (4, 8) or `large` (8, 16). Default `medium`."""
    timeout_minutes: Input[Annotated[int, between(5, 2160, "minutes")]] = 120
    """Maximum duration of a run in minutes, 5 to 2160. Default 120."""
    concurrent_runs: Input[Annotated[int, between(1, 60, "runs")]] = 1
    """Maximum of concurrent runs, 1 to 60; further ones are refused, not queued. Default 1. It does not apply
    to jobs of `github_workflows`, which would wait for ever: beyond the limit of the account they are
    queued."""
    log_retention_days: Input[Annotated[int, retention()]] = 90
    """Retention of logs, days. Default 90."""
    kms_key: Input[Annotated[str, KMS_KEY]] | None = None
    """The arn of the key that encrypts logs and artifacts, of the provider's region, with a policy that lets
    CloudWatch Logs use it for the runner's log groups (docs/bring-your-own.md). Default: a key that is
    created."""
    retain_data: bool = False
    """Whether logs and their key are retained when the runner is destroyed. Default false."""
    tags: Annotated[Tags, aws_tags] = field(default_factory=dict[str, Input[str]])
    """Tags of every resource, in addition to the provider's default tags."""

    @property
    def source_type(self) -> str:
        """CodeBuild's type of source."""
        return HOSTS[str(urlsplit(self.repository).hostname)] if self.repository else "NO_SOURCE"

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        if self.repository is None:
            yield from self._without_repository()
        elif self.github_workflows and self.source_type != "GITHUB":
            yield Problem(
                "github_workflows",
                f"got workflows for {self.repository}; expected a repository on github.com",
            )
        elif self.github_workflows and self.connection_arn is None:
            yield Problem("connection_arn", "missing; expected the connection by which GitHub reports jobs")
        if self.github_actors and not self.github_workflows:
            yield Problem(
                "github_actors", "got accounts without a workflow; expected `github_workflows` as well"
            )

    def _without_repository(self) -> Iterator[Problem]:
        # The text of one that is an output is not known yet.
        text = self.buildspec or ""
        if isinstance(text, str) and "\n" not in text:
            yield Problem(
                "repository",
                "missing; expected a repository, or `buildspec` as the text of a buildspec",
            )
        for name in ("connection_arn", "revision", "github_workflows"):
            if getattr(self, name):
                yield Problem(name, "got one without a repository; expected `repository` as well")
