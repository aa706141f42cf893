"""Creates that were under way when an engine was killed: undone before a destroy.

The engine writes "creating" into its state before it asks for a resource, and removes it with the result.
What remains after a kill may exist in the cloud, and no destroy knows its id. The store does, or holds the
inputs: such a create is completed under its own intent, as the next `up` does, and what it made is deleted.
As a module it does so for a state file: see `main`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from twin.checks.sdk import sdk
from twin.core import configuration
from twin.core.lifecycle import Lifecycle
from twin.engine_values import SIGNATURE
from twin.resource import Cloud, CloudError, Context, ResourceType
from twin.store import Row, Store

State = Mapping[str, Any]
_CREATING: Final = "creating"


@dataclass
class Outcome:
    """What came of the pending creates. deleted: type and id. failed: type and id, and why it is left."""

    deleted: list[str] = field(default_factory=list[str])
    failed: dict[str, str] = field(default_factory=dict[str, str])


def undo(cloud: Cloud, store: Store, state: State) -> Outcome:
    """Delete what pending creates of this cloud made and the state does not know.

    state: the stack's `deployment`, as `pulumi stack export` gives it. What the program protects or retains
    on delete stays. The newest goes first; what others still need is tried again after them.
    """
    outcome, contexts = Outcome(), _Contexts(cloud, state)
    left = sorted(_orphans(cloud, store, state), key=lambda each: each[0].begun, reverse=True)
    while left:
        outcome.failed = {}
        again: list[tuple[Row, State]] = []
        for row, resource in left:
            type = cloud.resource(row.token)
            name = f"{row.token} {row.id or row.urn.rpartition('::')[2]}"
            if type is None:
                continue
            try:
                id = _deleted(store, type, contexts.of(resource), row)
            except CloudError as error:
                outcome.failed[name] = str(error)
                again.append((row, resource))
            else:
                outcome.deleted += [f"{row.token} {id}"] if id else []
        if len(again) == len(left):
            break
        left = again
    return outcome


def _deleted(store: Store, type: ResourceType, context: Context, row: Row) -> str:
    """The id of what was deleted; empty where nothing was made."""
    lifecycle = Lifecycle(store, type, context)
    found = lifecycle.resumed(row)
    if found is None:
        return ""
    id, outputs = found
    lifecycle.delete(id, outputs)
    return id


def _orphans(cloud: Cloud, store: Store, state: State) -> Iterator[tuple[Row, State]]:
    known = {(each["type"], each.get("id")) for each in state.get("resources") or ()}
    seen: set[str] = set()
    for operation in state.get("pending_operations") or ():
        resource = operation["resource"]
        kept = resource.get("protect") or resource.get("retainOnDelete")
        if operation["type"] != _CREATING or kept or not resource["type"].startswith(f"{cloud.name}:"):
            continue
        for row in store.live(resource["urn"]):
            if row.intent not in seen and (row.token, row.id) not in known:
                seen.add(row.intent)
                yield row, resource


class _Contexts:
    """The configured providers of a state."""

    def __init__(self, cloud: Cloud, state: State) -> None:
        self._cloud = cloud
        self._made: dict[str, Context] = {}
        self._inputs = {
            f"{each['urn']}::{each.get('id')}": each.get("inputs") or {}
            for each in state.get("resources") or ()
            if each["type"] == f"pulumi:providers:{cloud.name}"
        }

    def of(self, resource: State) -> Context:
        """The one that was to make the resource. CloudError where the state has none."""
        reference = str(resource.get("provider") or "")
        if reference not in self._made:
            if reference not in self._inputs:
                raise CloudError(f"the state has no provider {reference}")
            open_ = {key: value for key, value in self._inputs[reference].items() if not _sealed(value)}
            self._made[reference] = self._cloud.configure(configuration.decode(sdk(self._cloud.sdk), open_))
        return self._made[reference]


def _sealed(value: Any) -> bool:
    return isinstance(value, Mapping) and SIGNATURE in value


def main() -> None:
    """Undo the pending creates of a state file in the twin of AIPLATFORM_TWIN; print the outcome as JSON."""
    import os

    from twin import world as worlds

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("state", type=Path, help="the stack's file in the twin's backend")
    file: Path = parser.parse_args().state
    world = worlds.load(os.environ["AIPLATFORM_TWIN"])
    if world is None:
        sys.exit(f"there is no twin {os.environ['AIPLATFORM_TWIN']}")
    store = Store(world.store)
    outcome = undo(_cloud(world.cloud), store, json.loads(file.read_text())["checkpoint"]["latest"])
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
