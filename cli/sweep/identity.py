"""By what resources of an environment are recognised: its tags, and names that follow from its prefix.

The command imports nothing of the program; tests/cli/sweep/test_identity.py compares these names with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cli.output import CommandError

ENVIRONMENT_TAG: Final = "environment"
MANAGED_TAG: Final = "managed-by"
MANAGED_BY: Final = "ai-platform"


@dataclass(frozen=True)
class Identity:
    """An environment in its account.

    file: the name of its file (`aws-dev`). name: in its tags (`dev`). others: prefixes of the other
    environments of the account that have a file. retains: whether `destroy` keeps its data, logs and keys.
    """

    file: str
    org: str
    name: str
    others: tuple[str, ...] = ()
    retains: bool = False

    @property
    def prefix(self) -> str:
        """The first two parts of every physical name."""
        return f"{self.org}-{self.name}"

    @property
    def cluster(self) -> str:
        """The cluster's name."""
        return f"{self.prefix}-cluster"

    @property
    def network(self) -> str:
        """The network's name on Google Cloud."""
        return f"{self.prefix}-network"

    @property
    def log_groups(self) -> tuple[str, ...]:
        """Names of log groups, or what they begin with, which only this environment can have."""
        return (
            f"/aws/eks/{self.cluster}/",
            f"/aws/vpc/{self.prefix}/",
            f"/ai-platform/{self.prefix}/",
            f"/aws/containerinsights/{self.cluster}/",
        )

    @property
    def similar_log_groups(self) -> tuple[str, ...]:
        """What names of log groups begin with that can also be those of `acme-dev-two`."""
        services = ("lambda", "codebuild", "kinesisfirehose", "rds/instance", "vendedlogs/states")
        return (*(f"/aws/{service}/{self.prefix}" for service in services), f"/aws-glue/jobs/{self.prefix}")

    def is_similar(self, name: str) -> bool:
        """Whether a name begins with the prefix, and not with a longer one of another known environment."""
        return _begins(name, self.prefix) and not any(
            len(other) > len(self.prefix) and _begins(name, other) for other in self.others
        )

    def other(self, name: str) -> str:
        """Return the prefix of the other known environment that a name begins with, else an empty text."""
        others = [prefix for prefix in self.others if _begins(name, prefix)]
        longest = max(others, key=len, default="")
        return longest if len(longest) > len(self.prefix) or not _begins(name, self.prefix) else ""


def load(environment: str) -> Identity:
    """Return the identity of an environment's file. Raises CommandError where its tags would also be those of
    another environment of the account."""
    from cli import environment_files, instances, stack_names

    known = instances.of_environment(environment)
    topic: Mapping[str, Any] = instances.config(environment)[instances.TOPIC]
    org, name = (_text(environment, topic, key) for key in ("org", "name"))
    others: list[str] = []
    for file in stack_names.environments(environment_files.ROOT / "environments"):
        if file == environment:
            continue
        try:
            of_other = instances.of_environment(file)
            settings: Mapping[str, Any] = instances.config(file)[instances.TOPIC]
        except CommandError:
            continue  # a file with an error is reported by its own commands
        if (of_other["cloud"], of_other["account"]) != (known["cloud"], known["account"]):
            continue
        if settings.get("name") == name:
            raise CommandError(
                f"environments/Pulumi.{file}.yaml: {instances.TOPIC}.name: got {name!r}, which "
                f"{environment} has in the same account; expected another one, since both have the tag "
                f"{ENVIRONMENT_TAG}={name}"
            )
        others.append(f"{settings.get('org')}-{settings.get('name')}")
    # As stacks/arguments.py.
    retains = topic.get("profile") == "prod" and topic.get("teardown") != "with_data"
    return Identity(environment, org, name, tuple(others), retains)


def _text(environment: str, topic: Mapping[str, Any], key: str) -> str:
    value = topic.get(key)
    if not isinstance(value, str) or not value:
        raise CommandError(
            f"environments/Pulumi.{environment}.yaml: ai-platform:environment.{key}: got {value!r}; "
            "expected a text"
        )
    return value


def _begins(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}-")
