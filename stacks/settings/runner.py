"""The topic `runner`."""

from __future__ import annotations

from pydantic import Field

from stacks.settings.topic import Topic


class Runner(Topic):
    """Where the program runs when the network alone reaches the Kubernetes API: CodeBuild, on demand."""

    enabled: bool | None = None
    """Whether there is one; left out, with `api_access: in_vpc`. Say false where you reach the network by a
    VPN or have runners of your own: then every address of the network reaches the API."""
    deployer: str | None = None
    """The IAM role (arn) of this account that the program runs as; it administers the cluster. Its trust
    policy must let the role `{org}-{name}-runner` in and, for jobs of GitHub Actions, the environment's
    subject of GitHub's OpenID Connect provider."""
    repository: str | None = None
    """The repository of this program: an HTTPS URL on github.com, gitlab.com or bitbucket.org."""
    connection: str | None = None
    """The connection (arn, AWS CodeConnections) that opens the repository."""
    revision: str | None = None
    """Branch, tag or commit; left out, the repository's default branch."""
    state: str | None = None
    """Where Pulumi keeps the state, as `pulumi login` takes it: `s3://acme-pulumi-state`."""
    buildspec: str | None = None
    """What a run does: a path in the repository, or the text itself; left out, `buildspec.yml`."""
    workflows: list[str] = Field(default_factory=list)
    """GitHub Actions workflows, by name, whose jobs run in the network, on the project `{org}-{name}-jobs`.
    Anyone who can push a branch can start such a job, so its role can assume no other: the job gets the
    deployer's by OpenID Connect, from a GitHub environment."""
    actors: list[str] = Field(default_factory=list)
    """The numeric ids of the GitHub accounts whose jobs run there, `["583231"]`; left out, of all."""
    timeout_minutes: int = 120
    """How long a run may take."""
    concurrent_runs: int | None = None
    """How many runs at a time; left out, 1. Jobs of workflows have the account's limit alone."""
    log_retention_days: int | None = None
    """How long a run's logs are kept; left out, as long as the control plane's."""
