"""What an environment states that has a version, as JSON, for `aiplatform upgrades`.

    python -m stacks.upgrade_list aws-dev

Read from the environment's file alone, without the engine and without a cloud. Each entry has the key of the
file that changes it, as `gpu_pools.training.image_version`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from aiplatform._shared.aws.image_releases import PARAMETERS
from aiplatform._shared.kubernetes import image_versions
from aiplatform.addons.catalog import Addon
from aiplatform.cluster_autoscaler.args import IMAGES
from stacks import image_list, program_answers
from stacks import images as deployed
from stacks.arguments import node_image
from stacks.settings import GpuPool, Settings
from stacks.settings.generated import stated

SYSTEM: Final = "system"
"""The label of system nodes, `ai-platform/pool`."""


@dataclass(frozen=True)
class Nodes:
    """The nodes of a pool, or the system nodes."""

    pool: str
    image: str
    """`al2023`, `bottlerocket` or `gke`."""
    release: str
    """The stated release; empty where the file states none."""
    key: str
    """Where the release is stated; for a file without one, where all nodes' is."""
    pool_key: str
    """The key of this pool alone."""
    accelerators: bool
    karpenter: bool


@dataclass(frozen=True)
class Chart:
    """A chart that the program installs."""

    name: str
    chart: str
    version: str
    catalog: str
    """The catalog's version, with which values are tested."""
    kubernetes: str
    """Minor versions of Kubernetes, `1.33-1.36`; empty where none are recorded."""
    kubernetes_source: str
    key: str
    """The key of the file that states another version; empty where a component installs it in the
    catalog's."""


@dataclass(frozen=True)
class Software:
    """An image that runs on nodes and comes with the platform."""

    name: str
    image: str


def nodes_of(settings: Settings) -> Iterator[Nodes]:
    """Yield the system nodes, then the pools in the order of the file, those with accelerators last."""
    cloud = settings.environment.cloud
    karpenter = stated(settings.karpenter) if settings.karpenter is not None else {}

    def nodes(path: str, name: str, args: dict[str, Any], image: str, *, accelerators: bool) -> Nodes:
        kind = image_versions.kind(cloud, image)
        pool_key = f"{path}.image_version"
        if args.get("node_provisioning") == "karpenter":
            key = f"karpenter.image_versions.{image}"
            release = str(karpenter.get("image_versions", {}).get(image, ""))
            return Nodes(name, kind, release, key, key, accelerators, True)
        of_pool, shared = args.get("image_version"), settings.node_images.of(cloud, image)
        key = pool_key if of_pool else f"node_images.{kind}"
        return Nodes(name, kind, str(of_pool or shared or ""), key, pool_key, accelerators, False)

    system: dict[str, Any] = stated(settings.cluster).get("system_nodes", {})
    yield nodes("cluster.system_nodes", SYSTEM, system, "al2023", accelerators=False)
    pools = [*settings.node_pools.items(), *settings.gpu_pools.items()]
    for name, pool in pools:
        accelerators = isinstance(pool, GpuPool)
        path = f"{'gpu_pools' if accelerators else 'node_pools'}.{name}"
        yield nodes(path, name, stated(pool), node_image(pool), accelerators=accelerators)


def charts_of(settings: Settings) -> Iterator[Chart]:
    """Yield the charts of an environment in the order in which they are installed."""
    topic = stated(settings.addons) if settings.addons is not None else {}
    options: dict[str, dict[str, Any]] = topic.get("options", {})
    for addon in image_list.addons_in(settings):
        yield _chart(addon, options.get(addon.name, {}))


def _chart(addon: Addon, options: dict[str, Any]) -> Chart:
    version = str(options.get("version") or addon.version)
    # What is recorded is of the catalog's version.
    known = version == addon.version
    return Chart(
        addon.name,
        addon.chart,
        version,
        addon.version,
        addon.kubernetes if known else "",
        addon.kubernetes_source if known else "",
        "" if addon.installed_by else f"addons.options.{addon.name}.version",
    )


def software_of(settings: Settings) -> Iterator[Software]:
    """Yield the images of the autoscaler, of device plugins and of GPUDirect."""
    of_gpudirect = ((f"the {name} of GPUDirect", i) for name, i in deployed.of_gpudirect(settings).items())
    for name, image in (*image_list.of_nodes(settings), *of_gpudirect):
        yield Software(name, image)


def document_of(settings: Settings) -> dict[str, Any]:
    """Return all of it."""
    eks: dict[str, Any] = stated(settings.cluster).get("eks", {})
    autoscaler = stated(settings.cluster_autoscaler) if settings.cluster_autoscaler is not None else {}
    on_google = settings.environment.cloud == "gcp"
    return {
        "version": settings.cluster.version,
        "support": eks.get("support", "standard"),
        "addons": {
            name: addon["version"] for name, addon in eks.get("addons", {}).items() if addon.get("version")
        },
        # Its default image has the control plane's minor version. GKE has one built in.
        "autoscaler": [] if autoscaler.get("image") or on_google else sorted(IMAGES),
        "nodes": [asdict(nodes) for nodes in nodes_of(settings)],
        "release_parameters": dict(PARAMETERS),
        "charts": [asdict(chart) for chart in charts_of(settings)],
        "software": [asdict(software) for software in software_of(settings)],
    }


def main(arguments: list[str]) -> int:
    """Print the list of one environment. Return the exit code."""
    return program_answers.answer(arguments, document_of)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
