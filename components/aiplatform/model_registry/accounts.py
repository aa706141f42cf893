"""Arguments of a model registry's accounts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pulumi import Input

from aiplatform._shared.args import Problem, distinct, is_unknown, length, matches, obeys
from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.principals import PRINCIPAL
from aiplatform.model_registry.inputs import ModelRegistryAccountArgs as ModelRegistryAccountArgs

ADMIN: Final = "admin"
"""The account that administers all others. It always exists."""

NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

ALIAS: Final = matches(
    r"(?!v\d+$)(?!latest$)[A-Za-z0-9_-]{1,255}",
    "an alias that MLflow accepts: letters, digits, _ and -, neither `latest` nor like v1",
)


@dataclass(frozen=True)
class ModelRegistryAccountSettings:
    """An account of MLflow. Its password is generated in the secret manager and stored only there."""

    principals: Annotated[list[Input[str]], length(0, 20, "principals"), distinct] = field(
        default_factory=list[Input[str]]
    )
    """Principals that may read the account's password, and so use the account: arns of IAM roles on AWS;
    `serviceAccount:...`, `group:...` or `principal://...` on Google Cloud. Default none except administrators
    of secrets."""
    promotes: bool = False
    """Whether it may set and remove the guarded aliases, and change what they refer to. It reads what all
    accounts created. Default false."""
    reads: Annotated[list[str], length(0, 50, "accounts"), distinct] = field(default_factory=list[str])
    """Other accounts whose experiments, runs, files and models it may read. What an account created is
    otherwise its own. Default none."""

    def misfits(self, cloud: Cloud) -> Iterator[Problem]:
        """Return the problems of principals on this cloud."""
        for index, principal in enumerate(self.principals):
            if not is_unknown(principal):
                yield from obeys(f"principals[{index}]", principal, PRINCIPAL[cloud])


def name_rule(value: Any) -> str | None:
    """A rule for an account's name."""
    if not NAME.fullmatch(value) or len(value) > 30:
        return (
            "expected 1 to 30 lower-case letters and digits in words joined by single hyphens, a letter first"
        )
    return "expected another name, that account always exists" if value == ADMIN else None
