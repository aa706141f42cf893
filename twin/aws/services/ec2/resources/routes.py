"""EC2's route tables, routes and their associations."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources import entries
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import from_api, pascal, to_api
from twin.core.normalization import canonical
from twin.provider_interface import CloudError, Context, Props

DESTINATIONS: Final = pascal("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId")
_INLINE: Final = entries.shape(__name__, "inline")


def _with_endpoint(route: Mapping[str, Any]) -> dict[str, Any]:
    # EC2 reports a gateway endpoint of a load balancer as GatewayId: vpce-...
    gateway = str(route.get("GatewayId", ""))
    if gateway.startswith("vpce-"):
        return {**{k: v for k, v in route.items() if k != "GatewayId"}, "VpcEndpointId": gateway}
    return dict(route)


def _managed(route: Mapping[str, Any]) -> bool:
    # What a program may have written: not the local route, not what a gateway endpoint or a VPN adds.
    gateway = str(route.get("GatewayId", ""))
    by_endpoint = gateway.startswith("vpce-") and bool(route.get("DestinationPrefixListId"))
    return gateway != "local" and not by_endpoint and route.get("Origin") != "EnableVgwRoutePropagation"


def _destination(route: Mapping[str, Any]) -> dict[str, Any]:
    names = [field.api for field in DESTINATIONS.values()]
    return {name: route[name] for name in names if route.get(name)}


class RouteTable(AwsResource):
    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        self._set_routes(context, id, inputs)

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if "routes" in self.changed(old, new):
            self._set_routes(context, id, new)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        inline = [from_api(_INLINE, _with_endpoint(r)) for r in item.get("Routes", []) if _managed(r)]
        return {"routes": inline}

    def _set_routes(self, context: AwsContext, id: str, inputs: Props) -> None:
        if inputs.get("routes") is None:
            return
        item = self.find(context, id, inputs) or {}
        present = [_with_endpoint(route) for route in item.get("Routes", []) if _managed(route)]
        wanted = [to_api(_INLINE, route) for route in inputs["routes"]]
        have = {canonical(to_api(_INLINE, from_api(_INLINE, route))) for route in present}
        want = {canonical(route) for route in wanted}
        for route in present:
            if canonical(to_api(_INLINE, from_api(_INLINE, route))) not in want:
                context.call("ec2", "DeleteRoute", {"RouteTableId": id, **_destination(route)})
        for route in wanted:
            if canonical(route) not in have:
                context.call("ec2", "CreateRoute", {"RouteTableId": id, **route})

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        # The real provider takes the associations along.
        item = self.find(context, id, state) or {}
        for association in item.get("Associations", []):
            if not association.get("Main"):
                context.call(
                    "ec2", "DisassociateRouteTable", {"AssociationId": association["RouteTableAssociationId"]}
                )
        super().unmake(context, id, state)


class Route(AwsResource):
    def describe(self, props: Props, id: str = "") -> str:
        return f"{props.get('routeTableId')}) with destination ({self._destination(props)}"

    def made_id(self, context: AwsContext, answer: Props, inputs: Props) -> str:
        return self._id(inputs)

    def _id(self, props: Props) -> str:
        # The real provider's id: the table and a hash of the destination.
        return f"r-{props['routeTableId']}{zlib.crc32(str(self._destination(props)).encode())}"

    def read(self, context: Context, id: str, state: Props) -> Props | None:
        # Import writes rtb-123_10.0.0.0/16.
        table, separator, destination = id.partition("_")
        if separator:
            name = "destinationIpv6CidrBlock" if ":" in destination else "destinationCidrBlock"
            name = "destinationPrefixListId" if destination.startswith("pl-") else name
            state = {"routeTableId": table, name: destination, **state}
        if not state.get("routeTableId"):
            raise CloudError(f"unexpected format for import ID ({id}), expected ROUTETABLEID_DESTINATION")
        state_ = super().read(context, id, state)
        return {**state_, "id": self._id(state)} if state_ is not None and separator else state_

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        table = super().find(context, id, state) or {}
        wanted = to_api(DESTINATIONS, state)
        for route in table.get("Routes", []):
            if _destination(route) == wanted and route.get("Origin") != "EnableVgwRoutePropagation":
                return _with_endpoint(route)
        return None

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        return {"state": known.get("state") or "active", "origin": known.get("origin") or "CreateRoute"}

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        params = {"RouteTableId": state["routeTableId"], **to_api(DESTINATIONS, state)}
        context.call("ec2", "DeleteRoute", params)

    @staticmethod
    def _destination(props: Mapping[str, Any]) -> Any:
        return next((props[name] for name in DESTINATIONS if props.get(name)), "")


class RouteTableAssociation(AwsResource):
    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        # Replacing the table gives the association a new id, which the state cannot follow: then the
        # subnet, which has one association at most, reports which one is meant.
        for name, value in (
            ("association.route-table-association-id", id),
            ("association.subnet-id", state.get("subnetId")),
            ("association.gateway-id", state.get("gatewayId")),
        ):
            association = self._search(context, name, value) if value else None
            if association:
                return association
        return None

    @staticmethod
    def _search(context: AwsContext, name: str, value: str) -> Any:
        filters = [{"Name": name, "Values": [value]}]
        tables = context.call("ec2", "DescribeRouteTables", {"Filters": filters})["RouteTables"]
        for table in tables:
            for association in table.get("Associations", []):
                if value in map(association.get, ("RouteTableAssociationId", "SubnetId", "GatewayId")):
                    return {**association, "RouteTableId": table["RouteTableId"]}
        return None

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        association = self.find(context, id, old)
        if association and association["RouteTableId"] != new["routeTableId"]:
            params = {"AssociationId": association["RouteTableAssociationId"]}
            params["RouteTableId"] = new["routeTableId"]
            context.call("ec2", "ReplaceRouteTableAssociation", params)

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        association = self.find(context, id, state)
        if association:
            context.call(
                "ec2", "DisassociateRouteTable", {"AssociationId": association["RouteTableAssociationId"]}
            )
