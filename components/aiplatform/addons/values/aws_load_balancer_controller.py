"""AWS Load Balancer Controller: one controller with its webhooks, whose certificate cert-manager issues."""

from typing import Any

from aiplatform.addons.values.setup import PRIORITY_CLASS, Setup, requests, scheduling


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart.

    AWS WAF and Shield are off: the controller's role has no permissions for them.
    """
    return {
        "clusterName": setup.cluster,
        # By default it asks the instance's metadata service, which Pods do not reach.
        "region": setup.region,
        "vpcId": setup.vpc_id,
        "replicaCount": setup.replicas,
        "image": setup.image("aws-load-balancer-controller"),
        "priorityClassName": PRIORITY_CLASS,
        "resources": requests("50m", "256Mi"),
        # The chart's defaults lack these, and a namespace with the level `restricted` refuses such Pods.
        "podSecurityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "securityContext": {"capabilities": {"drop": ["ALL"]}},
        # The chart leaves it out for a single Pod.
        "podDisruptionBudget": {"minAvailable": 1},
        "topologySpreadConstraints": setup.spread({"app.kubernetes.io/name": "aws-load-balancer-controller"}),
        # By default the chart generates a certificate whenever it is rendered, so each preview would replace
        # it.
        "enableCertManager": True,
        # Its webhook would be called for every new Service, and refuse all of them while no Pod runs. Without
        # it a Service states `loadBalancerClass: service.k8s.aws/nlb`.
        "enableServiceMutatorWebhook": False,
        # Without it a Service of any type becomes a load balancer by its annotations, past the quota of
        # Services of type LoadBalancer.
        "controllerConfig": {"featureGates": {"ServiceTypeLoadBalancerOnly": True}},
        # An IngressClass in a list, which belongs to what installs gateways.
        "createIngressClassResource": False,
        "defaultTargetType": "ip",
        "defaultLoadBalancerScheme": "internal",
        "enableShield": False,
        "enableWaf": False,
        "enableWafv2": False,
        **scheduling(),
    }
