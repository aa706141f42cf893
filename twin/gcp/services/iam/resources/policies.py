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
    collection = "storage.buckets"
    attribute = "bucket"
    form = "b/{bucket}"
    has_project = False
    version_asked = "optionsRequestedPolicyVersion"
    bare = True

    def place_of(self, target: str) -> Props:
        return {"bucket": target.removeprefix("b/")}


class ManagedFolderMember(ResourceMember):
    token = "gcp:storage/managedFolderIamMember:ManagedFolderIamMember"
    collection = "storage.managedFolders"
    attribute = "managedFolder"
    form = "b/{bucket}/managedFolders/{managedFolder}"
    has_project = False
    keeps_full = False
    version_asked = "optionsRequestedPolicyVersion"
    bare = True

    def target(self, context: GcpContext, props: Props) -> str:
        return self.shown(props)

    def shown(self, props: Props) -> str:
        bucket = str(props["bucket"]).removeprefix("b/")
        return f"b/{bucket}/managedFolders/{props['managedFolder']}"

    def place_of(self, target: str) -> Props:
        bucket, _, folder = target.removeprefix("b/").partition("/managedFolders/")
        return {"bucket": bucket, "managedFolder": folder}


class SecretMember(ResourceMember):
    token = "gcp:secretmanager/secretIamMember:SecretIamMember"
    collection = "secretmanager.projects.secrets"
    attribute = "secretId"
    form = "projects/{project}/secrets/{secretId}"


class RepositoryMember(ResourceMember):
    token = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"
    collection = "artifactregistry.projects.locations.repositories"
    attribute = "repository"
    form = "projects/{project}/locations/{location}/repositories/{repository}"
    place = "location"


class IcebergCatalogMember(ResourceMember):
    token = "gcp:biglake/icebergCatalogIamMember:IcebergCatalogIamMember"
    collection = "biglake.projects.catalogs"
    attribute = "name"
    form = "projects/{project}/catalogs/{name}"


class IcebergNamespaceMember(ResourceMember):
    token = "gcp:biglake/icebergNamespaceIamMember:IcebergNamespaceIamMember"
    collection = "biglake.projects.catalogs.namespaces"
    attribute = "namespaceId"
    form = "projects/{project}/catalogs/{catalog}/namespaces/{namespaceId}"


class IcebergTableMember(ResourceMember):
    token = "gcp:biglake/icebergTableIamMember:IcebergTableIamMember"
    collection = "biglake.projects.catalogs.namespaces.tables"
    attribute = "name"
    form = "projects/{project}/catalogs/{catalog}/namespaces/{namespace}/tables/{name}"


class TopicMember(ResourceMember):
    token = "gcp:pubsub/topicIAMMember:TopicIAMMember"
    collection = "pubsub.projects.topics"
    attribute = "topic"
    form = "projects/{project}/topics/{topic}"


class SubscriptionMember(ResourceMember):
    token = "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember"
    collection = "pubsub.projects.subscriptions"
    attribute = "subscription"
    form = "projects/{project}/subscriptions/{subscription}"
    keeps_full = False


class PubsubSchemaMember(ResourceMember):
    token = "gcp:pubsub/schemaIamMember:SchemaIamMember"
    collection = "pubsub.projects.schemas"
    attribute = "schema"
    form = "projects/{project}/schemas/{schema}"


class BigtableInstanceMember(ResourceMember):
    token = "gcp:bigtable/instanceIamMember:InstanceIamMember"
    collection = "bigtableadmin.projects.instances"
    attribute = "instance"
    form = "projects/{project}/instances/{instance}"
    keeps_full = False
    get_by_post = True


class BigtableTableMember(ResourceMember):
    token = "gcp:bigtable/tableIamMember:TableIamMember"
    collection = "bigtableadmin.projects.instances.tables"
    attribute = "table"
    form = "projects/{project}/instances/{instanceName}/tables/{table}"
    keeps_full = False
    get_by_post = True


class ManagedZoneMember(ResourceMember):
    token = "gcp:dns/dnsManagedZoneIamMember:DnsManagedZoneIamMember"
    collection = "dns.managedZones"
    attribute = "managedZone"
    form = "projects/{project}/managedZones/{managedZone}"
    get_by_post = True
