"""Cloud Storage: buckets, and what is in them."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.fields import Field
from twin.provider_interface import CloudError, Failure, Props

_LIVE: Final = {"LIVE": True, "ARCHIVED": False}
_STATE: Final = {True: "LIVE", False: "ARCHIVED"}


class Bucket(GcpResource):
    token = "gcp:storage/bucket:Bucket"
    fields = {
        "lifecycleRules.condition.withState": Field("isLive", encode=_LIVE.get, decode=_STATE.get),
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        name = inputs.get("name")
        if isinstance(name, str) and not (3 <= len(name) <= 63 or "." in name):
            yield Failure("name", f'"name" ("{name}") must be between 3 and 63 characters long')
        site = inputs.get("website")
        if isinstance(site, dict) and not (site.get("mainPageSuffix") or site.get("notFoundPage")):
            yield Failure("website", "one of `website.mainPageSuffix,website.notFoundPage` must be specified")

    def replaces(self, path: str, old: Props, new: Props) -> bool:
        if path == "retentionPolicy.isLocked":
            # A lock is for good: only another bucket gets rid of it (isPolicyLocked).
            return bool((old.get("retentionPolicy") or {}).get("isLocked"))
        return super().replaces(path, old, new)

    def after_create(self, context: GcpContext, id: str, inputs: Props) -> None:
        super().after_create(context, id, inputs)
        self._lock(context, id, inputs)

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        super().change(context, id, old, new)
        self._lock(context, id, new)

    def _lock(self, context: GcpContext, id: str, wanted: Props) -> None:
        """Lock the retention policy where that is asked for and not done."""
        if not (wanted.get("retentionPolicy") or {}).get("isLocked"):
            return
        now = context.call("storage.buckets.get", {"bucket": id})
        if not (now.get("retentionPolicy") or {}).get("isLocked"):
            params = {"bucket": id, "ifMetagenerationMatch": now["metageneration"]}
            context.call("storage.buckets.lockRetentionPolicy", params)

    def alike(self, path: str, old: Any, new: Any) -> bool:
        # The API writes places and classes in capital letters (CaseDiffSuppress).
        return path in ("location", "storageClass") and str(old).upper() == str(new).upper()

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        return {"url": f"gs://{item.get('name', id)}"}

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        params = {"bucket": id, "versions": True}
        objects = context.call("storage.objects.list", params).get("items", [])
        if (state.get("retentionPolicy") or {}).get("isLocked"):
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
            if any(each.get("retentionExpirationTime", "") > now for each in objects):
                raise CloudError(
                    f'Bucket "{id}" contains objects that have not met the retention period yet and '
                    "cannot be deleted.",
                    path="retentionPolicy",
                )
        if objects and not state.get("forceDestroy"):
            raise CloudError(
                f"Error trying to delete bucket {id} containing objects without `force_destroy` set to true",
                path="forceDestroy",
            )
        for each in objects:
            where = {
                "bucket": id,
                "object": each["name"],
                "generation": each.get("generation"),
            }
            context.call("storage.objects.delete", where)
        super().unmake(context, id, state)
