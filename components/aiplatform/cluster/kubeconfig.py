"""Kubeconfigs without a secret: their users authenticate to the cloud."""

import json
from typing import Any


def kubeconfig(name: str, region: str, endpoint: str, certificate_authority: str) -> str:
    """Return a kubeconfig, as JSON (which is YAML), whose user is the principal of the AWS credentials.

    `aws eks get-token` signs a request to STS with them; EKS gets the principal from STS, and looks
    for the access entry. The context has the cluster's name.
    """
    return _of(
        name,
        {"server": endpoint, "certificate-authority-data": certificate_authority},
        {
            "command": "aws",
            "args": [
                "eks",
                "get-token",
                "--cluster-name",
                name,
                "--region",
                region,
                "--output",
                "json",
            ],
        },
    )


_PLUGIN = "https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-access-for-kubectl#install_plugin"


def gke_kubeconfig(name: str, endpoint: str, certificate_authority: str | None) -> str:
    """Return a kubeconfig, as JSON (which is YAML) and as gcloud writes it, whose user is the principal that
    is logged in to Google Cloud.

    certificate_authority: None for the DNS endpoint, whose certificate is publicly trusted.
    """
    trust = {} if certificate_authority is None else {"certificate-authority-data": certificate_authority}
    plugin = {
        "command": "gke-gcloud-auth-plugin",
        "installHint": f"Install gke-gcloud-auth-plugin: {_PLUGIN}",
        "provideClusterInfo": True,
    }
    return _of(name, {"server": endpoint, **trust}, plugin)


def _of(name: str, cluster: dict[str, Any], plugin: dict[str, Any]) -> str:
    """plugin: the command that gets a token."""
    config: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
        "users": [
            {
                "name": name,
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1beta1",
                        **plugin,
                        "interactiveMode": "Never",
                    }
                },
            }
        ],
    }
    return json.dumps(config)
