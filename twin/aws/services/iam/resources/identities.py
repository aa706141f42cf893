"""IAM: instance profiles, OpenID Connect providers, service-linked roles."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from twin.aws.api_server.errors import code_of
from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call, Update
from twin.aws.resources.fields import Field, pascal, reads
from twin.aws.resources.tags import Tagging
from twin.aws.services.iam.resources.roles import MISSING, tagging_of, time_text
from twin.provider_interface import AutoName, Failure, Props


class InstanceProfile(AwsResource):
    token = "aws:iam/instanceProfile:InstanceProfile"
    service = "iam"
    title = "IAM Instance Profile"
    regional = False
    fields = {
        "name": Field("InstanceProfileName"),
        "namePrefix": Field(read=""),
        **pascal("path"),
        "role": Field(read="Roles[0].RoleName"),
        "createDate": Field(read="CreateDate", decode=time_text),
        **reads(arn="Arn", uniqueId="InstanceProfileId"),
    }
    create_call = Call("CreateInstanceProfile")
    id_path = "InstanceProfile.InstanceProfileName"
    read_call = Call("GetInstanceProfile", {"InstanceProfileName": "{id}"})
    item = "InstanceProfile"
    not_found = MISSING
    delete_call = Call("DeleteInstanceProfile", {"InstanceProfileName": "{id}"})
    tagging = tagging_of("InstanceProfile", "InstanceProfileName")
    autoname = AutoName(max_length=128)
    name_prefix = ("namePrefix", "name", 128)
    paths = {"EntityAlreadyExists": "name", "NoSuchEntity": "role"}

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        self._set_role(context, id, inputs.get("role"))

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if "role" in self.changed(old, new):
            self._set_role(context, id, new.get("role"))

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        self._set_role(context, id, None)
        super().unmake(context, id, state)

    def _set_role(self, context: AwsContext, id: str, role: Any) -> None:
        item = self.find(context, id, {}) or {}
        present = [each["RoleName"] for each in item.get("Roles", [])]
        for name in present:
            if name != role:
                given = {"InstanceProfileName": id, "RoleName": name}
                context.call("iam", "RemoveRoleFromInstanceProfile", given)
        if role and role not in present:
            context.call("iam", "AddRoleToInstanceProfile", {"InstanceProfileName": id, "RoleName": role})


class OpenIdConnectProvider(AwsResource):
    token = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    service = "iam"
    title = "IAM OIDC Provider"
    regional = False
    fields = {
        "url": Field("Url"),
        "clientIdLists": Field("ClientIDList"),
        "thumbprintLists": Field("ThumbprintList"),
        **reads(arn="arn"),
    }
    create_call = Call("CreateOpenIDConnectProvider")
    id_path = "OpenIDConnectProviderArn"
    arn_form = "{id}"
    read_call = Call("GetOpenIDConnectProvider", {"OpenIDConnectProviderArn": "{id}"})
    not_found = MISSING
    updates = (
        Update(
            ("thumbprintLists",),
            Call(
                "UpdateOpenIDConnectProviderThumbprint",
                {"OpenIDConnectProviderArn": "{id}", "ThumbprintList": "{thumbprintLists}"},
            ),
        ),
    )
    delete_call = Call("DeleteOpenIDConnectProvider", {"OpenIDConnectProviderArn": "{id}"})
    tagging = tagging_of("OpenIDConnectProvider", "OpenIDConnectProviderArn")
    paths = {"EntityAlreadyExists": "url", "InvalidInput": "url"}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        url = inputs.get("url")
        if isinstance(url, str) and not url.startswith("https://"):
            yield Failure("url", f'expected "url" to have a url with schema of: "https", got {url}')

    def same(self, path: str, old: Any, new: Any) -> bool:
        if path == "url" and isinstance(old, str) and isinstance(new, str):
            return old.removeprefix("https://") == new.removeprefix("https://")
        return super().same(path, old, new)

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        found = super().outputs(context, id, item, state)
        # IAM answers the host and path alone; the provider's state holds the whole URL.
        if found.get("url"):
            found["url"] = f"https://{found['url'].removeprefix('https://')}"
        return found

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        super().change(context, id, old, new)
        before, wanted = set(old.get("clientIdLists") or []), set(new.get("clientIdLists") or [])
        for word, clients in (("Remove", before - wanted), ("Add", wanted - before)):
            for client in sorted(clients):
                tail = "To" if word == "Add" else "From"
                given = {"OpenIDConnectProviderArn": id, "ClientID": client}
                context.call("iam", f"{word}ClientID{tail}OpenIDConnectProvider", given)

    def describe(self, props: Props, id: str = "") -> str:
        return id or str(props.get("url") or "")


class ServiceLinkedRole(AwsResource):
    token = "aws:iam/serviceLinkedRole:ServiceLinkedRole"
    service = "iam"
    title = "IAM Service Linked Role"
    regional = False
    fields = {
        "awsServiceName": Field("AWSServiceName", read=""),
        "customSuffix": Field("CustomSuffix", read=""),
        **pascal("description"),
        "createDate": Field(read="CreateDate", decode=time_text),
        **reads(arn="Arn", name="RoleName", path="Path", uniqueId="RoleId"),
    }
    create_call = Call("CreateServiceLinkedRole")
    id_path = "Role.Arn"
    read_call = Call("GetRole")
    item = "Role"
    not_found = MISSING
    tagging = Tagging(
        create="",
        add=Call("TagRole", {"RoleName": "{name}", "Tags": "{tags}"}),
        remove=Call("UntagRole", {"RoleName": "{name}", "TagKeys": "{keys}"}),
    )
    paths = {"InvalidInput": "awsServiceName"}

    def describe(self, props: Props, id: str = "") -> str:
        return id or str(props.get("awsServiceName") or "")

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        self._change_tags(context, id, {"name": id.rpartition("/")[2]}, inputs)

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        try:
            return context.call("iam", "GetRole", {"RoleName": id.rpartition("/")[2]})["Role"]
        except ClientError as error:
            if code_of(error) in MISSING:
                return None
            raise

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        found = super().outputs(context, id, item, state)
        service = str(item.get("Path", "")).split("/")
        return {"awsServiceName": service[2], **found} if len(service) > 2 else found

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if "description" in self.changed(old, new):
            given = {"RoleName": old["name"], "Description": new.get("description") or ""}
            context.call("iam", "UpdateRole", given)

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        context.call("iam", "DeleteServiceLinkedRole", {"RoleName": id.rpartition("/")[2]})
