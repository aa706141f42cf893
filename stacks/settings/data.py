"""The topics `workload_identities` and `lakehouse`."""

from __future__ import annotations

from aiplatform.lakehouse.args import LakehouseArgs
from stacks.settings.from_arguments import topic_of
from stacks.settings.topic import Topic


class WorkloadIdentity(Topic):
    """Who the Pods of one Kubernetes service account are in the cloud: grants name it."""

    namespace: str
    """The Pods' namespace."""
    service_account: str
    """The Pods' service account."""


class Lakehouse(topic_of(LakehouseArgs, without=("protect", "retain_data", "force_destroy"))):
    """The governed lakehouse: zones, Iceberg tables, who may read what."""
