"""A platform on AWS from the components.

Generated from Pulumi.yaml by `make generate`.
"""

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from aiplatform.addons import Addons
from aiplatform.cluster import Cluster
from aiplatform.cluster_autoscaler import ClusterAutoscaler
from aiplatform.container_registry import ContainerRegistry
from aiplatform.continuous_training import ContinuousTraining
from aiplatform.cost import Cost
from aiplatform.device_plugins import DevicePlugins
from aiplatform.efa_plugin import EfaPlugin
from aiplatform.feature_store import FeatureStore
from aiplatform.function import Function
from aiplatform.gateway import Gateway
from aiplatform.gpu_pool import GpuPool
from aiplatform.guardrails import Guardrails
from aiplatform.karpenter import Karpenter
from aiplatform.lakehouse import Lakehouse
from aiplatform.model_monitor import ModelMonitor
from aiplatform.model_registry import ModelRegistry
from aiplatform.model_store import ModelStore
from aiplatform.network import Network
from aiplatform.node_pool import NodePool
from aiplatform.observability import Observability
from aiplatform.pipelines import Pipelines
from aiplatform.runner import Runner
from aiplatform.serving import Serving
from aiplatform.teams import Teams
from aiplatform.training import Training
from aiplatform.workflow import Workflow
from aiplatform.workload_identity import WorkloadIdentity

aws_provider = aws.Provider("aws", region="us-west-2")
network = Network(
    "network",
    {
        "prefix": "team-dev",
        "cidr": "10.16.0.0/16",
        "zone_ids": ["usw2-az1", "usw2-az2"],
        "nat": "single",
    },
    pulumi.ResourceOptions(providers=[aws_provider]),
)
runner = Runner(
    "runner",
    {
        "prefix": "team-dev",
        "network": network.outputs,
        "deployer_role_arn": "arn:aws:iam::111122223333:role/deployer",
        "repository": "https://github.com/example/platform",
    },
    pulumi.ResourceOptions(providers=[aws_provider]),
)
cluster = Cluster(
    "cluster",
    {
        "prefix": "team-dev",
        "version": "1.35",
        "network": network.outputs,
        "api_access": {"mode": "cidrs", "cidrs": ["192.52.193.0/24"]},
    },
    pulumi.ResourceOptions(providers=[aws_provider]),
)
kubernetes_provider = kubernetes.Provider("kubernetes", kubeconfig=cluster.kubeconfig)
services = NodePool(
    "services",
    {
        "prefix": "team-dev",
        "name": "services",
        "cluster": cluster.outputs,
        "network": network.outputs,
        "zones": ["usw2-az1", "usw2-az2"],
        "instance_types": ["m6i.xlarge", "m5.xlarge"],
        "capacity": ["spot", "on_demand"],
        "max": 4,
    },
    pulumi.ResourceOptions(providers=[aws_provider]),
)
training = GpuPool(
    "training",
    {
        "prefix": "team-dev",
        "name": "training",
        "cluster": cluster.outputs,
        "network": network.outputs,
        "zones": ["usw2-az1", "usw2-az2"],
        "accelerator": "t4",
        "count": 1,
        "capacity": [
            {"type": "spot"},
            {"type": "on_demand"},
        ],
        "max": 2,
    },
    pulumi.ResourceOptions(providers=[aws_provider]),
)
autoscaler = ClusterAutoscaler(
    "autoscaler",
    {
        "prefix": "team-dev",
        "cluster": cluster.outputs,
        "node_groups": training.node_groups,
    },
    pulumi.ResourceOptions(providers=[aws_provider, kubernetes_provider]),
)
device_plugins = DevicePlugins(
    "devicePlugins",
    {
        "nvidia": True,
    },
    pulumi.ResourceOptions(providers=[kubernetes_provider]),
)
efa_plugin = EfaPlugin(
    "efaPlugin",
    {
        "image": "602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/aws-efa-k8s-device-plugin:v0.5.6",
    },
    pulumi.ResourceOptions(providers=[kubernetes_provider]),
)
addons = Addons(
    "addons",
    {
        "prefix": "team-dev",
        "cluster": cluster.outputs,
        "replicas": 2,
        "options": {
            "karpenter": {"enabled": True},
            "keda": {"enabled": True},
            "kserve": {"enabled": True},
        },
    },
    pulumi.ResourceOptions(providers=[aws_provider, kubernetes_provider]),
)
karpenter = Karpenter(
    "karpenter",
    {
        "prefix": "team-dev",
        "cluster": cluster.outputs,
        "pools": [
            {
                "name": "builds",
                "weight": 100,
                "capacity": "spot",
                "instance_types": ["m7i.2xlarge", "m6i.2xlarge"],
                "zones": ["usw2-az1"],
                "subnet_ids": [network.private_subnet_ids[0]],
                "security_group_ids": ["sg-0a1b2c3d4e5f60718"],
                "labels": {"workload": "builds"},
                "limits": {"cpu": "64"},
            },
        ],
        "image_versions": {"al2023": "v20261110"},
    },
    pulumi.ResourceOptions(providers=[aws_provider, kubernetes_provider], depends_on=[addons]),
)
trainer = Training(
    "trainer",
    {
        "cluster": cluster.outputs,
        "gpu_pools": [
            {
                "name": "training",
                "resource": "nvidia.com/gpu",
                "resources_per_node": 1,
                "node_selector": {"ai-platform/pool": "training"},
                "taints": [
                    {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"},
                ],
                "topology_labels": [],
                "vcpus_per_node": 4,
                "memory_gib_per_node": 16,
            },
        ],
        "runtimes": {"torch-twice": {"pool": "training", "nodes": 2, "max_restarts": 10}},
    },
    pulumi.ResourceOptions(providers=[kubernetes_provider], depends_on=[addons]),
)
gateway = Gateway(
    "gateway",
    {
        "cluster": cluster.outputs,
        "hosts": ["models.team-dev.example.com"],
        "authentication": {
            "issuer": "https://login.example.com",
            "audiences": ["models"],
            "jwks_uri": "https://login.example.com/keys",
        },
        "teams": {"vision": {"claims": ["vision-users"]}},
        "rate_limit": {"requests": 100, "unit": "second"},
    },
    pulumi.ResourceOptions(providers=[kubernetes_provider], depends_on=[addons]),
)
observability = Observability(
    "observability",
    {
        "prefix": "team-dev",
        "cluster": cluster.outputs,
        "addons": {
            "cert-manager": "v1.21.1",
            "external-secrets": "2.9.0",
            "karpenter": "1.14.1",
            "kueue": "0.19.2",
        },
        "secrets_role_arn": addons.secrets_role_arn,
        "cluster_autoscaler": True,
        "notifications": {
            "receivers": [
                {
                    "name": "platform-team",
                    "slack": {"channel": "#ml-platform-alerts", "secret": "team-dev/alerts/slack"},
                },
            ],
            "default": "platform-team",
        },
        "logs": {"retention_days": 30},
        "slos": [
            {
                "name": "admission",
                "indicator": "queue_wait",
                "objective_percent": 95,
                "latency_seconds": 320,
                "owner": "ml-platform",
            },
        ],
    },
    pulumi.ResourceOptions(providers=[aws_provider, kubernetes_provider], depends_on=[addons]),
)
guardrails = Guardrails(
    "guardrails",
    {
        "allowed_registries": ["111122223333.dkr.ecr.us-west-2.amazonaws.com", "quay.io/argoproj"],
        "require_digests": True,
        "digest_exceptions": ["quay.io/argoproj"],
        "required_labels": ["cost-center"],
    },
    pulumi.ResourceOptions(providers=[kubernetes_provider]),
)
pipelines = WorkloadIdentity(
    "pipelines",
    {
        "prefix": "team-dev",
        "name": "pipelines",
        "cluster": cluster.outputs,
        "namespace": "pipelines",
        "service_account": "pipelines",
    },
    pulumi.ResourceOptions(providers=[aws_provider]),
)
lakehouse = Lakehouse(
    "lakehouse",
    {
        "prefix": "team-dev",
        "writers": [pipelines.principal],
        "tables": [
            {
                "zone": "curated",
                "name": "orders",
                "owner": "sales",
                "columns": [
                    {"name": "order_id", "type": "long", "required": True},
                    {"name": "customer", "type": "string", "classification": "pii"},
                ],
            },
        ],
        "force_destroy": True,
    },
    pulumi.ResourceOptions(providers=[aws_provider]),
)
materializer = WorkloadIdentity(
    "materializer",
    {
        "prefix": "team-dev",
        "name": "features",
        "cluster": cluster.outputs,
        "namespace": "feature-store",
        "service_account": "feature-materializer",
    },
    pulumi.ResourceOptions(providers=[aws_provider]),
)
features = FeatureStore(
    "features",
    {
        "prefix": "team-dev",
        "cluster": cluster.outputs,
        "lakehouse": lakehouse.outputs,
        "materializer": materializer.outputs,
        "feature_views": ["orders"],
        "force_destroy": True,
    },
    pulumi.ResourceOptions(providers=[aws_provider, kubernetes_provider]),
)
images = ContainerRegistry(
    "images",
    {
        "prefix": "team-dev",
        "repositories": ["training", "serving"],
        "readers": [pipelines.principal],
        "force_destroy": True,
    },
    pulumi.ResourceOptions(providers=[aws_provider]),
)
models = ModelRegistry(
    "models",
    {
        "prefix": "team-dev",
        "cluster": cluster.outputs,
        "network": network.outputs,
        "force_destroy": True,
    },
    pulumi.ResourceOptions(providers=[aws_provider, kubernetes_provider]),
)
store = ModelStore(
    "store",
    {
        "prefix": "team-dev",
        "cluster": cluster.outputs,
        "profile": "dev",
        "registry": {
            "tracking_uri": models.tracking_uri,
            "namespace": "model-registry",
            "secret": models.admin_secret,
            "kms_key": models.kms_key,
        },
        "release_group": ["arn:aws:iam::111122223333:role/model-release"],
        "image": "example.com/loader@sha256:1111111111111111111111111111111111111111111111111111111111111111",
        "workflows": {"executor_image": "quay.io/argoproj/argoexec:v4.0.6"},
        "force_destroy": True,
    },
    pulumi.ResourceOptions(providers=[aws_provider, kubernetes_provider]),
)
searcher = WorkloadIdentity(
    "searcher",
    {
        "prefix": "team-dev",
        "name": "search",
        "cluster": cluster.outputs,
        "namespace": "search",
        "service_account": "workloads",
    },
    pulumi.ResourceOptions(providers=[aws_provider]),
)
teams = Teams(
    "teams",
    {
        "prefix": "team-dev",
        "cluster": cluster.outputs,
        "teams": {
            "search": {
                "owners": ["arn:aws:iam::111122223333:role/search-owners"],
                "developers": ["arn:aws:iam::111122223333:role/search-developers"],
                "configuration": {"MLFLOW_TRACKING_URI": models.tracking_uri},
                "services": {"model-registry": [80, 5000]},
                "identity": {
                    "principal": searcher.principal,
                    "role_name": searcher.role_name,
                    "namespace": "search",
                    "service_account": "workloads",
                },
            },
        },
        "model_store": store.outputs,
        "secrets_role_arn": addons.secrets_role_arn,
        "secret_keys": [models.kms_key],
    },
    pulumi.ResourceOptions(providers=[aws_provider, kubernetes_provider]),
)
workflows = Pipelines(
    "workflows",
    {
        "prefix": "team-dev",
        "cluster": cluster.outputs,
        "teams": {
            "search": {
                "namespace": "search",
                "identity": {
                    "principal": searcher.principal,
                    "role_name": searcher.role_name,
                    "namespace": "search",
                    "service_account": "workloads",
                },
                "submitters": ["arn:aws:iam::111122223333:role/search-ci"],
            },
        },
        "force_destroy": True,
    },
    pulumi.ResourceOptions(providers=[aws_provider, kubernetes_provider], depends_on=[teams]),
)
serving = Serving(
    "serving",
    {
        "prefix": "team-dev",
        "cluster": cluster.outputs,
        "model_store": store.outputs,
        "image": "example.com/loader@sha256:1111111111111111111111111111111111111111111111111111111111111111",
        "gpu_pools": [
            {
                "name": "training",
                "resource": "nvidia.com/gpu",
                "resources_per_node": 1,
                "max_nodes": 2,
                "node_selector": {"ai-platform/pool": "training"},
                "taints": [
                    {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"},
                ],
                "vcpus_per_node": 4,
                "memory_gib_per_node": 16,
            },
        ],
        "teams": {
            "search": {
                "services": {"chat": {"model": "assistant", "runtime": "vllm-training"}},
            },
        },
    },
    pulumi.ResourceOptions(providers=[aws_provider, kubernetes_provider], depends_on=[addons, teams]),
)
continuous = ContinuousTraining(
    "continuous",
    {
        "prefix": "team-dev",
        "cluster": cluster.outputs,
        "profile": "dev",
        "image": "example.com/steps@sha256:2222222222222222222222222222222222222222222222222222222222222222",
        "release_image": "example.com/loader@sha256:1111111111111111111111111111111111111111111111111111111111111111",
        "promoter": store.promoter_principal,
        "teams": {
            "search": {
                "namespace": "search",
                "identity": {
                    "principal": searcher.principal,
                    "role_name": searcher.role_name,
                    "service_account": "workloads",
                },
                "models": {
                    "ranker": {
                        "table": "team_dev_curated.orders",
                        "training": {
                            "image": "example.com/train@sha256:3333333333333333333333333333333333333333333333333333333333333333",
                            "code_commit": "0123456789abcdef0123456789abcdef01234567",
                            "runtime": "torch-training",
                        },
                        "evaluation": {"metric": "accuracy", "margin": 0.01},
                    },
                },
            },
        },
    },
    pulumi.ResourceOptions(
        providers=[aws_provider, kubernetes_provider], depends_on=[addons, store, workflows]
    ),
)
monitored = ModelMonitor(
    "monitored",
    {
        "prefix": "team-dev",
        "cluster": cluster.outputs,
        "profile": "dev",
        "image": "example.com/monitor@sha256:4444444444444444444444444444444444444444444444444444444444444444",
        "teams": {
            "search": {
                "namespace": "search",
                "identity": {
                    "principal": searcher.principal,
                    "role_name": searcher.role_name,
                    "service_account": "workloads",
                },
                "queue": continuous.queues["search"],
                "monitors": {
                    "ranker": {
                        "owner": "search@example.com",
                        "inference_services": ["ranker"],
                        "requests_table": "team_dev_curated.ranker_requests",
                        "results_table": "team_dev_curated.monitor_results",
                        "baseline_table": "team_dev_curated.orders",
                        "columns": [
                            {"name": "price", "type": "number"},
                        ],
                    },
                },
            },
        },
    },
    pulumi.ResourceOptions(providers=[aws_provider, kubernetes_provider], depends_on=[addons, teams]),
)
costs = Cost(
    "costs",
    {
        "prefix": "team-dev",
        "cluster": cluster.outputs,
        "budget": {"amount": 400, "emails": ["search@example.com"]},
        "team_budgets": {
            "search": {
                "amount": 100,
                "emails": ["search@example.com"],
                "forecast_percent": [],
            },
        },
        "anomalies": {"min_impact": 50},
        "image": "example.com/cost-control@sha256:5555555555555555555555555555555555555555555555555555555555555555",
        "hold": {"percent": 100},
        "cluster_queues": ["search"],
    },
    pulumi.ResourceOptions(providers=[aws_provider, kubernetes_provider], depends_on=[addons]),
)
score = Function(
    "score",
    {
        "prefix": "team-dev",
        "name": "score",
        "owner": "search",
        "image": "111122223333.dkr.ecr.us-west-2.amazonaws.com/team-dev/score@sha256:5555555555555555555555555555555555555555555555555555555555555555",
        "http": {"callers": ["arn:aws:iam::111122223333:role/search"]},
        "reads": [
            {
                "bucket": lakehouse.zones[2]["bucket"],
                "prefix": "files/models/",
                "kms_key": lakehouse.kms_key,
            },
        ],
        "environment": {"MODEL": "s3://team-dev-serving-111122223333/files/models/score/3/"},
        "alarm_targets": [costs.alerts_topic],
        "network": network.outputs,
    },
    pulumi.ResourceOptions(providers=[aws_provider]),
)
scoring = Workflow(
    "scoring",
    {
        "prefix": "team-dev",
        "name": "scoring",
        "owner": "search",
        "functions": {"score": {"arn": score.target}},
        "definition": {
            "StartAt": "Score",
            "TimeoutSeconds": 3600,
            "States": {
                "Score": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::lambda:invoke",
                    "Parameters": {"FunctionName": "${score}", "Payload.$": "$"},
                    "TimeoutSeconds": 300,
                    "Retry": [
                        {
                            "ErrorEquals": ["States.ALL"],
                            "IntervalSeconds": 2,
                            "MaxAttempts": 3,
                            "BackoffRate": 2,
                        },
                    ],
                    "Catch": [
                        {
                            "ErrorEquals": ["States.ALL"],
                            "ResultPath": "$.error",
                            "Next": "DeadLetter",
                        },
                    ],
                    "End": True,
                },
                "DeadLetter": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::sqs:sendMessage",
                    "Parameters": {"QueueUrl": "${dead_letter}", "MessageBody.$": "$"},
                    "Next": "Failed",
                },
                "Failed": {"Type": "Fail", "Error": "DeadLetter"},
            },
        },
        "schedule": {"cron": "0 3 * * *", "timezone": "Europe/Berlin"},
    },
    pulumi.ResourceOptions(providers=[aws_provider]),
)
pulumi.export("vpc_id", network.vpc_id)
pulumi.export("cluster_name", cluster.name)
pulumi.export("node_groups", training.node_groups)
