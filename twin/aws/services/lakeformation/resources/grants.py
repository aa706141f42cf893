"""Lake Formation: where LF-tags are, who is granted what, filters of rows and columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from twin.aws.api_server.errors import code_of
from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.services.lakeformation.resources.settings import digest
from twin.provider_interface import UNKNOWN, CloudError, Failure, Props


def _with_wildcards(params: Props, inputs: Mapping[str, Any]) -> Props:
    """The parameters with what the provider's `wildcard` means, in a table and in its columns."""
    resource = params.get("Resource") or {}
    table, columns = inputs.get("table"), inputs.get("tableWithColumns")
    if isinstance(table, dict) and table.get("wildcard"):
        resource["Table"]["TableWildcard"] = {}
    if isinstance(columns, dict) and columns.get("wildcard"):
        resource["TableWithColumns"].setdefault("ColumnWildcard", {})
    return params


def _wildcards(inputs: Props) -> Iterator[Failure]:
    for name in ("table", "tableWithColumns"):
        value = inputs.get(name)
        if not isinstance(value, dict) or any(element is UNKNOWN for element in value.values()):
            continue
        names = {"table": ("name",), "tableWithColumns": ("columnNames",)}[name]
        if bool(value.get("wildcard")) == any(value.get(key) for key in names):
            yield Failure(name, f"exactly one of wildcard and {names[0]} must be specified in {name}")


class ResourceLfTags(AwsResource):
    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from _wildcards(inputs)

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        return _with_wildcards(super().create_params(context, inputs), inputs)

    def made_id(self, context: AwsContext, answer: Props, inputs: Props) -> str:
        return digest({name: inputs.get(name) for name in self.fields})

    def make(self, context: AwsContext, inputs: Props) -> Props:
        answer = super().make(context, inputs)
        for failure in answer.get("Failures") or []:
            error, key = failure["Error"], failure["LFTag"]["TagKey"]
            raise CloudError(
                f"creating {self.title}: {error['ErrorCode']}: {error['ErrorMessage']} ({key})",
                code=error["ErrorCode"],
                path="lfTags",
            )
        return answer

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        params = self.create_params(context, state)
        query = {"Resource": params["Resource"], "ShowAssignedLFTags": True}
        try:
            answer = context.call("lakeformation", "GetResourceLFTags", query)
        except ClientError as error:
            if code_of(error) in self.not_found:
                return None
            raise
        tags = self._present(answer, state)
        here = [{"key": key, "value": value} for key, value in tags.items() if self._of(key, state)]
        return {"here": here} if here else None

    def _of(self, key: str, state: Props) -> bool:
        """Whether a tag is this resource's. The provider takes all that are there for its own."""
        return True

    def _present(self, answer: Props, state: Props) -> dict[str, str]:
        if state.get("database"):
            pairs = answer.get("LFTagOnDatabase") or []
        elif state.get("table"):
            pairs = answer.get("LFTagsOnTable") or []
        else:
            columns = answer.get("LFTagsOnColumns") or []
            pairs = [tag for column in columns for tag in column.get("LFTags") or []]
        return {tag["TagKey"]: tag["TagValues"][0] for tag in pairs}

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        known = {lf_tag["key"]: lf_tag for lf_tag in state.get("lfTags") or []}
        reported = [{**known.get(pair["key"], {}), **pair} for pair in item["here"]]
        return super().outputs(context, id, {}, {**state, "lfTags": None}) | {"lfTags": reported}

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        params = self.create_params(context, state)
        context.call(
            "lakeformation",
            "RemoveLFTagsFromResource",
            {"Resource": params["Resource"], "LFTags": params["LFTags"]},
        )


class ResourceLfTag(ResourceLfTags):
    """One LF-tag of a resource. It ignores the other tags of that resource."""

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        return {**params, "LFTags": [params["LFTags"]]}

    def _of(self, key: str, state: Props) -> bool:
        return key == state["lfTag"]["key"]

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        outputs = super().outputs(context, id, item, {**state, "lfTag": None, "lfTags": [state["lfTag"]]})
        (tag,) = outputs.pop("lfTags")
        return {**outputs, "lfTag": tag}


class Permissions(AwsResource):
    def rules(self, inputs: Props) -> Iterator[Failure]:
        if not inputs.get("catalogResource"):
            yield from _wildcards(inputs)

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = _with_wildcards(super().create_params(context, inputs), inputs)
        if inputs.get("catalogResource"):
            params["Resource"] = {"Catalog": {}}
        return params

    def made_id(self, context: AwsContext, answer: Props, inputs: Props) -> str:
        return digest({name: inputs.get(name) for name in self.fields})

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        params = self.create_params(context, state)
        query = {"Principal": params["Principal"], "Resource": params["Resource"]}
        columns = params["Resource"].get("TableWithColumns")
        if columns:
            # Columns cannot be asked for: the table is, which reports them too.
            names = ("CatalogId", "DatabaseName", "Name")
            query["Resource"] = {"Table": {name: columns[name] for name in names if name in columns}}
        answer = context.call("lakeformation", "ListPermissions", query)
        kind = next(iter(params["Resource"]))
        for grant in answer["PrincipalResourcePermissions"]:
            reported = grant["Resource"].get(kind)
            if reported is not None and (not columns or _same_columns(columns, reported)):
                return grant
        return None

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        try:
            context.call("lakeformation", "RevokePermissions", self.create_params(context, state))
        except ClientError as error:
            if "No permissions revoked" not in str(error) and "non-existent column" not in str(error):
                raise


def _same_columns(wanted: Props, reported: Props) -> bool:
    one, other = (
        (
            sorted(permissions.get("ColumnNames") or []),
            "ColumnWildcard" in permissions,
            sorted((permissions.get("ColumnWildcard") or {}).get("ExcludedColumnNames") or []),
        )
        for permissions in (wanted, reported)
    )
    return one == other


class DataCellsFilter(AwsResource):
    def made_id(self, context: AwsContext, answer: Props, inputs: Props) -> str:
        return super().made_id(context, answer, inputs["tableData"])

    def describe(self, props: Props, id: str = "") -> str:
        return id or str((props.get("tableData") or {}).get("name") or "")
