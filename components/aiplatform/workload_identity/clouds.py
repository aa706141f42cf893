"""What a workload identity is on each cloud."""

from typing import Final

from aiplatform._clouds import Meanings, On, refused

MEANINGS: Final[Meanings] = {
    "prefix": On(aws="first part of the role's name", gcp="first part of the service account's id"),
    "name": On(aws="last part of the role's name", gcp="last part of the service account's id"),
    "cluster": On(
        aws="the cluster of the Pod Identity association", gcp="the project and its pool of identities"
    ),
    "namespace": On(aws="the association's namespace", gcp="part of the member that may be the account"),
    "service_account": On(
        aws="the association's service account", gcp="part of the member that may be the account"
    ),
    "tags": On(
        aws="tags of role and association",
        gcp=refused("service accounts have no labels; leave it out"),
    ),
}
