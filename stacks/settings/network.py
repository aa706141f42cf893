"""The topics `network` and `images`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stacks.settings.topic import Topic


class FlowLogs(Topic):
    """VPC flow logs."""

    retention_days: int = 30
    """How long they are kept, in days. 0 turns flow logs off, which only dev may."""


class Network(Topic):
    """The network."""

    cidr: str
    """The IPv4 range of the network, a private range: /16 to /20 on AWS, /9 to /20 on Google Cloud."""
    zones: int | list[str] = 3
    """How many zones (2 or 3), or which: on AWS by zone id (`usw2-az1`), which names the same place in every
    account, on Google Cloud by name (`us-central1-a`)."""
    nat: Literal["none", "single", "per_zone"]
    """The way out. AWS: NAT gateways, of which `single` is cheap and falls with its zone. Google Cloud: Cloud
    NAT, which is `single` and outlives its zones. `none` leaves the cloud's own services: images come from
    `images.mirrors` in the cloud's registry, and on AWS the services by `endpoints`."""
    endpoints: list[str] = Field(default_factory=list)
    """AWS: interface endpoints by service (`ecr.api`, `sts`...). S3 and DynamoDB always have theirs."""
    readable_buckets: list[str] = Field(default_factory=list)
    """AWS: buckets of other accounts that may be read through S3's gateway endpoint: public data sets.
    Without a line here the account's own alone can be used, beside those that images and packages come
    from."""
    flow_logs: FlowLogs = FlowLogs()
    """Flow logs and how long they are kept."""
    pods: int
    """How many pods there must be addresses for, in all zones together."""
    nodes: int | None = None
    """Google Cloud: how many nodes there must be addresses for; left out, as many as hold `pods`."""
    pods_per_node: int | None = None
    """Google Cloud: the most pods of a node, 8 to 256; left out, 64."""
    google_apis: Literal["private", "restricted"] | None = None
    """Google Cloud: where the names of Google's APIs lead to: to all of them, or with `restricted` to those
    that VPC Service Controls know. Left out, private."""
    private_services: bool | None = None
    """Google Cloud: whether what Google runs in networks of its own (Cloud SQL) gets addresses of this one;
    left out, true."""


class Images(Topic):
    """Where nodes pull the images of what the program installs."""

    mirrors: dict[str, str] = Field(default_factory=dict)
    """A registry (`registry.k8s.io`), or a repository in it -> the registry or repository to pull from
    instead: an ECR pull-through cache, a remote repository of Artifact Registry, or repositories of your own.
    Images keep tag and digest. With `nat: none` nodes reach the cloud's own registry alone."""
