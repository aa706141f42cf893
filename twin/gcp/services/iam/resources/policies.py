"""Members of the IAM policies of single resources: buckets, datasets' tables, secrets, topics..."""

# ruff: noqa: S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from typing import Any, ClassVar

from twin.core.templates import fill, parse
from twin.gcp.context import GcpContext
from twin.gcp.resources.links import relative, same_thing
from twin.gcp.services.iam.resources.members import IamMember
from twin.provider_interface import CloudError, Props


class ResourceMember(IamMember):
    """A member of the policy of a resource that one property names, in full or by its name alone."""

    attribute: ClassVar[str]
    """The property (`secretId`)."""
    form: ClassVar[str]
    """The resource's full name, whose last part is the property (`projects/{project}/secrets/{secretId}`)."""
    has_project = True
    keeps_full = True
    """Whether the property is read back in full (mmv1 sets it to the resource's id)."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "form" in cls.__dict__ and "id_form" not in cls.__dict__:
            cls.id_form = f"{cls.form}/{{role}}/{{member}}"

    def target(self, context: GcpContext, props: Props) -> str:
        given = relative(str(props[self.attribute]))
        values = self.values(context, "", props)
        if "/" in given and parse(self.form, given):
            return given
        made = fill(
            self.form, {**values, self.attribute: given.rpartition("/")[2] if "/" in given else given}
        )
        return str(made)

    def parsed(self, id: str) -> dict[str, str]:
        return {}  # the id holds a role with slashes: `_parts` reads it

    def own_id(self, context: GcpContext, id: str, outputs: Props) -> str:
        return id

    def create(self, context: Any, inputs: Props) -> tuple[str, Props]:
        whole = self.prepared(context, inputs)
        return super().create(context, {**whole, self.attribute: self._shown(context, whole)})

    def _shown(self, context: GcpContext, props: Props) -> str:
        full = self.target(context, props)
        return full if self.keeps_full else str(props[self.attribute])

    def shown(self, props: Props) -> str:
        value = str(props[self.attribute])
        made = fill(self.form, props)
        return value if "/" in value or not isinstance(made, str) else made

    def of_id(self, start: str) -> Props:
        found = parse(self.form, relative(start))
        if not found:
            raise CloudError(f"Import id {start!r} doesn't match any of the accepted formats: [{self.form}]")
        whole = relative(start) if self.keeps_full else found[self.attribute]
        known = self.sdk_schema.outputs
        return {**{name: value for name, value in found.items() if name in known}, self.attribute: whole}

    def alike(self, path: str, old: Any, new: Any) -> bool:
        if path == self.attribute:
            return same_thing(old, new)
        return super().alike(path, old, new)


class BucketMember(ResourceMember):
    token = "gcp:storage/bucketIAMMember:BucketIAMMember"

    def place_of(self, target: str) -> Props:
        return {"bucket": target.removeprefix("b/")}


class ManagedFolderMember(ResourceMember):
    token = "gcp:storage/managedFolderIamMember:ManagedFolderIamMember"

    def target(self, context: GcpContext, props: Props) -> str:
        return self.shown(props)

    def shown(self, props: Props) -> str:
        bucket = str(props["bucket"]).removeprefix("b/")
        return f"b/{bucket}/managedFolders/{props['managedFolder']}"

    def place_of(self, target: str) -> Props:
        bucket, _, folder = target.removeprefix("b/").partition("/managedFolders/")
        return {"bucket": bucket, "managedFolder": folder}
