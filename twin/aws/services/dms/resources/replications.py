"""DMS: subnet groups, certificates and serverless replications; endpoints are in endpoints.py."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import to_api
from twin.provider_interface import CloudError, Props, pause

_STOP_SECONDS: Final = 600.0


class ReplicationConfig(AwsResource):
    created = None

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        if inputs.get("startReplication"):
            self._start(context, id, "start-replication")

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        # With it a refresh sees that someone stopped it.
        if known.get("startReplication") is None:
            return {}
        return {"startReplication": self._status(context, id) in ("running", "starting")}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new) - {"startReplication"}
        if changed:
            self._stop(context, id)
            params = {
                name: value
                for name, value in to_api(self.fields, new).items()
                if name != "ResourceIdentifier"
            }
            context.call("dms", "ModifyReplicationConfig", {"ReplicationConfigArn": id, **params})
        if new.get("startReplication"):
            if self._status(context, id) not in ("running", "starting"):
                self._start(context, id, "resume-processing")
        else:
            self._stop(context, id)

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        self._stop(context, id)
        super().unmake(context, id, state)

    @staticmethod
    def _start(context: AwsContext, id: str, how: str) -> None:
        context.call("dms", "StartReplication", {"ReplicationConfigArn": id, "StartReplicationType": how})

    def _stop(self, context: AwsContext, id: str) -> None:
        if self._status(context, id) not in ("running", "starting"):
            return
        context.call("dms", "StopReplication", {"ReplicationConfigArn": id})
        waited = 0.0
        while self._status(context, id) not in ("stopped", "created"):
            if waited > _STOP_SECONDS:
                raise CloudError(f"waiting for {self.title} ({id}) to stop: timeout")
            pause(1)
            waited += 1

    @staticmethod
    def _status(context: AwsContext, id: str) -> str:
        params = {"Filters": [{"Name": "replication-config-arn", "Values": [id]}]}
        replications = context.call("dms", "DescribeReplications", params)["Replications"]
        return str(replications[0]["Status"]) if replications else ""

    def describe(self, props: Props, id: str = "") -> str:
        return str(props.get("replicationConfigIdentifier") or id)
