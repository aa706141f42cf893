"""The roles that a lakehouse on Google Cloud grants, for docs/security-google.md, from its registration."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from tests.components.aiplatform.lakehouse import google
from tests.components.recording import Registered
from tests.generating.tables import table

PAGE: Final = Path("docs/security-google.md")
_BEGIN: Final = "<!-- generated from the program by `make generate` -->\n"
_END: Final = "<!-- end -->"
_WHERE: Final = {
    "IAMMember": "project",
    "IcebergCatalogIamMember": "catalog {name}",
    "IcebergTableIamMember": "table {namespace}.{name}",
    "DatasetIamMember": "dataset {datasetId}",
    "IamMember": "table {datasetId}.{tableId}",
    "BucketIAMMember": "bucket {bucket}",
    "ManagedFolderIamMember": "folder {managedFolder} of bucket {bucket}",
    "TopicIAMMember": "topic {topic}",
    "SubscriptionIAMMember": "subscription {subscription}",
    "CryptoKeyIAMMember": "key of the data",
}


def text() -> str:
    """Return the page with its generated part."""
    page = (Path(__file__).parents[2] / PAGE).read_text()
    before, _, rest = page.partition(_BEGIN)
    return f"{before}{_BEGIN}{_roles()}{_END}{rest.partition(_END)[2]}"


def _roles() -> str:
    recorded = google.everything()
    custom = {
        f"{role.name}-id": role.inputs["roleId"]
        for role in recorded.all("gcp:projects/iAMCustomRole:IAMCustomRole")
    }
    rows = {
        _row(resource, custom)
        for resource in recorded.resources
        if resource.type.endswith(("IamMember", "IAMMember"))
    }
    return table(("on", "role", "principal"), sorted(rows)) + "\n"


def _row(member: Registered, custom: dict[str, Any]) -> tuple[str, str, str]:
    kind = member.type.rpartition(":")[2]
    if member.type == "gcp:serviceaccount/iAMMember:IAMMember":
        where = "the batch account"
    else:
        where = _WHERE[kind].format_map(_Words(member.inputs))
    role = str(member.inputs["role"])
    role = next((name for start, name in custom.items() if role.startswith(start.removesuffix("-id"))), role)
    return where, f"`{role}`", _principal(member)


def _principal(member: Registered) -> str:
    # What only the cloud knows is no input yet: the identity of a log sink.
    named = member.inputs.get("member")
    return f"`{named}`" if named else "the log sink's own identity"


class _Words(dict[str, Any]):
    """Inputs, in which an id of another resource is replaced by its name."""

    def __getitem__(self, key: str) -> str:
        return str(super().__getitem__(key)).rpartition("/")[2] or str(super().__getitem__(key))
