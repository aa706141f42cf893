"""Whose a resource is: by its tags, its name, its network, and what it uses.

A claim of another environment or cluster outweighs any of this one, so such a resource is never removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from cli.sweep.identity import ENVIRONMENT_TAG, MANAGED_BY, MANAGED_TAG, Identity
from cli.sweep.item import NETWORK, Item, short_id

Section = Literal["left", "retained", "claimed", "uncertain"]
_CLUSTER_TAGS: Final = (
    # AWS Load Balancer Controller: docs/deploy/configurations.md and pkg/config/controller_config.go.
    "elbv2.k8s.aws/cluster",
    # The EBS CSI driver with `k8s-tag-cluster-id`: docs/tagging.md. `ebs.csi.aws.com/cluster` is the word
    # true.
    "ebs.csi.aws.com/cluster-name",
    "KubernetesCluster",
    # Karpenter: pkg/apis/v1/labels.go; node groups of EKS; the CNI's network interfaces: pkg/awsutils.
    "eks:eks-cluster-name",
    "eks:cluster-name",
    "aws:eks:cluster-name",
    "cluster.k8s.amazonaws.com/name",
    "alpha.eksctl.io/cluster-name",
    # GKE, on machines and disks.
    "goog-k8s-cluster-name",
)
"""Tags and labels whose value is the name of a cluster."""
_CLUSTER_KEY: Final = "kubernetes.io/cluster/"
"""The tag's end is the name of a cluster; its value is `owned` or `shared`."""
_UID: Final = (
    # kubernetes/ingress-gce, pkg/utils/namer: instance groups and NEGs; kubernetes/cloud-provider-gcp,
    # providers/gce/gce_loadbalancer_naming.go: firewall rules.
    re.compile(r"k8s-ig--([0-9a-f]{16})"),
    re.compile(r"k8s-([0-9a-f]{16})-node-(?:http-)?hc"),
    re.compile(r"k8s1-([0-9a-f]{8,16})-.+"),
    re.compile(r"k8s2-(?:(?:fr|fs|tp|ts|um|cr|tcp|udp)-)?([a-z0-9]{8})-.+"),
)
"""Names that carry the UID of a cluster of GKE, and not its name."""
_PARTS: Final = frozenset(
    {"network interface", "security group", "firewall rule", "network endpoint group", "instance group"}
)
"""Kinds without data that keep a network from being deleted, and end with it: the network alone recognises
them. A machine or a load balancer in it can be of a team that uses the environment's network."""
_SERVICE: Final = re.compile(r"(?:k8s-fw-)?a[0-9a-f]{31}")
"""The name of a load balancer that GKE names by the UID of its Service."""


@dataclass(frozen=True)
class Claim:
    """A sign of whose a resource is. how: the tag, name or network. ours: whether it is the environment's.
    certain: whether no other environment can have the same."""

    how: str
    ours: bool
    certain: bool = True


@dataclass(frozen=True)
class Evaluated:
    """A resource with the section that it is reported in, and how that was recognised."""

    item: Item
    section: Section
    how: str


def direct(item: Item, identity: Identity) -> Iterator[Claim]:
    """Yield what a resource's own tags and name claim."""
    tags = item.tags
    environment = tags.get(ENVIRONMENT_TAG)
    if environment and environment != identity.name:
        yield Claim(f"tag {ENVIRONMENT_TAG}={environment}", ours=False)
    elif environment and tags.get(MANAGED_TAG) == MANAGED_BY:
        how = f"tags {ENVIRONMENT_TAG}={environment}, {MANAGED_TAG}={MANAGED_BY}"
        yield Claim(how, ours=True)
    yield from _of_clusters(tags, identity)
    if item.foreign:
        yield Claim(item.foreign, ours=False)
    for how, cluster in item.owners.items():
        yield Claim(how, ours=cluster == identity.cluster)
    if item.exact:
        yield Claim(f"name {item.name}", ours=True)
    elif other := identity.other(item.name):
        yield Claim(f"name of {other}", ours=False)
    elif identity.is_similar(item.name):
        yield Claim(f"name begins with {identity.prefix}", ours=True, certain=False)


def _of_clusters(tags: Mapping[str, str], identity: Identity) -> Iterator[Claim]:
    for key in _CLUSTER_TAGS:
        if cluster := tags.get(key):
            yield Claim(f"tag {key}={cluster}", ours=cluster == identity.cluster)
    for key, value in tags.items():
        if key.startswith(_CLUSTER_KEY):
            ours = key.removeprefix(_CLUSTER_KEY) == identity.cluster
            # What a cluster shares is not deleted with it.
            if not ours or value == "owned":
                yield Claim(f"tag {key}={value}", ours=ours)


class Claims:
    """The claims of all resources that were read."""

    def __init__(self, items: Sequence[Item], identity: Identity) -> None:
        """Follow networks, UIDs of clusters, and what resources use."""
        self.identity = identity
        self._items = {item.id: item for item in items}
        self._of = {item.id: list(direct(item, identity)) for item in items}
        for item in items:
            if item.network and item.kind != NETWORK:
                self._of[item.id] += self._of_network(item.network, recognised=item.kind in _PARTS)
        self._by_uid(items)
        self._by_use(items)

    def of(self, item: Item) -> Sequence[Claim]:
        """Return the claims of a resource that was read."""
        return self._of[item.id]

    def _of_network(self, network: str, *, recognised: bool) -> Iterator[Claim]:
        name = self._items[network].name if network in self._items else network
        for claim in self._of.get(network, ()):
            certain = claim.certain and (recognised or not claim.ours)
            yield Claim(f"in the network {name or network} ({claim.how})", claim.ours, certain)

    def _by_uid(self, items: Sequence[Item]) -> None:
        """Add the claims of names with the UID of a cluster, which resources in networks state."""
        owners: dict[str, set[bool]] = {}
        sources: dict[str, str] = {}
        for item in items:
            claims = [claim for claim in self._of[item.id] if claim.certain]
            if (uid := uid_of(item.name)) and claims:
                owners.setdefault(uid, set()).update(claim.ours for claim in claims)
                sources[uid] = item.name
        for item in items:
            uid = uid_of(item.name)
            if uid in owners and not any(claim.certain for claim in self._of[item.id]):
                how = f"name with the cluster's UID {uid}, as {sources[uid]}"
                self._of[item.id] += [Claim(how, ours) for ours in owners[uid]]

    def _by_use(self, items: Sequence[Item]) -> None:
        """Add the claims of what is used, until there are no more: a resource is the environment's where all
        that it uses is."""
        waiting = [item for item in items if item.uses]
        while True:
            rest: list[Item] = []
            for item in waiting:
                if any(claim.certain and claim.ours for claim in self._of[item.id]):
                    continue
                used = [used for used in item.uses if used in self._of]
                claims = [(used, _certain(self._of[used])) for used in used]
                if claims and all(certain for _, certain in claims):
                    self._of[item.id] += [
                        Claim(f"uses {self._label(used)} ({claim.how})", claim.ours)
                        for used, certain in claims
                        for claim in certain[:1]
                    ]
                else:
                    rest.append(item)
            if len(rest) == len(waiting):
                return
            waiting = rest

    def _label(self, id: str) -> str:
        item = self._items[id]
        return f"{item.kind} {item.name or short_id(item.id)}"


def evaluate(items: Sequence[Item], identity: Identity, in_state: frozenset[str]) -> list[Evaluated]:
    """Return the resources that are the environment's or look so, without what the stack's state contains.

    Other environments' resources are returned where something of this environment's is on them, too.
    """
    claims = Claims(items, identity)
    evaluated = [
        _evaluated(item, claims.of(item))
        for item in items
        if not item.evidence and not in_state & {item.id, *item.also}
    ]
    return [entry for entry in evaluated if entry is not None]


def _evaluated(item: Item, claims: Sequence[Claim]) -> Evaluated | None:
    # Those of others first: also where a name only begins alike.
    others = [claim for claim in claims if not claim.ours]
    ours = [claim for claim in claims if claim.ours]
    certain = _certain(ours)
    if others:
        return Evaluated(item, "claimed", others[0].how) if ours else None
    if certain:
        return Evaluated(item, "retained" if item.reason else "left", certain[0].how)
    if ours:
        # What is never deleted does no harm where it is another's.
        return Evaluated(item, "retained" if item.reason else "uncertain", ours[0].how)
    if uid_of(item.name) or _SERVICE.fullmatch(item.name):
        return Evaluated(
            item, "uncertain", "name of a load balancer of GKE, and no network that states whose"
        )
    return None


def _certain(claims: Sequence[Claim]) -> list[Claim]:
    """Return the certain claims, those of others first."""
    return sorted((claim for claim in claims if claim.certain), key=lambda claim: claim.ours)


def uid_of(name: str) -> str:
    """Return the UID of a cluster of GKE that a name carries, else an empty text."""
    return next((match[1] for pattern in _UID if (match := pattern.fullmatch(name))), "")


def tags_of(entries: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    """Return AWS's list of tags as a mapping."""
    return {entry["Key"]: entry.get("Value", "") for entry in entries or ()}
