"""A perimeter of VPC Service Controls around the project that a lakehouse is in."""

from dataclasses import dataclass
from typing import Annotated, Final

from pulumi import Input

from aiplatform._shared.args import distinct, length, matches
from aiplatform.lakehouse.inputs import LakehousePerimeterArgs as LakehousePerimeterArgs

_POLICY: Final = matches(r"\d{1,20}", "the number of the organisation's access policy, in digits")
IDENTITY: Final = matches(
    r"(serviceAccount|user):[^\s:@]+@[^\s:@]+\.[a-z]+",
    "one identity, `serviceAccount:EMAIL` or `user:EMAIL`",
)


@dataclass(frozen=True)
class LakehousePerimeterSettings:
    """A perimeter of VPC Service Controls. A project is in one perimeter at most. Artifact Registry is not
    part of it, so images are protected only by IAM: a perimeter denies the upstreams of remote repositories,
    which the caches of a container registry are, until a `gcp.artifactregistry.VpcscConfig` of the location
    states `vpcsc_policy: ALLOW`."""

    access_policy: Input[Annotated[str, _POLICY]]
    """The number of the organisation's access policy, in digits."""
    deployers: Annotated[list[Input[Annotated[str, IDENTITY]]], length(1, 50, "identities"), distinct]
    """Identities that may reach the project's data services from outside the perimeter: those that apply the
    program, `serviceAccount:EMAIL` or `user:EMAIL`. Without them the perimeter could not be changed again."""
    dry_run: bool = False
    """Whether requests that the perimeter would deny are only logged. Default false."""
