"""KServe: one manager with its webhooks, whose certificate is one of cert-manager, and its configuration."""

from collections.abc import Mapping
from typing import Any, Final

from aiplatform.addons.values.setup import Setup, requests, scheduling

PODS: Final[Mapping[str, str]] = {"control-plane": "kserve-controller-manager"}
"""The labels of its Pods."""
STANDARD: Final = "Standard"
"""Deployments and Services, without Knative (formerly RawDeployment)."""
CLUSTER_DOMAIN: Final = "svc.cluster.local"
"""The domain by which KServe knows that an InferenceService has no address outside of the cluster."""


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart. It has neither replicas nor a disruption budget: its manager is one
    Pod, which elects itself. While it is replaced, Pods of InferenceServices that exist run on."""
    return {
        "kserve": {
            # Without it the chart has no ClusterStorageContainer: the platform's own is the only one, as
            # KServe takes the first that fits a URI. `storagecontainer.enabled: false` would set nothing: the
            # template takes false for absent. The other two shared objects are switched on one by one.
            "createSharedResources": False,
            "inferenceServiceConfig": {"enabled": True},
            "certManager": {"enabled": True},
            # Models come from releases, never from an image.
            "storage": {"enableModelcar": False},
            # Servers of models call no API of Kubernetes; identities of clouds have separate tokens.
            "security": {"autoMountServiceAccountToken": False},
            "controller": {
                "deploymentMode": STANDARD,
                "image": setup.repository("kserve-controller"),
                "tag": setup.tag("kserve-controller"),
                "imagePullPolicy": "IfNotPresent",
                "rbacProxyImage": f"{setup.repository('kube-rbac-proxy')}:{setup.tag('kube-rbac-proxy')}",
                "resources": requests("100m", "512Mi"),
                "rbacProxy": {"resources": requests("10m", "64Mi")},
                "gateway": _no_routes(),
                **scheduling(),
            },
        }
    }


def _no_routes() -> dict[str, Any]:
    """Return the settings by which KServe creates no Ingress, HTTPRoute or VirtualService, and needs none of
    these kinds. The URL in the status of an InferenceService is then that of its predictor's Service."""
    return {
        "domain": CLUSTER_DOMAIN,
        "domainTemplate": "{{ .Name }}-predictor.{{ .Namespace }}.{{ .IngressDomain }}",
        "urlScheme": "http",
        "disableIngressCreation": True,
        "disableIstioVirtualHost": True,
        "ingressGateway": {"enableGatewayApi": False, "createGateway": False},
    }
