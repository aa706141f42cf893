"""Arguments of the device plugins."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

from pulumi import Input

from aiplatform._shared import images
from aiplatform._shared.args import Problem, matches
from aiplatform._shared.kubernetes.node_labels import MOST_REPLICAS, time_slicing_config
from aiplatform._shared.outputs import mapped_object
from aiplatform.device_plugins.inputs import DevicePluginsArgs as DevicePluginsArgs

NVIDIA_IMAGE: Final = images.images()["nvidia-device-plugin"].reference
NEURON_IMAGE: Final = images.images()["neuron-device-plugin"].reference

DEFAULT_CONFIG: Final = "default"


_IMAGE: Final = matches(r"[^\s@]+:[\w][\w.-]*(@sha256:[0-9a-f]{64})?", "an image with its tag")


@dataclass(frozen=True)
class DevicePluginsSettings:
    """The device plugins, which advertise accelerators to the kubelet on nodes whose machine image has no
    plugin: AL2023's has only the drivers, Bottlerocket's has both. A pool's output `device_plugin` states
    which plugin it needs."""

    nvidia: bool = True
    """NVIDIA's plugin, with configurations for time-slicing. Default true."""
    neuron: bool = False
    """AWS Neuron's plugin, for Trainium and Inferentia. Default false."""
    nvidia_image: Input[Annotated[str, _IMAGE]] | None = None
    """The image, with its tag and preferably its digest. Default: upstream's."""
    neuron_image: Input[Annotated[str, _IMAGE]] | None = None
    """The image, with its tag and preferably its digest. Default: upstream's."""
    mirrors: images.Mirrors = field(default_factory=dict[str, Input[str]])
    """Mirrors of upstream's images: a registry (`nvcr.io`, `public.ecr.aws`), or a repository in it -> the
    registry or repository to pull from instead
    (`111122223333.dkr.ecr.us-west-2.amazonaws.com/nvidia`). Tag and digest are kept. Default: no
    mirror."""

    @property
    def images(self) -> Mapping[str, Input[str]]:
        """Plugin (`nvidia`, `neuron`) -> image, of those that are installed."""
        plugins = {
            "nvidia": (self.nvidia, self.nvidia_image, NVIDIA_IMAGE),
            "neuron": (self.neuron, self.neuron_image, NEURON_IMAGE),
        }
        return {
            name: image or self._mirrored(upstream)
            for name, (installed, image, upstream) in plugins.items()
            if installed
        }

    def _mirrored(self, image: str) -> Input[str]:
        return mapped_object(self.mirrors, lambda known: images.mirrored(image, known))

    def check(self) -> Iterator[Problem]:
        """Return the problem of a component without a plugin."""
        if not (self.nvidia or self.neuron):
            yield Problem("nvidia", "got false, and neuron is false; expected at least one of the two")


def nvidia_configurations() -> Mapping[str, str]:
    """Return the configurations of NVIDIA's plugin by name (YAML, its `config/v1`). The node label
    `nvidia.com/device-plugin.config` selects one. There is one for each number of replicas that a pool may
    have, so that this component does not depend on the pools."""
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
