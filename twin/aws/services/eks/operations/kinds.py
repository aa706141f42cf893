"""What the kinds of things in a cluster have in common: how one is found, described and listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twin.aws.services.eks.operations.errors import not_found
from twin.aws.services.eks.operations.store import Thing

Params = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind by its names.

    stored: in the store. key: the parameter that names one. description, names: the members of answers with
    one, and with the names of all. missing: the words where there is none, with {name} and {cluster}.
    """

    stored: str
    key: str
    description: str
    names: str
    missing: str

    def find(self, eks: Any, params: Params) -> Thing:
        """The thing that the parameters name. Raises Refusal."""
        cluster, name = eks.cluster(params["clusterName"]), params[self.key]
        thing = eks.store.get(self.stored, cluster.name, name)
        if thing is None:
            members = {"clusterName": cluster.name, self.key: name}
            raise not_found(self.missing.format(name=name, cluster=cluster.name), **members)
        return thing

    def describe(self, eks: Any, params: Params) -> Params:
        """The operation that describes one."""
        return {self.description: self.find(eks, params).description}

    def list_all(self, eks: Any, params: Params) -> Params:
        """The operation that lists the names of all of a cluster."""
        cluster = eks.cluster(params["clusterName"])
        return {self.names: [thing.name for thing in eks.store.every(self.stored, cluster.name)]}
