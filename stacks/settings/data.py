"""The topics `workload_identities`, `lakehouse` and `feature_store`."""

from __future__ import annotations

from typing import Final

from aiplatform.feature_store.args import FeatureStoreArgs
from aiplatform.lakehouse.args import LakehouseArgs
from stacks.settings.from_arguments import topic_of
from stacks.settings.topic import Topic


class WorkloadIdentity(Topic):
    """Who the Pods of one Kubernetes service account are in the cloud: grants name it."""

    namespace: str
    """The Pods' namespace."""
    service_account: str
    """The Pods' service account."""


class Lakehouse(topic_of(LakehouseArgs, without=("project",))):
    """The governed lakehouse: zones, Iceberg tables, who may read what. Its principals are names of the
    file's workload identities, or principals of the cloud."""


MATERIALIZER: Final = "features"
"""The workload identity that fills the online store. An environment with a feature store has it."""


class FeatureStore(topic_of(FeatureStoreArgs, without=("materializer",))):
    """The feature store, on the lakehouse and the cluster of the environment. What fills it is the workload
    identity `features`, which the platform makes: the lakehouse's grants say what it may read. Its principals
    are names of the file's workload identities, or principals of the cloud."""
