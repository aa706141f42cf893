"""The EKS API: which operation goes to which function, and what is common to all."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from twin.aws.api_server.internal_client import Inside
from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.services.eks.operations import (
    access,
    addon_catalog,
    addons,
    clusters,
    controller_api,
    nodegroup_updates,
    nodegroups,
    pod_identity,
    tags,
    updates,
)
from twin.aws.services.eks.operations.errors import invalid, not_found
from twin.aws.services.eks.operations.store import Store, Thing
from twin.aws.validation.parameters import violations

Params = dict[str, Any]


class Eks:
    """One instance's EKS. server: the AWS API server, for moto's state and the other services."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.instance = server.instance
        self.moto = server.moto
        self.identity = server.identity
        self.store = Store(server.instance.folder / "aws" / "eks.db")
        self.aws = Inside(server)

    def call(self, call: Call) -> Answer:
        """Answer a call of the API. Raises Refusal."""
        handler = HANDLERS.get(call.operation)
        if handler is None:
            where = "twin/aws/services/eks/operations/service.py"
            raise Refusal(
                "NotImplemented", f"eks:{call.operation} is not in the twin; add it to {where}", 501
            )
        params = {
            name: unquote(v) if isinstance(v, str) and "%" in v else v for name, v in call.params.items()
        }
        with self.store.lock:
            if not call.mutating:
                return _answer(handler(self, params))
            before = self.store.answered(call.key)
            if before:
                # What follows a create may have been cut short by a kill, and made up for since.
                reported = Answer(before[0], [("Content-Type", "application/json")], before[1].encode())
                return self._fresh(call, reported)
            self._validate(call.operation, params)
            self.caller = call.access_key
            # What EKS decides is written together with the answer; what it makes in other services follows,
            # and is made up for on the next start if that is cut short.
            with self.store.transaction():
                result = handler(self, params)
                answer = _answer(result)
                self.store.answer(call.key, answer.status, answer.body.decode())
            self.follow_up()
            return self._fresh(call, answer)

    def follow_up(self) -> None:
        """Make, in the other services, what was decided and is not there yet."""
        for cluster in self.store.every("cluster"):
            clusters.follow_up(self, cluster)
        for group in self.store.every("nodegroup"):
            nodegroups.follow_up(self, group)

    def recover(self) -> None:
        """After a start: finish what was begun."""
        with self.store.lock:
            self.follow_up()

    def view(self, name: str, body: Params) -> Params:
        """What the controller asks and reports."""
        handler = controller_api.VIEWS.get(name)
        if handler is None:
            raise Refusal("NotFound", f"no view named {name}", 404)
        with self.store.lock:
            return handler(self, body)

    def log_group_deleted(self, name: str) -> None:
        """What follows where the last events of a cluster have not been written yet."""
        clusters.write_late(self, name)

    def inventory(self) -> dict[str, list[str]]:
        """Names by kind."""
        ids: dict[str, list[str]] = {}
        for kind in ("cluster", "nodegroup", "addon", "pod_identity"):
            names = [f"{t.cluster}/{t.name}" if kind != "cluster" else t.name for t in self.store.every(kind)]
            if names:
                ids[kind] = names
        return ids

    def close(self) -> None:
        """Close the file."""
        self.store.close()

    def cluster(self, name: str, *, active: bool = False) -> Thing:
        """The cluster of that name. active: refuse one that is not ACTIVE."""
        cluster = self.store.get("cluster", name, name)
        if cluster is None:
            raise not_found(f"No cluster found for name: {name}.", clusterName=name)
        if active and cluster.status != "ACTIVE":
            text = f"Cluster '{name}' is not in ACTIVE status, it is in {cluster.status}"
            raise Refusal("InvalidRequestException", text, 400, clusterName=name)
        return cluster

    def arn(self, *parts: str) -> str:
        """An EKS arn."""
        return f"arn:aws:eks:{self.instance.region}:{self.instance.account}:{'/'.join(parts)}"

    def creator(self) -> str:
        """The IAM arn of who makes the call."""
        return self.identity.principal_arn(self.caller)

    def _validate(self, operation: str, params: Params) -> None:
        errors = violations("eks", operation, params)
        if errors:
            raise invalid("; ".join(f"{why} (at '{path}')" for path, why in errors))

    def _fresh(self, call: Call, answer: Answer) -> Answer:
        # The answer to a create reports what follow_up made (security group, Auto Scaling group).
        thing = _ANSWERED.get(call.operation)
        if not thing or not answer.good:
            return answer
        kind, name = thing
        body = json.loads(answer.body)
        resource = self.store.get(
            kind, body[name].get("clusterName", body[name].get("name", "")), _name(body[name])
        )
        if resource is None:
            return answer
        fresh = json.dumps({name: resource.description})
        self.store.answer(call.key, answer.status, fresh)
        return Answer(answer.status, answer.headers, fresh.encode())


_ANSWERED = {
    "CreateCluster": ("cluster", "cluster"),
    "CreateNodegroup": ("nodegroup", "nodegroup"),
}


def now() -> float:
    """The time as the API writes it: seconds."""
    return round(time.time(), 3)


def _name(description: Params) -> str:
    return description.get("nodegroupName") or description["name"]


def _answer(result: Params) -> Answer:
    return Answer(200, [("Content-Type", "application/json")], json.dumps(result).encode())


Handler = Callable[[Eks, Params], Params]
HANDLERS: dict[str, Handler] = {
    **clusters.HANDLERS,
    **nodegroups.HANDLERS,
    **nodegroup_updates.HANDLERS,
    **addons.HANDLERS,
    **addon_catalog.HANDLERS,
    **access.HANDLERS,
    **pod_identity.HANDLERS,
    **tags.HANDLERS,
    **updates.HANDLERS,
}
