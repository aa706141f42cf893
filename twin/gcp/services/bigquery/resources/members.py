"""Members of the policies of BigQuery's datasets, tables, connections and data policies, and of tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from twin.gcp import services
from twin.gcp.context import GcpContext
from twin.gcp.services.bigquery.resources.tables import dataset_id
from twin.gcp.services.iam.resources.policies import ResourceMember
from twin.provider_interface import CloudError, Failure, Props

_ROLES: Final[Mapping[str, str]] = services.tables("bigquery")["role_of"]
_FIELDS: Final[Mapping[str, str]] = services.tables("bigquery")["access_fields"]
_SPECIAL: Final = ("projectOwners", "projectReaders", "projectWriters", "allAuthenticatedUsers")


class DatasetMember(ResourceMember):
    """A dataset has no IAM methods in the provider's hands: its access list is turned into a policy."""

    token = "gcp:bigquery/datasetIamMember:DatasetIamMember"

    def rules(self, inputs: Props) -> Iterator[Failure]:
        member = inputs.get("member")
        if member in _SPECIAL:
            inputs = {name: value for name, value in inputs.items() if name != "member"}
        yield from super().rules(inputs)
        dataset = inputs.get("datasetId")
        if isinstance(dataset, str) and "/" not in dataset and dataset_id("dataset_id", dataset):
            yield Failure("datasetId", dataset_id("dataset_id", dataset))

    def place_of(self, target: str) -> Props:
        parts = target.split("/")
        return {"projectId": parts[1], "datasetId": parts[3], "accessPolicyVersion": 3}

    def _policy(self, context: GcpContext, props: Props) -> Props:
        answered = context.call("bigquery.datasets.get", self.place_of(self.target(context, props)))
        bindings: list[Props] = []
        for entry in answered.get("access", []):
            if "role" not in entry:
                continue  # an authorized view: the provider leaves it out, and loses it
            role = _ROLES.get(entry["role"], entry["role"])
            condition = entry.get("condition")
            binding = next(
                (
                    other
                    for other in bindings
                    if other["role"] == role and other.get("condition") == condition
                ),
                None,
            )
            if binding is None:
                binding = {"role": role, "members": [], **({"condition": condition} if condition else {})}
                bindings.append(binding)
            binding["members"].append(_member(entry))
        return {"bindings": bindings}

    def send(self, context: GcpContext, target: str, policy: Props) -> None:
        access: list[Props] = []
        for binding in policy.get("bindings", []):
            if binding["role"] in _ROLES:
                raise CloudError(
                    f"BigQuery Dataset legacy role {binding['role']} is not allowed when using dataset IAM "
                    f"members. Please use the full form: {_ROLES[binding['role']]}",
                    path="role",
                )
            for member in binding["members"]:
                entry = {"role": binding["role"], **_entry(member)}
                access.append(
                    {**entry, "condition": binding["condition"]} if "condition" in binding else entry
                )
        context.call("bigquery.datasets.patch", self.place_of(target), {"access": access})


def _member(entry: Props) -> str:
    for field, kind in (("groupByEmail", "group"), ("domain", "domain"), ("iamMember", "iamMember")):
        if entry.get(field):
            return f"{kind}:{entry[field]}"
    if entry.get("specialGroup"):
        return str(entry["specialGroup"])
    email = str(entry.get("userByEmail", ""))
    return f"serviceAccount:{email}" if "gserviceaccount" in email else f"user:{email}"


def _entry(member: str) -> Props:
    if member in _SPECIAL:
        return {"specialGroup": member}
    kind, _, rest = member.partition(":")
    if kind not in _FIELDS:
        raise CloudError(f"Failed to parse BigQuery Dataset IAM member type: {member}", path="member")
    return {_FIELDS[kind]: rest}
