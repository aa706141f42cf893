"""Creates whose result no engine got, undone before a destroy.

The engine or the provider was killed, or the user cancelled: what was under way may exist in the cloud, and
no destroy knows its id. The store does, or holds the inputs: such a create is completed under its own intent,
as the next `up` does, and what it made is deleted. As a module it does so for a state file: see `main`.

The engine's own note ("creating" among the pending operations of its state) is not always there: the engine
removes it where the provider dies. It is read for whether the program protects or retains the resource.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twin.core.lifecycle import Lifecycle
from twin.property_values import dumps, loads
from twin.provider_interface import Cloud, CloudError, Context, ResourceType
from twin.store import Row, Store

State = Mapping[str, Any]


@dataclass
class Outcome:
    """What came of the pending creates. deleted: type and id. failed: type and id, and why it is left."""

    deleted: list[str] = field(default_factory=list[str])
    failed: dict[str, str] = field(default_factory=dict[str, str])


def undo(cloud: Cloud, store: Store, stack: str, state: State) -> Outcome:
    """Delete what creates of this stack made and its state does not know.

    state: the stack's `deployment`, as `pulumi stack export` gives it. What the program protects or retains
    on delete stays. The newest goes first; what others still need is tried again after them.
    """
    outcome = Outcome()
    # The providers that were asked, configured again.
    context_of = functools.cache(lambda config: cloud.configure(loads(config)))
    left = list(_orphans(cloud, store, stack, state))
    while left:
        outcome.failed = {}
        again: list[Row] = []
        for row in left:
            type = cloud.resource(row.token)
            if type is None:
                continue
            try:
                id = _deleted(store, type, context_of(dumps(row.config)), row)
            except CloudError as error:
                outcome.failed[f"{row.token} {row.id or row.urn.rpartition('::')[2]}"] = str(error)
                again.append(row)
            else:
                outcome.deleted += [f"{row.token} {id}"] if id else []
        if len(again) == len(left):
            break
        left = again
    return outcome


def _deleted(store: Store, type: ResourceType, context: Context, row: Row) -> str:
    """The id of what was deleted; empty where nothing was made."""
    lifecycle = Lifecycle(store, type, context)
    resource = lifecycle.resumed(row)
    if resource is None:
        return ""
    id, outputs = resource
    lifecycle.delete(id, outputs)
    return id


def _orphans(cloud: Cloud, store: Store, stack: str, state: State) -> Iterator[Row]:
    known = {(resource["type"], resource.get("id")) for resource in state.get("resources") or ()}
    pending = [operation["resource"] for operation in state.get("pending_operations") or ()]
    protected = {
        resource["urn"] for resource in pending if resource.get("protect") or resource.get("retainOnDelete")
    }
    for row in store.unsettled(stack):
        if (row.token, row.id) in known:
            # From here on the engine decides: what it drops without a delete is retained.
            store.mention(row.urn, row.token, str(row.id))
        elif row.urn not in protected and row.token.startswith(f"{cloud.name}:"):
            yield row


def main() -> None:
    """Undo the pending creates of a state file in the twin of AIPLATFORM_TWIN; print the outcome as JSON."""
    import os

    from twin import instances

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stack")
    parser.add_argument("state", type=Path, help="the stack's file in the twin's backend")
    arguments = parser.parse_args()
    instance = instances.load(os.environ["AIPLATFORM_TWIN"])
    if instance is None:
        sys.exit(f"there is no twin {os.environ['AIPLATFORM_TWIN']}")
    store = Store(instance.store)
    checkpoint = json.loads(arguments.state.read_text())["checkpoint"]
    outcome = undo(_cloud(instance.cloud), store, arguments.stack, checkpoint.get("latest") or {})
    store.close()
    print(json.dumps({"deleted": outcome.deleted, "failed": outcome.failed}))  # noqa: T201 - the answer


def _cloud(name: str) -> Cloud:
    if name == "gcp":
        from twin.gcp.provider import GcpCloud

        return GcpCloud()
    from twin.aws.provider import AwsCloud

    return AwsCloud()


if __name__ == "__main__":
    main()
