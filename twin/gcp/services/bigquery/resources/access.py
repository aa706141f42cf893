"""BigQuery: one entry of a dataset's access list, read, changed and written back."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from twin.gcp import services
from twin.gcp.context import GcpContext
from twin.gcp.http_client import absence_allowed
from twin.gcp.resources.base import GcpResource
from twin.gcp.services.bigquery.resources.tables import dataset_id
from twin.provider_interface import Props

_LOCKS: Final[defaultdict[str, threading.Lock]] = defaultdict(threading.Lock)
_WHO: Final = ("domain", "groupByEmail", "iamMember", "specialGroup", "userByEmail")
_WHAT: Final = ("view", "routine", "authorizedDataset")
_ROLES: Final[Mapping[str, str]] = services.tables("bigquery")["role_of"]


class DatasetAccess(GcpResource):
    token = "gcp:bigquery/datasetAccess:DatasetAccess"
    validators = {
        "datasetId": dataset_id,
    }

    def create(self, context: Any, inputs: Props) -> tuple[str, Props]:
        inputs = self.prepared(context, inputs)
        with self.errors("creating", {}):
            self._written(context, inputs, added=True)
        id = self.made_id(context, inputs, {})
        return id, self.written(context, id, inputs, "not in the list that it was added to")

    def read(self, context: Any, id: str, state: Props) -> Props | None:
        if not state:
            return super().read(context, id, state)
        answered: Props = {}
        with self.errors("reading", {}), absence_allowed():
            answered = self._dataset(context, state)
        access_entry = next(
            (candidate for candidate in answered.get("access", []) if _same(candidate, _entry(state))), None
        )
        if access_entry is None:
            return None
        moved = bool(state.get("iamMember")) and "iamMember" not in access_entry
        return {**{k: v for k, v in state.items() if k != "id"}, "apiUpdatedMember": moved}

    def delete(self, context: Any, id: str, state: Props) -> None:
        if self.kept_by_policy(id, state):
            return
        with self.errors("deleting", {}), absence_allowed():
            self._written(context, state, added=False)

    def _dataset(self, context: GcpContext, props: Props) -> Props:
        return context.call(
            "bigquery.datasets.get", self.filled(self.params, self.values(context, "", props))
        )

    def _written(self, context: GcpContext, props: Props, *, added: bool) -> None:
        # What is written depends on what was there: no intent may answer it from memory.
        context = context.with_intent("")
        wanted = _entry(props)
        with _LOCKS[str(props["datasetId"])]:
            access = self._dataset(context, props).get("access", [])
            left = [entry for entry in access if not _same(entry, wanted)]
            whole = [*left, wanted] if added else left
            if whole == access:
                return
            params = self.filled(self.params, self.values(context, "", props))
            context.call("bigquery.datasets.patch", params, {"access": whole})


def _entry(props: Props) -> Props:
    names = {"authorizedDataset": "dataset"}
    entry = {names.get(name, name): props[name] for name in (*_WHO, *_WHAT) if props.get(name)}
    for name in ("role", "condition"):
        if props.get(name):
            entry[name] = props[name]
    return entry


def _same(one: Props, other: Props) -> bool:
    return _plain(one) == _plain(other)


def _plain(entry: Props) -> Props:
    """An entry as it can be compared: roles by their full names, members by their kinds."""
    plain = {name: value for name, value in entry.items() if value not in (None, "", {}, [])}
    if "role" in plain:
        plain["role"] = _ROLES.get(plain["role"], plain["role"])
    member = str(plain.pop("iamMember", ""))
    kind, _, rest = member.partition(":")
    if kind in ("user", "serviceAccount", "group"):
        plain["groupByEmail" if kind == "group" else "userByEmail"] = rest
    elif member:
        plain["iamMember"] = member
    return plain
