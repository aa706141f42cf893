"""Workload identities on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "prefix": CloudSupport(aws="first part of the role's name", gcp="first part of the service account's id"),
    "name": CloudSupport(aws="last part of the role's name", gcp="last part of the service account's id"),
    "cluster": CloudSupport(
        aws="the cluster of the Pod Identity association", gcp="the project and its pool of identities"
    ),
    "namespace": CloudSupport(
        aws="the association's namespace", gcp="part of the member that can impersonate the account"
    ),
    "service_account": CloudSupport(
        aws="the association's service account", gcp="part of the member that can impersonate the account"
    ),
    "tags": CloudSupport(
        aws="tags of role and association",
        gcp=refused("service accounts have no labels; leave it out"),
    ),
}
