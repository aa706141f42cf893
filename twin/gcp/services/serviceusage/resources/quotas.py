"""Service Usage: quotas that a project lowers for itself."""

# ruff: noqa: S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from typing import Any

from twin.gcp.context import GcpContext
from twin.gcp.http_client import Refusal
from twin.gcp.resources.base import NOT_FOUND, GcpResource
from twin.provider_interface import Props


class ConsumerQuotaOverride(GcpResource):
    token = "gcp:serviceusage/consumerQuotaOverride:ConsumerQuotaOverride"

    def made_id(self, context: GcpContext, inputs: Props, answer: Props) -> str:
        answered = answer.get("response") or answer
        values = {**self.values(context, "", inputs), "name": str(answered["name"]).rpartition("/")[2]}
        return str(self.filled({"id": self.id_form}, values)["id"])

    def find(self, context: GcpContext, id: str, values: Props) -> Props | None:
        # There is no get: the provider looks through the list.
        try:
            answered = context.call(
                f"{self.collection}.list", {"parent": id.rpartition("/consumerOverrides/")[0]}
            )
        except Refusal as error:
            if error.code == NOT_FOUND:
                return None
            raise
        last = id.rpartition("/")[2]
        found = (each for each in answered.get("overrides", []) if each["name"].rpartition("/")[2] == last)
        item = next(found, None)
        return None if item is None else {**item, "name": last}

    def filled(self, params: Any, values: Props) -> Props:
        made = super().filled(params, values)
        return {name: value for name, value in made.items() if value is not None}
