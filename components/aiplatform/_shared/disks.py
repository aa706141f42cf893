"""The size of a node's volume."""

from typing import Final

from aiplatform._shared.args import Rule, between

LARGEST: Final = 65_536
"""GiB: of gp3 ("Amazon EBS General Purpose SSD volumes"), of balanced persistent disks and of Hyperdisk
Balanced ("Choose a disk type" of Compute Engine). Images of nodes have GPT, which boots from all of it."""
SIZE: Final[Rule] = between(20, LARGEST, "GiB")
"""A rule: the size of a node's volume, GiB."""
