"""The guardrails on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="ValidatingAdmissionPolicies and PriorityClasses",
        gcp="ValidatingAdmissionPolicies and PriorityClasses",
    ),
    "adapters": CloudSupport(
        aws="a limit of vpc.amazonaws.com/efa of a Pod",
        gcp=refused("networks of GPUDirect belong to a whole node; leave it out"),
    ),
    "public_namespaces": CloudSupport(
        aws="exempts from: load balancers need the scheme `internal`; ALB Ingresses no `internet-facing`",
        gcp="exempts from: load balancers need the type `Internal`; no external Ingress or Gateway class",
    ),
}
