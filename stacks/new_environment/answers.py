"""What a new environment file is made from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

from aiplatform._shared.cloud_support import Cloud

Offers = Mapping[str, Sequence[str]]
"""Zone of the region, on AWS by its id -> the machine types that it offers, and on Google Cloud the types of
accelerators that it can attach to them. Empty: nothing is recorded of the region."""

# For what is not answered yet: values that no rule refuses, of which no file is written.
_EXAMPLES: Final[Mapping[str, Mapping[str, str]]] = {
    "aws": {"account": "111122223333", "region": "us-west-2"},
    "gcp": {"account": "example-project", "region": "us-central1"},
}
_WORD: Final = "xx"
"""The shortest organisation, so that a name is refused only where no organisation is short enough."""


@dataclass(frozen=True)
class Answers:
    """The answers, the missing ones replaced by valid examples."""

    environment: str
    """The environment, by the name of its file: `aws-research`."""
    cloud: Cloud = "aws"
    profile: str = "dev"
    org: str = _WORD
    account: str = ""
    """The AWS account or the Google Cloud project."""
    region: str = ""
    owner: str = "platform@acme.example"
    """A mail address. On Google Cloud its first part is the label `owner`."""
    cost_center: str = _WORD
    accelerators: tuple[str, ...] = ()
    """`NAME` or `NAME:COUNT` of each GPU pool."""
    release: str = ""
    """The release of the nodes' image; only prod states one."""
    answered: frozenset[str] = field(default=frozenset())
    """The keys that are answered."""

    @property
    def name(self) -> str:
        """The second part of every physical name: `research` of `aws-research`."""
        return self.environment.removeprefix(f"{self.cloud}-")

    @property
    def domain(self) -> str:
        """The domain of the owner's mail address."""
        return self.owner.partition("@")[2] or f"{self.org}.example"

    @property
    def label(self) -> str:
        """The owner as Google Cloud's label; without a mail address the answer itself."""
        first, separator, _ = self.owner.partition("@")
        return re.sub(r"[^a-z0-9_-]+", "-", first.lower()).strip("-") if separator else self.owner


KEYS: Final = tuple(entry.name for entry in fields(Answers) if entry.name != "answered")
"""The answers, in the order in which they are asked for."""


def read(values: Mapping[str, Any]) -> Answers:
    """Return the answers. values: those that there are; None and an empty text are none."""
    stated = {key: value for key, value in values.items() if key in KEYS and value not in (None, "")}
    if "accelerators" in stated:
        stated["accelerators"] = tuple(stated["accelerators"])
    cloud = stated.get("cloud") or cloud_of(str(stated.get("environment", "")))
    examples: dict[str, Any] = {"cloud": cloud, **_EXAMPLES.get(cloud, {})}
    return Answers(**{**examples, **stated}, answered=frozenset(stated))


def cloud_of(environment: str) -> str:
    """Return the cloud that an environment's name begins with; without one AWS."""
    return next((cloud for cloud in _EXAMPLES if environment.startswith(f"{cloud}-")), "aws")
