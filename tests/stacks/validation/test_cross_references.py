"""Topics that contradict each other or lack one that they need."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stacks.test_google_files import Change, problems

CASES: dict[str, tuple[str, Change, str, str]] = {
    "pools of one name": (
        "gcp-dev",
        {"node_pools/t4": {"instance_types": ["n2-standard-8"], "max": 1}},
        "gpu_pools.t4",
        "expected a name that no pool has",
    ),
    "expected hours of a pool that does not exist": (
        "gcp-dev",
        {"cost/hours": {"genral": 10}},
        "cost.hours.genral",
        "no pool; expected one of general, t4; did you mean 'general'?",
    ),
    "two identities of one service account": (
        "gcp-dev",
        {"workload_identities/second": {"namespace": "analytics", "service_account": "notebooks"}},
        "workload_identities.second.service_account",
        "belongs to workload_identities.analysts",
    ),
    "identity of the platform's service account": (
        "aws-dev",
        {"workload_identities/mine": {"namespace": "model-registry", "service_account": "mlflow"}},
        "workload_identities.mine.service_account",
        "belongs to model_registry",
    ),
    "identity by a name of the platform": (
        "aws-dev",
        {"workload_identities/feast": {"namespace": "a", "service_account": "b"}},
        "workload_identities.feast",
        "expected another name",
    ),
    "identity by the name of promotions": (
        "aws-dev",
        {"workload_identities/promoter": {"namespace": "a", "service_account": "b"}},
        "workload_identities.promoter",
        "the platform creates an identity 'promoter' for the model store; expected another name",
    ),
    "identity of the service account of imports": (
        "gcp-dev",
        {"workload_identities/mine": {"namespace": "release", "service_account": "importer"}},
        "workload_identities.mine.service_account",
        "belongs to model_store",
    ),
    "account of promotions that does not promote": (
        "aws-dev",
        {"model_store/account": "pipelines"},
        "model_store.account",
        "got 'pipelines', which is no account of model_registry that promotes",
    ),
    "registry with HTTPS whose authority is not stated": (
        "aws-dev",
        {"model_registry/tls_secret": "mlflow-tls"},
        "model_store.registry_ca",
        "missing, and no public authority signs the name of the registry's server",
    ),
    "prod without a release group": (
        "aws-prod",
        {"model_store/release_group": []},
        "model_store.release_group",
        "missing, and releases of prod need an approval",
    ),
    "release group that administers the cluster": (
        "aws-dev",
        {
            "cluster/admins": ["arn:aws:iam::111122223333:role/platform"],
            "model_store/release_group": ["arn:aws:iam::111122223333:role/platform"],
        },
        "model_store.release_group[0]",
        "which is in cluster.admins, too; expected a member that only approves",
    ),
    "release group that is a team": (
        "aws-dev",
        {
            "teams": {"search": {"owners": ["arn:aws:iam::111122223333:role/search"]}},
            "model_store/release_group": ["arn:aws:iam::111122223333:role/search"],
        },
        "model_store.release_group[0]",
        "which is in teams.search.owners, too; expected a member that only approves",
    ),
    "release group that GKE does not know": (
        "gcp-dev",
        {"model_store/release_group": ["group:release@acme.example"]},
        "cluster.gke.google_groups",
        "without which GKE knows no members of model_store.release_group",
    ),
    "checkpoints that expire at once": (
        "gcp-dev",
        {"model_store/checkpoints/expire_days": 0},
        "model_store.checkpoints.expire_days",
        "got 0; expected 1 to 3650 days",
    ),
    "namespace of Kubernetes": (
        "gcp-dev",
        {"model_registry/namespace": "kube-system"},
        "model_registry.namespace",
        "exists already",
    ),
    "namespace of the feature store": (
        "aws-dev",
        {"model_registry/namespace": "feature-store"},
        "model_registry.namespace",
        "exists already",
    ),
    "logs that two agents collect": (
        "gcp-dev",
        {"cluster/gke/workload_logs": True},
        "cluster.gke.workload_logs",
        "observability.logs collects the same logs",
    ),
    "two exporters of GPU metrics": (
        "gcp-dev",
        {
            "addons/options/dcgm-exporter": {"enabled": True},
            "observability": None,
            "cluster/gke/managed_prometheus": True,
        },
        "addons.options.dcgm-exporter.enabled",
        "GKE's own collection of metrics (cluster.gke.managed_prometheus) has an exporter, too",
    ),
    "feature store without a grant": (
        "aws-dev",
        {"lakehouse/grants": []},
        "lakehouse.grants",
        "no grant for 'features', which fills the feature store; expected one",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_contradiction_is_one_problem_at_the_key_to_change(tmp_path: Path, case: str) -> None:
    stack, change, key, reason = CASES[case]
    (problem,) = problems(tmp_path, change, stack)
    assert f": {key}: " in problem
    assert reason in problem
