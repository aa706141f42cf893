"""EC2's gateways and addresses: internet gateway, elastic IP, NAT gateway."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from twin.aws.api_server.errors import code_of
from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.provider_interface import Props


class InternetGateway(AwsResource):
    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        if inputs.get("vpcId"):
            self._attach(context, id, inputs["vpcId"])

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if "vpcId" in self.changed(old, new):
            self._detach(context, id, old.get("vpcId"))
            if new.get("vpcId"):
                self._attach(context, id, new["vpcId"])

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        self._detach(context, id, state.get("vpcId"))
        super().unmake(context, id, state)

    def _attach(self, context: AwsContext, id: str, vpc_id: str) -> None:
        try:
            context.call("ec2", "AttachInternetGateway", {"InternetGatewayId": id, "VpcId": vpc_id})
        except ClientError as error:
            attached = self.find(context, id, {})
            if code_of(error) != "Resource.AlreadyAssociated" or not self._is_in(attached, vpc_id):
                raise

    def _detach(self, context: AwsContext, id: str, vpc_id: Any) -> None:
        if not vpc_id:
            return
        try:
            context.call("ec2", "DetachInternetGateway", {"InternetGatewayId": id, "VpcId": vpc_id})
        except ClientError as error:
            if code_of(error) not in ("Gateway.NotAttached", "InvalidVpcID.NotFound"):
                raise

    @staticmethod
    def _is_in(item: Any, vpc_id: str) -> bool:
        return any(attachment.get("VpcId") == vpc_id for attachment in (item or {}).get("Attachments", []))


class Eip(AwsResource):
    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        self._associate(context, id, inputs)

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if {"instance", "networkInterface", "associateWithPrivateIp"} & self.changed(old, new):
            self._disassociate(context, old)
            self._associate(context, id, new)

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        if state.get("instance") or state.get("networkInterface"):
            self._disassociate(context, state)
        super().unmake(context, id, state)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        outputs = {"ptrRecord": ""}
        zone = "ec2" if context.region == "us-east-1" else context.region
        public = item.get("PublicIp", "").replace(".", "-")
        suffix = "compute-1" if context.region == "us-east-1" else f"{zone}.compute"
        outputs["publicDns"] = f"ec2-{public}.{suffix}.{context.url_suffix}"
        # Text, not nothing: a NAT gateway's or an instance's association is made after this resource.
        for name in ("associationId", "networkInterface", "privateIp", "instance"):
            outputs[name] = known.get(name) or ""
        private = str(known.get("privateIp") or "").replace(".", "-")
        internal = "ec2" if context.region == "us-east-1" else f"{context.region}.compute"
        outputs["privateDns"] = f"ip-{private}.{internal}.internal" if private else ""
        return outputs

    @staticmethod
    def _associate(context: AwsContext, id: str, inputs: Props) -> None:
        target = {"InstanceId": inputs.get("instance"), "NetworkInterfaceId": inputs.get("networkInterface")}
        association = {key: value for key, value in target.items() if value}
        if association:
            if inputs.get("associateWithPrivateIp"):
                association["PrivateIpAddress"] = inputs["associateWithPrivateIp"]
            context.call(
                "ec2", "AssociateAddress", {"AllocationId": id, "AllowReassociation": True, **association}
            )

    @staticmethod
    def _disassociate(context: AwsContext, state: Props) -> None:
        if not state.get("associationId"):
            return
        try:
            context.call("ec2", "DisassociateAddress", {"AssociationId": state["associationId"]})
        except ClientError as error:
            if code_of(error) != "InvalidAssociationID.NotFound":
                raise
