"""EC2's VPC endpoints and flow logs."""

from __future__ import annotations

from typing import Any, Final

from botocore.exceptions import ClientError

from twin.aws.api_server.errors import code_of
from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import json_text
from twin.provider_interface import Props

_LISTS: Final = ("routeTableIds", "subnetIds", "securityGroupIds")


class VpcEndpoint(AwsResource):
    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        outputs: Props = {
            "requesterManaged": item.get("RequesterManaged", False),
            "ownerId": item.get("OwnerId") or context.account,
            "ipAddressType": item.get("IpAddressType") or ("ipv4" if item.get("NetworkInterfaceIds") else ""),
            "state": str(item.get("State", "")).lower() or "available",
        }
        if not outputs["ipAddressType"]:
            outputs.pop("ipAddressType")
        if item.get("VpcEndpointType") == "Gateway":
            outputs["privateDnsEnabled"] = False
            names = [{"Name": "prefix-list-name", "Values": [item["ServiceName"]]}]
            lists = context.call("ec2", "DescribePrefixLists", {"Filters": names}).get("PrefixLists", [])
            match = next((name for name in lists if name.get("PrefixListName") == item["ServiceName"]), None)
            if match:
                outputs["prefixListId"] = match["PrefixListId"]
                outputs["cidrBlocks"] = match.get("Cidrs", [])
        return outputs

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        params: Props = {}
        for name in _LISTS:
            if name in changed:
                before, wanted = set(old.get(name) or []), set(new.get(name) or [])
                for word, ids in (("Add", wanted - before), ("Remove", before - wanted)):
                    if ids:
                        params[f"{word}{name[0].upper()}{name[1:]}"] = sorted(ids)
        if "policy" in changed:
            params |= (
                {"PolicyDocument": json_text(new["policy"])} if new.get("policy") else {"ResetPolicy": True}
            )
        for name in ("privateDnsEnabled", "ipAddressType", "dnsOptions"):
            if name in changed and new.get(name) is not None:
                params[name[0].upper() + name[1:]] = self.values(context, id, new)[name]
        if params:
            context.call("ec2", "ModifyVpcEndpoint", {"VpcEndpointId": id, **params})

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        answer = context.call("ec2", "DeleteVpcEndpoints", {"VpcEndpointIds": [id]})
        _raise_unsuccessful(answer, "DeleteVpcEndpoints")


class FlowLog(AwsResource):
    _targets: Final = {
        "vpcId": "VPC",
        "subnetId": "Subnet",
        "eniId": "NetworkInterface",
        "transitGatewayId": "TransitGateway",
        "transitGatewayAttachmentId": "TransitGatewayAttachment",
        "regionalNatGatewayId": "RegionalNatGateway",
    }

    def describe(self, props: Props, id: str = "") -> str:
        return id or str(next((props[name] for name in self._targets if props.get(name)), ""))

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        name = next((name for name in self._targets if inputs.get(name) is not None), "vpcId")
        return {**params, "ResourceIds": [inputs.get(name)], "ResourceType": self._targets[name]}

    def make(self, context: AwsContext, inputs: Props) -> Props:
        answer = super().make(context, inputs)
        _raise_unsuccessful(answer, "CreateFlowLogs")
        return answer

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        target = str(item.get("ResourceId", ""))
        prefixes = {
            "vpc-": "vpcId",
            "subnet-": "subnetId",
            "eni-": "eniId",
            "tgw-attach-": "transitGatewayAttachmentId",
        }
        target_outputs = {name: target for prefix, name in prefixes.items() if target.startswith(prefix)}
        if not item.get("LogDestination") and item.get("LogGroupName"):
            place = f"arn:{context.partition}:logs:{context.region}:{context.account}"
            target_outputs["logDestination"] = f"{place}:log-group:{item['LogGroupName']}"
        return target_outputs


def _raise_unsuccessful(answer: Props, operation: str) -> None:
    # Calls on many resources answer 200 and name the failed ones.
    for failure in answer.get("Unsuccessful") or []:
        error = ClientError(
            {"Error": failure.get("Error", {}), "ResponseMetadata": answer.get("ResponseMetadata", {})},  # type: ignore[arg-type]
            operation,
        )
        if not code_of(error).endswith("NotFound"):
            raise error
