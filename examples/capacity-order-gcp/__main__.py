"""The order in which node pools of an existing GKE cluster grow.

Generated from Pulumi.yaml by `make generate`.
"""

import pulumi
import pulumi_kubernetes as kubernetes

from aiplatform.compute_class import ComputeClass

kubernetes_provider = kubernetes.Provider("kubernetes", context="team-dev")
batch = ComputeClass(
    "batch",
    {
        "name": "batch",
        "cluster": {
            "cloud": "gcp",
            "project": "acme-dev-1234",
            "region": "europe-west4",
            "name": "team-dev",
            "node_service_account": "nodes@acme-dev-1234.iam.gserviceaccount.com",
        },
        "node_groups": [
            {
                "name": "batch-spot",
                "priority": 100,
            },
            {
                "name": "batch-on-demand",
                "priority": 90,
            },
        ],
    },
    pulumi.ResourceOptions(providers=[kubernetes_provider]),
)
pulumi.export("class_name", batch.name)
