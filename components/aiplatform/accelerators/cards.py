"""The accelerators, on any cloud: the values of `accelerator` in an environment file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

NVIDIA: Final = "nvidia.com/gpu"
NEURON: Final = "aws.amazon.com/neuron"
NEURON_CORE: Final = "aws.amazon.com/neuroncore"
TPU: Final = "google.com/tpu"


@dataclass(frozen=True)
class Card:
    """A model of accelerator.

    memory_mib: of one accelerator, as the cloud's API reports it.
    resource: what a Pod requests and the device plugin advertises.
    mig: MIG profile -> number of instances of it on one GPU that is partitioned with this profile only; empty
        without MIG. Source: the geometries of NVIDIA's MIG manager (mig-parted, `all-<profile>`) and the
        table of profiles of each GPU in the MIG user guide.
    least_cuda: NVIDIA: the first version of CUDA whose programs have code for it ("CUDA Toolkit" release
        notes and compatibility guides of the architectures).
    neuron_cores: of one accelerator, each an `aws.amazon.com/neuroncore`.
    """

    key: str
    product: str
    """Its name in the cloud's API; for a GPU that in EC2's API."""
    memory_mib: int
    resource: str = NVIDIA
    mig: Mapping[str, int] = field(default_factory=dict[str, int])
    neuron_cores: int = 0
    least_cuda: str = ""

    @property
    def vendor(self) -> str:
        """`nvidia`, `neuron` or `tpu`, which decides driver, image and device plugin."""
        return _VENDORS[self.resource]


_VENDORS: Final[Mapping[str, str]] = {NVIDIA: "nvidia", NEURON: "neuron", TPU: "tpu"}


_A100_40: Final = {"1g.5gb": 7, "1g.10gb": 4, "2g.10gb": 3, "3g.20gb": 2, "4g.20gb": 1, "7g.40gb": 1}
_80_GB: Final = {"1g.10gb": 7, "1g.20gb": 4, "2g.20gb": 3, "3g.40gb": 2, "4g.40gb": 1, "7g.80gb": 1}
_H200: Final = {"1g.18gb": 7, "1g.35gb": 4, "2g.35gb": 3, "3g.71gb": 2, "4g.71gb": 1, "7g.141gb": 1}
_B200: Final = {"1g.23gb": 7, "1g.45gb": 4, "2g.45gb": 3, "3g.90gb": 2, "4g.90gb": 1, "7g.180gb": 1}

CARDS: Final[Mapping[str, Card]] = {
    card.key: card
    for card in (
        Card("t4", "T4", 16384, least_cuda="10.0"),
        Card("a10g", "A10G", 22888, least_cuda="11.1"),
        Card("l4", "L4", 22888, least_cuda="11.8"),
        Card("l40s", "L40S", 45776, least_cuda="11.8"),
        Card("a100", "A100", 40960, mig=_A100_40, least_cuda="11.0"),
        Card("a100-80", "A100", 81920, mig=_80_GB, least_cuda="11.0"),
        Card("h100", "H100", 81920, mig=_80_GB, least_cuda="11.8"),
        # An H100 with more network cards; Google Cloud has it as a separate accelerator type.
        Card("h100-mega", "H100", 81920, mig=_80_GB, least_cuda="11.8"),
        Card("h200", "H200", 144384, mig=_H200, least_cuda="11.8"),
        Card("b200", "B200", 183359, mig=_B200, least_cuda="12.8"),
        Card("trainium", "Trainium", 32768, NEURON, neuron_cores=2),
        Card("trainium2", "Trainium2", 524288, NEURON, neuron_cores=8),
        Card("inferentia2", "Inferentia2", 32768, NEURON, neuron_cores=2),
        Card("tpu-v5e", "TPU v5e", 16384, TPU),
        Card("tpu-v6e", "TPU v6e", 32768, TPU),
    )
}

ALSO_CALLED: Final[Mapping[str, str]] = {
    "a100-40": "a100",
    "a100-40gb": "a100",
    "a100-80gb": "a100-80",
    "trn1": "trainium",
    "trn2": "trainium2",
    "inf2": "inferentia2",
    "inferentia": "inferentia2",
    "h100-80gb": "h100",
    "h100-mega-80gb": "h100-mega",
    "h200-141gb": "h200",
    "g2": "l4",
    "a3-mega": "h100-mega",
    "a3-ultra": "h200",
    "a4": "b200",
    "v5e": "tpu-v5e",
    "v5litepod": "tpu-v5e",
    "tpu-v5-lite-podslice": "tpu-v5e",
    "v6e": "tpu-v6e",
    "tpu-v6e-slice": "tpu-v6e",
    "trillium": "tpu-v6e",
    "g4dn": "t4",
    "g5": "a10g",
    "a10": "a10g",
    "g6": "l4",
    "g6e": "l40s",
    "l40": "l40s",
    "p4d": "a100",
    "p4de": "a100-80",
    "p5": "h100",
    "p5e": "h200",
    "p5en": "h200",
    "p6": "b200",
}
"""Other names for accelerators; an error suggests the catalog's name."""
