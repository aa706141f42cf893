"""The topic `environment`."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from stacks.settings.base import Topic

SHORT_NAME: Final = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
ShortName = Annotated[str, StringConstraints(pattern=SHORT_NAME, min_length=2, max_length=16)]


class Environment(Topic):
    """Organisation, cloud, region and owner of the environment."""

    org: ShortName
    """The organisation: the first part of every physical name, `{org}-{name}-{purpose}`. `{org}-{name}` has
    at most 17 characters on AWS and 14 on Google Cloud, there with `model_monitor` 12: the shortest limit of
    the names that begin with it."""
    name: ShortName
    """The environment's name: the second part of every physical name. See `org` for its length."""
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
    kms_key_grants: bool = True
    """Google Cloud: whether components grant service agents of the project the use of keys that exist. With
    `false` the owners of the keys have granted it (docs/bring-your-own.md). The default of each topic's
    `kms_key_grants`."""
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
