"""Cloud Logging: log buckets, sinks and exclusions of a project."""

from __future__ import annotations

import threading
from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.provider_interface import Props

_SHARED_WRITER: Final = "serviceAccount:cloud-logs@system.gserviceaccount.com"
_ONE_AT_A_TIME: Final = threading.Lock()
"""A project's exclusions cannot be changed side by side, so that the provider has a mutex for them."""


class ProjectBucketConfig(GcpResource):
    token = "gcp:logging/projectBucketConfig:ProjectBucketConfig"

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        # What there is under this id (`_Default`) is taken over and changed.
        values = self.values(context, "", inputs)
        item = self.find(context, "", values)
        if item is None:
            return super().make(context, inputs, body)
        mask = ",".join(sorted(body))
        return context.call(
            f"{self.collection}.patch", self.filled(self.params, values), body, {"updateMask": mask}
        )


class ProjectSink(GcpResource):
    token = "gcp:logging/projectSink:ProjectSink"

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new) - {"deletionPolicy"}
        if not changed:
            return
        body, _ = self.body(context, new)
        sent = {"filter": "", "disabled": False, "exclusions": [], "description": "", **body}
        mask = {"exclusions", *changed} - {"uniqueWriterIdentity", "customWriterIdentity"}
        query: Props = {"updateMask": ",".join(sorted(mask))}
        params = self.filled(self.params, self.values(context, id, new))
        context.call(f"{self.collection}.patch", params, sent, query)

    def filled(self, params: Any, values: Props) -> Props:
        filled_params = super().filled(params, values)
        return {name: value for name, value in filled_params.items() if value is not None}

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        return {"uniqueWriterIdentity": item.get("writerIdentity") != _SHARED_WRITER}

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        if self.parsed(id).get("name") not in ("_Required", "_Default"):
            super().unmake(context, id, state)


class ProjectExclusion(GcpResource):
    token = "gcp:logging/projectExclusion:ProjectExclusion"

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        with _ONE_AT_A_TIME:
            return super().make(context, inputs, body)

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        with _ONE_AT_A_TIME:
            super().change(context, id, old, new)

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        with _ONE_AT_A_TIME:
            super().unmake(context, id, state)
