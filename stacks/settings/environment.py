"""The topic `environment`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from aiplatform._shared.args import Rule, matches
from aiplatform._shared.cloud_support import CLOUDS, Cloud
from aiplatform._shared.gcp.names import PROJECT, REGION
from aiplatform.naming import aws_tags, google_labels
from stacks.settings.base import Topic

ShortName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", min_length=2, max_length=16)
]
_MOST_TAGS = 36
_REGION: Final[dict[Cloud, Rule]] = {
    "aws": matches(r"[a-z]{2}(-[a-z]+)+-\d", "a region such as us-west-2"),
    "gcp": REGION,
}
_WHOSE: Final[dict[Cloud, Rule]] = {
    "aws": matches(r"\d{12}", "the AWS account, 12 digits in quotes"),
    "gcp": PROJECT,
}
_TAGS: Final[dict[Cloud, Rule]] = {"aws": aws_tags, "gcp": google_labels}


class Environment(Topic):
    """Organisation, cloud, region and owner of the environment."""

    org: ShortName
    """The organisation: the first part of every physical name, `{org}-{name}-{purpose}`."""
    name: ShortName
    """The environment's name: the second part of every physical name."""
    profile: Literal["dev", "staging", "prod"]
    """Which defaults and limits apply."""
    cloud: Literal["aws", "gcp"]
    """The cloud."""
    region: str
    """The region of all resources: `us-west-2`, on Google Cloud `us-central1`."""
    account_id: str | None = None
    """The AWS account, 12 digits in quotes. Credentials of any other account are refused."""
    project_id: str | None = None
    """The Google Cloud project, by its id (not its number)."""
    owner: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    """The team that is responsible: a mail address, on Google Cloud a word that a label accepts. The tag or
    label `owner` of every resource."""
    cost_center: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    """The cost center. The tag or label `cost-center` of every resource."""
    tags: dict[str, str] = Field(default_factory=dict)
    """More tags for every resource."""
    teardown: bool | Literal["with_data"] = False
    """`true` lifts protection at the next `up`, so that `destroy` may follow; `with_data` also deletes
    data that would be retained."""
    bootstrap: bool = False
    """`true` deploys only network and runner, which need no access to the Kubernetes API: for the first `up`,
    from anywhere, and for the last one, from the runner, before `destroy` from outside."""

    @property
    def prefix(self) -> str:
        """The first two parts of every physical name."""
        return f"{self.org}-{self.name}"

    @property
    def all_tags(self) -> dict[str, str]:
        """The tags of every resource."""
        return {
            **self.tags,
            "owner": self.owner,
            "cost-center": self.cost_center,
            "environment": self.name,
            "managed-by": "ai-platform",
        }

    def problems(self) -> Iterator[tuple[str, str]]:
        """(key, reason) of what one cloud takes and another does not."""
        wrong = _REGION[self.cloud](self.region)
        if wrong:
            yield "region", f"got {self.region!r}, {wrong}"
        yield from self._whose()
        named = {"owner": self.owner, "cost-center": self.cost_center, "environment": self.name}
        for tag, value in named.items():
            reason = _TAGS[self.cloud]({tag: value})
            if reason:
                # The rule names the tag and its value first; here the key of the file does.
                right = reason.partition("): expected ")[2]
                key = tag.replace("-", "_").replace("environment", "name")
                yield key, f"got {value!r}, expected {right}"
        yield from (("tags", reason) for reason in self._tag_problems())

    def _whose(self) -> Iterator[tuple[str, str]]:
        here, other = ("account_id", "project_id") if self.cloud == "aws" else ("project_id", "account_id")
        value, rule = getattr(self, here), _WHOSE[self.cloud]
        wrong = rule(value or "")
        if value is None:
            yield here, f"missing, {wrong}"
        elif wrong:
            yield here, f"got {value!r}, {wrong}"
        if getattr(self, other) is not None:
            yield other, f"is of another cloud; {CLOUDS[self.cloud]} takes {here}"

    def _tag_problems(self) -> Iterator[str]:
        for name in self.tags:
            # IAM takes keys that differ in case alone for the same.
            if name.lower() in ("owner", "cost-center", "environment", "managed-by"):
                yield f"tag {name!r} is set by the platform; set owner, cost_center or name instead"
        # AWS takes 50, Google Cloud 64; the platform's and the components' own are among them.
        if len(self.tags) > _MOST_TAGS:
            yield f"got {len(self.tags)} tags, expected at most {_MOST_TAGS}"
        reason = _TAGS[self.cloud](self.tags)
        if reason:
            yield reason
