"""Arguments of the device plugins."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, NotRequired, TypedDict

from aiplatform import _images
from aiplatform._args import Fault, matches
from aiplatform._node_labels import MOST_REPLICAS, time_slicing_config

NVIDIA_IMAGE: Final = (
    "nvcr.io/nvidia/k8s-device-plugin:v0.20.0"
    "@sha256:a61ba9fd8efb82f3a79f877f7580e02c1e8e7593f62473644bc9c79e315c3312"
)
"""Source: NVIDIA/k8s-device-plugin, deployments/static/nvidia-device-plugin.yml at 1b826ac (2026-08-19). The
digest is that of the image's index, as several users of this tag have recorded it."""
NEURON_IMAGE: Final = "public.ecr.aws/neuron/neuron-device-plugin:2.32.0.0"
"""Source: the values of aws-neuron's neuron-helm-chart 1.10.0. By its tag: no digest could be checked."""

DEFAULT_CONFIG: Final = "default"


class DevicePluginsArgs(TypedDict):
    """What tells the kubelet of accelerators on nodes whose machine image does not: AL2023's has the drivers
    and no plugin, Bottlerocket's has both. A pool's output `device_plugin` says which one it needs."""

    nvidia: NotRequired[bool]
    """NVIDIA's plugin, with configurations for time-slicing. Default true."""
    neuron: NotRequired[bool]
    """AWS Neuron's plugin, for Trainium and Inferentia. Default false."""
    nvidia_image: NotRequired[str]
    """The image, with its tag. Default: upstream's."""
    neuron_image: NotRequired[str]
    """The image, with its tag. Default: upstream's."""
    mirrors: NotRequired[dict[str, str]]
    """Where upstream's images are had instead: a registry (`nvcr.io`, `public.ecr.aws`), or a repository in
    it -> the place that takes its place, such as a repository of your own
    (`111122223333.dkr.ecr.us-west-2.amazonaws.com/nvidia`). Default: upstream itself."""


_AN_IMAGE = matches(r"[^\s@]+:[\w][\w.-]*(@sha256:[0-9a-f]{64})?", "an image with its tag")


@dataclass(frozen=True)
class DevicePluginsSettings:
    """Checked arguments of the device plugins."""

    nvidia: bool = True
    neuron: bool = False
    nvidia_image: Annotated[str, _AN_IMAGE] | None = None
    neuron_image: Annotated[str, _AN_IMAGE] | None = None
    mirrors: Annotated[dict[str, str], _images.mirrors] = field(default_factory=dict[str, str])

    @property
    def images(self) -> Mapping[str, str]:
        """Plugin (`nvidia`, `neuron`) -> image, of those that are installed."""
        wanted = {
            "nvidia": (self.nvidia, self.nvidia_image, NVIDIA_IMAGE),
            "neuron": (self.neuron, self.neuron_image, NEURON_IMAGE),
        }
        return {
            name: image or _images.mirrored(upstream, self.mirrors)
            for name, (installed, image, upstream) in wanted.items()
            if installed
        }

    def check(self) -> Iterator[Fault]:
        """One at least."""
        if not (self.nvidia or self.neuron):
            yield Fault("nvidia", "got false beside neuron: false; expected at least one of the two")


def nvidia_configurations() -> Mapping[str, str]:
    """Name -> configuration of NVIDIA's plugin (YAML, its `config/v1`): the node's label
    `nvidia.com/device-plugin.config` names one. One for every number of replicas that a pool may ask for, so
    that pools need not be known here."""
    plain = "version: v1\nflags:\n  migStrategy: none\n"
    sliced = (
        "{plain}sharing:\n  timeSlicing:\n    renameByDefault: false\n"
        "    resources:\n    - name: nvidia.com/gpu\n      replicas: {replicas}\n"
    )
    numbers = range(2, MOST_REPLICAS + 1)
    return {
        DEFAULT_CONFIG: plain,
        **{time_slicing_config(n): sliced.format(plain=plain, replicas=n) for n in numbers},
    }
