"""Members of the IAM policies of single resources: buckets, datasets' tables, secrets, topics..."""

from __future__ import annotations

from typing import Any, ClassVar

from twin.core.templates import fill, parse
from twin.gcp.context import GcpContext
from twin.gcp.resources.links import relative, same_thing
from twin.gcp.services.iam.resources.members import IamMember
from twin.provider_interface import CloudError, Props


class ResourceMember(IamMember):
    """A member of the policy of a resource that one property names, in full or by its name alone."""

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
        target = relative(str(props[self.attribute]))
        values = self.values(context, "", props)
        if "/" in target and parse(self.form, target):
            return target
        filled = fill(
            self.form, {**values, self.attribute: target.rpartition("/")[2] if "/" in target else target}
        )
        return str(filled)

    def parsed(self, id: str) -> dict[str, str]:
        return {}  # the id holds a role with slashes: `_parts` reads it

    def own_id(self, context: GcpContext, id: str, outputs: Props) -> str:
        return id

    def create(self, context: Any, inputs: Props) -> tuple[str, Props]:
        whole = self.prepared(context, inputs)
        return super().create(context, {**whole, self.attribute: self._stored_target(context, whole)})

    def _stored_target(self, context: GcpContext, props: Props) -> str:
        full = self.target(context, props)
        return full if self.keeps_full else str(props[self.attribute])

    def target_id(self, props: Props) -> str:
        value = str(props[self.attribute])
        target = fill(self.form, props)
        return value if "/" in value or not isinstance(target, str) else target

    def of_id(self, start: str) -> Props:
        parts = parse(self.form, relative(start))
        if not parts:
            raise CloudError(f"Import id {start!r} doesn't match any of the accepted formats: [{self.form}]")
        whole = relative(start) if self.keeps_full else parts[self.attribute]
        known = self.sdk_schema.outputs
        return {**{name: value for name, value in parts.items() if name in known}, self.attribute: whole}

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
        return self.target_id(props)

    def target_id(self, props: Props) -> str:
        bucket = str(props["bucket"]).removeprefix("b/")
        return f"b/{bucket}/managedFolders/{props['managedFolder']}"

    def place_of(self, target: str) -> Props:
        bucket, _, folder = target.removeprefix("b/").partition("/managedFolders/")
        return {"bucket": bucket, "managedFolder": folder}
