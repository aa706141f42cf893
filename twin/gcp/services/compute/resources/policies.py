"""Compute: resource policies (placement, workloads, schedules) and reservations."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.fields import Field, local, only_read, only_sent
from twin.gcp.resources.validators import GCE_NAME, at_least, matches, one_of
from twin.provider_interface import AutoName, Props


class ResourcePolicy(GcpResource):
    token = "gcp:compute/resourcePolicy:ResourcePolicy"
    title = "ResourcePolicy"
    collection = "compute.resourcePolicies"
    schema = "ResourcePolicy"
    params = {"project": "{project}", "region": "{region}", "resourcePolicy": "{name}"}
    id_form = "projects/{project}/regions/{region}/resourcePolicies/{name}"
    place = "region"
    autoname = AutoName("name", max_length=255)
    fields = {
        "diskConsistencyGroupPolicy.enabled": Field(sent=False, read=False),
        **only_read("selfLink"),
        **local("deletionPolicy"),
    }
    names = frozenset({"region"})
    immutable = frozenset(
        {"name", "region", "project", "diskConsistencyGroupPolicy.enabled", "workloadPolicy.type"}
        | {"groupPlacementPolicy.gpuTopology", "groupPlacementPolicy.tpuTopology"}
        | {"workloadPolicy.acceleratorTopology", "workloadPolicy.acceleratorTopologyMode"}
        | {"workloadPolicy.maxTopologyDistance"}
    )
    changes = (
        Change(
            (
                "description",
                "snapshotSchedulePolicy",
                "groupPlacementPolicy",
                "instanceSchedulePolicy",
                "diskConsistencyGroupPolicy",
                "workloadPolicy",
            ),
        ),
    )
    validators = {
        "name": matches(GCE_NAME),
        "groupPlacementPolicy.collocation": one_of("COLLOCATED"),
        "groupPlacementPolicy.maxDistance": at_least(1),
        "workloadPolicy.maxTopologyDistance": one_of("BLOCK", "CLUSTER", "SUBBLOCK"),
        "workloadPolicy.acceleratorTopologyMode": one_of("AUTO_CONNECT", "PROVISION_ONLY"),
    }
    conflicts = (
        (
            "diskConsistencyGroupPolicy",
            "snapshotSchedulePolicy",
            "workloadPolicy",
        ),
        (
            "groupPlacementPolicy",
            "instanceSchedulePolicy",
            "snapshotSchedulePolicy",
            "workloadPolicy",
        ),
        (
            "instanceSchedulePolicy",
            "snapshotSchedulePolicy",
            "workloadPolicy",
        ),
        (
            "snapshotSchedulePolicy",
            "workloadPolicy",
        ),
    )

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        made, places = super().body(context, inputs)
        policy = inputs.get("diskConsistencyGroupPolicy")
        if isinstance(policy, dict):
            # The API knows no `enabled`: an empty policy is one.
            made["diskConsistencyGroupPolicy"] = {}
        return made, places

    def outputs(self, context: GcpContext, id: str, item: Props, state: Props) -> Props:
        found = super().outputs(context, id, item, state)
        if "diskConsistencyGroupPolicy" in item:
            found["diskConsistencyGroupPolicy"] = {"enabled": True}
        return found


class Reservation(GcpResource):
    token = "gcp:compute/reservation:Reservation"
    title = "Reservation"
    collection = "compute.reservations"
    schema = "Reservation"
    params = {"project": "{project}", "zone": "{zone}", "reservation": "{name}"}
    id_form = "projects/{project}/zones/{zone}/reservations/{name}"
    place = "zone"
    autoname = AutoName("name", max_length=255)
    fields = {
        **only_read(
            "commitment", "creationTimestamp", "kind", "linkedCommitments", "satisfiesPzs", "selfLink"
        ),
        **only_read("status", resourceStatuses="resourceStatus"),
        **only_sent("params"),
        **local("deletionPolicy", "blockNames"),
        "specificReservation.instanceProperties.localSsds.diskSizeGb": Field("diskSizeGb"),
    }
    names = frozenset({"zone"})
    immutable = frozenset(
        {"name", "zone", "project", "description", "deleteAfterDuration", "deleteAtTime", "params"}
        | {"enableEmergentMaintenance", "specificReservationRequired", "shareSettings.shareType"}
        | {"specificReservation.instanceProperties", "reservationSharingPolicy"}
    )
    validators = {
        "name": matches(GCE_NAME),
        "specificReservation.count": at_least(1),
        "specificReservation.instanceProperties.localSsds.interface": one_of("SCSI", "NVME"),
        "shareSettings.shareType": one_of("LOCAL", "SPECIFIC_PROJECTS"),
    }
    changes = (
        Change(
            ("specificReservation",),
            method="resize",
            send=(),
            body={"specificSkuCount": "{count}"},
        ),
    )

    def values(self, context: GcpContext, id: str, props: Props) -> Props:
        found = super().values(context, id, props)
        specific = found.get("specificReservation")
        if isinstance(specific, dict) and specific.get("count") is not None:
            found["count"] = str(int(specific["count"]))
        return found
