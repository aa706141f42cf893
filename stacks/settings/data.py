"""The topics `workload_identities`, `lakehouse` and `feature_store`."""

from __future__ import annotations

from typing import Final

from aiplatform.feature_store.args import FeatureStoreArgs
from aiplatform.lakehouse.args import LakehouseArgs
from aiplatform.workload_identity.args import WorkloadIdentityArgs
from stacks.settings.generated import topic_of


class WorkloadIdentity(topic_of(WorkloadIdentityArgs, without=("name",))):
    """The identity in the cloud of the Pods of one Kubernetes service account. Grants refer to it by its name
    in this topic."""


class Lakehouse(topic_of(LakehouseArgs, without=("project", "table_events"))):
    """The governed lakehouse: zones, Iceberg tables, grants. Its principals are names of workload identities
    of the file, or principals of the cloud."""


MATERIALIZER: Final = "features"
"""The workload identity that fills the online store. An environment with a feature store has it."""


class FeatureStore(topic_of(FeatureStoreArgs, without=("materializer",))):
    """The feature store, on the lakehouse and the cluster of the environment. It is filled by the workload
    identity `features`, which the platform creates: grants of the lakehouse decide what it may read. Its
    principals are names of workload identities of the file, or principals of the cloud."""
