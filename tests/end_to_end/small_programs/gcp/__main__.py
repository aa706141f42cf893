"""A network with its parts, an account, a topic, and an object in the cluster."""

import os
from pathlib import Path

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes

project, region = os.environ["GOOGLE_PROJECT"], os.environ["GOOGLE_REGION"]
cloud = pulumi.ResourceOptions(provider=gcp.Provider("cloud", project=project, region=region))
apis = [
    gcp.projects.Service(f"api-{name}", service=f"{name}.googleapis.com", opts=cloud)
    for name in ("compute", "pubsub", "iam")
]
ready = pulumi.ResourceOptions.merge(cloud, pulumi.ResourceOptions(depends_on=apis))
network = gcp.compute.Network("main", auto_create_subnetworks=False, opts=ready)
for index in range(3):
    gcp.compute.Subnetwork(
        f"part-{index}", network=network.id, region=region, ip_cidr_range=f"10.0.{index}.0/24", opts=ready
    )
gcp.compute.Router("main", network=network.id, region=region, opts=ready)
topic = gcp.pubsub.Topic("main", opts=ready)
account = gcp.serviceaccount.Account("main", account_id="small-program", opts=ready)
cluster = kubernetes.Provider("cluster", kubeconfig=Path(os.environ["KUBECONFIG"]).read_text())
kubernetes.core.v1.ConfigMap(
    "main",
    metadata={"name": "small", "namespace": "default"},
    data={"network": network.id, "account": account.email, "topic": topic.id},
    opts=pulumi.ResourceOptions(provider=cluster),
)
