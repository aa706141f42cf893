"""Service Networking: the private connection of a network to Google's services (Cloud SQL, Filestore)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote, unquote

from twin.gcp.context import GcpContext
from twin.gcp.http_client import Refusal, absence_allowed
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.checking import wrong_body
from twin.gcp.resources.links import project_of, relative
from twin.gcp.resources.long_running_operations import FailedOperation, finished
from twin.provider_interface import Props

_HELD = "Producer services"
"""What the API says of while it refuses to delete a connection."""


class Connection(GcpResource):
    token = "gcp:servicenetworking/connection:Connection"

    def parsed(self, id: str) -> dict[str, str]:
        network, _, service = id.partition(":")
        return {"network": unquote(network), "service": unquote(service)} if service else {}

    def made_id(self, context: GcpContext, inputs: Props, answer: Props) -> str:
        return f"{quote(inputs['network'], safe='')}:{quote(inputs['service'], safe='')}"

    def own_id(self, context: GcpContext, id: str, outputs: Props) -> str:
        return id

    def wrong_fields(self, context: GcpContext, inputs: Props) -> Iterator[tuple[str, str]]:
        body = {"reservedPeeringRanges": inputs.get("reservedPeeringRanges")}
        yield from wrong_body(self.api, self.schema, "", body, {name: name for name in body})

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        params = {"parent": f"services/{inputs['service']}"}
        body = self._connection(context, inputs)
        plain = context if not inputs.get("updateOnCreationFail") else context.with_intent("")
        try:
            answer = plain.call(f"{self.collection}.create", params, body)
            return self.done(context, answer, "Create")
        except (Refusal, FailedOperation) as error:
            if "Cannot modify allocated ranges" not in str(error) or not inputs.get("updateOnCreationFail"):
                raise
            return self.done(context, self._patched(context, inputs), "Update")

    def find(self, context: GcpContext, id: str, values: Props) -> Props | None:
        network = self._network(context, str(values["network"]))
        params = {"parent": f"services/{values['service']}", "network": network}
        answer: Props = {}
        with absence_allowed():
            answer = context.call(f"{self.collection}.list", params)
        same = (one for one in answer.get("connections", []) if one.get("network") == network)
        return next(same, None)

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        if "reservedPeeringRanges" in self.changed(old, new):
            self.done(context, self._patched(context, new), "Update")

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        values = self.values(context, id, state)
        name = f"services/{values['service']}/connections/servicenetworking-googleapis-com"
        body = {"consumerNetwork": self._network(context, str(values["network"]))}
        try:
            answer = context.call(f"{self.collection}.deleteConnection", {"name": name}, body)
            self.done(context, answer, "Delete")
        except (Refusal, FailedOperation) as error:
            if state.get("deletionPolicy") != "REMOVE_PEERING" or _HELD not in str(error):
                raise
            self._remove_peering(context, str(values["network"]), str(state["peering"]))

    @staticmethod
    def _remove_peering(context: GcpContext, network: str, peering: str) -> None:
        """From the network alone: the producer's side stays, and Service Networking remembers it."""
        params = {"project": project_of(network) or context.project, "network": network.rpartition("/")[2]}
        response = context.call("compute.networks.get", params)
        if all(known_peering["name"] != peering for known_peering in response.get("peerings", ())):
            return  # it went before
        answer = context.call("compute.networks.removePeering", params, {"name": peering})
        finished(context, "compute", answer, "Removing Network Peering", 600)

    def _patched(self, context: GcpContext, props: Props) -> Props:
        name = f"services/{props['service']}/connections/-"
        query = {"updateMask": "reservedPeeringRanges", "force": True}
        return context.call(
            f"{self.collection}.patch", {"name": name}, self._connection(context, props), query
        )

    def _connection(self, context: GcpContext, props: Props) -> Props:
        network = self._network(context, props["network"])
        return {"network": network, "reservedPeeringRanges": props["reservedPeeringRanges"]}

    @staticmethod
    def _network(context: GcpContext, network: str) -> str:
        """The API names the network with the project's number (RetrieveServiceNetworkingNetworkName)."""
        name = relative(network).rpartition("/")[2]
        project = project_of(network) or context.project
        response = context.call("cloudresourcemanager.projects.get", {"projectId": project})
        return f"projects/{response['projectNumber']}/global/networks/{name}"
