"""What the runner is on each cloud."""

from typing import Final

from aiplatform._clouds import Meanings, On, refused

MEANINGS: Final[Meanings] = {
    "": On(
        aws="a CodeBuild project in the private subnets, on demand",
        gcp=refused("GKE's DNS endpoint is reached from anywhere and guarded by IAM; leave it out"),
    ),
}
