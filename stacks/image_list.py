"""The images and charts of an environment, as JSON.

    python -m stacks.image_list aws-dev

Read from the environment's file alone, without the engine and without a cloud. Images that a cloud installs
itself, such as those of EKS's add-ons, are not in it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from aiplatform._shared.images import images, mirrored
from aiplatform.accelerators import CARDS
from aiplatform.addons.catalog import Addon, in_order
from aiplatform.cluster_autoscaler.args import image_for
from aiplatform.efa_plugin.args import image_in
from stacks import devices, program_answers
from stacks import images as deployed
from stacks.settings import GpuPool, Settings
from stacks.settings.generated import stated


@dataclass(frozen=True)
class ListedImage:
    """An image that the program installs."""

    user: str
    """What runs it: `the add-on kueue`, `the model registry`."""
    image: str
    """Its publisher's reference, `repository:tag@digest`; without a digest where none is known."""
    pulled_from: str
    """The reference of its Pods: at a mirror, where it has one."""
    digest_source: str
    """Source of the digest; empty where there is none."""


@dataclass(frozen=True)
class ListedChart:
    """A chart that the program installs."""

    user: str
    chart: str
    """Where it is published: `oci://...`, a chart of a repository (`https://...`) or a manifest."""
    version: str
    digest: str
    digest_source: str


def images_of(settings: Settings) -> Iterator[ListedImage]:
    """Yield the images of an environment."""
    sources = {image.reference: image.digest_source for image in images().values()}
    workloads = {**deployed.of_workloads(settings), **deployed.of_users(settings)}
    for user, image in (*of_nodes(settings), *workloads.items()):
        pulled_from = mirrored(image, settings.images.mirrors)
        yield ListedImage(
            user, image, pulled_from, sources.get(image, "the environment's file" if "@" in image else "")
        )


def addons_in(settings: Settings) -> list[Addon]:
    """Return an environment's add-ons in the order in which they are installed."""
    names = deployed.addons_of(settings)
    if settings.observability is not None:
        names.append(deployed.OBSERVABILITY)
        if settings.observability.opencost is not None:
            names.append(deployed.OPENCOST)
    names += deployed.component_addons(settings)
    return in_order(names)


def charts_of(settings: Settings) -> Iterator[ListedChart]:
    """Yield the charts of an environment's add-ons, in the order in which they are installed."""
    for addon in addons_in(settings):
        yield ListedChart(
            f"the add-on {addon.name}", addon.chart, addon.version, addon.digest, addon.digest_source
        )


def of_nodes(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield what runs on nodes of EKS; GKE has all of it itself."""
    environment = settings.environment
    if environment.cloud != "aws":
        return
    autoscaler = stated(settings.cluster_autoscaler) if settings.cluster_autoscaler else {}
    yield "the cluster autoscaler", autoscaler.get("image") or image_for(settings.cluster.version)
    pools = list(settings.gpu_pools.values())
    for vendor in sorted({CARDS[pool.accelerator].vendor for pool in pools if _has_no_plugin(pool)}):
        yield f"the device plugin of {vendor}", images()[f"{vendor}-device-plugin"].reference
    if any(devices.has_efa(pool) for pool in pools):
        yield "the EFA device plugin", image_in(environment.region, "amazonaws.com")


def _has_no_plugin(pool: GpuPool) -> bool:
    """Return whether the nodes' operating system lacks a device plugin; Bottlerocket has one."""
    args = stated(pool)
    sharing: dict[str, Any] = args.get("sharing") or {}
    mig = sharing.get("strategy") == "mig"
    return (args.get("image") or ("bottlerocket" if mig else "al2023")) == "al2023"


def document_of(settings: Settings) -> dict[str, Any]:
    """Return the images and charts of an environment."""
    return {
        "images": [asdict(image) for image in images_of(settings)],
        "charts": [asdict(chart) for chart in charts_of(settings)],
    }


def main(arguments: list[str]) -> int:
    """Print the list of one environment. Return the exit code."""
    return program_answers.answer(arguments, document_of)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
