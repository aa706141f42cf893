"""The guardrails on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="ValidatingAdmissionPolicies and PriorityClasses",
        gcp="ValidatingAdmissionPolicies and PriorityClasses",
    ),
    "public_namespaces": CloudSupport(
        aws="exempts from: load balancers need the scheme `internal`; ALB Ingresses no `internet-facing`",
        gcp="exempts from: load balancers need the type `Internal`; no external Ingress or Gateway class",
    ),
}
