"""The base of an image follows from framework, cloud, hardware and network."""

from __future__ import annotations

import re

import pytest

from aiplatform.accelerators.aws import MACHINES as AWS_MACHINES
from aiplatform.accelerators.gcp import MACHINES as GOOGLE_MACHINES
from cli.images import bases
from cli.images.bases import Hardware, choose
from cli.output import CommandError

PINNED = "docker.io/acme/base:1@sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("framework", "cloud", "hardware", "name"),
    [
        (
            "torch",
            "aws",
            Hardware("nvidia", "efa"),
            "public.ecr.aws/deep-learning-containers/pytorch-training",
        ),
        ("torch", "aws", Hardware("nvidia"), "docker.io/pytorch/pytorch"),
        ("torch", "gcp", Hardware("nvidia", "rdma"), "docker.io/pytorch/pytorch"),
        ("torch", "gcp", Hardware("nvidia", "tcpxo"), "docker.io/pytorch/pytorch"),
        ("torch", "aws", Hardware(), "docker.io/library/python"),
        ("jax", "gcp", Hardware("nvidia", "rdma"), "docker.io/library/python"),
        ("python", "gcp", Hardware(), "docker.io/library/python"),
    ],
)
def test_base_fits_the_pool_and_is_pinned(framework: str, cloud: str, hardware: Hardware, name: str) -> None:
    reference, _ = choose(framework, cloud, hardware)
    assert reference.startswith(f"{name}:")
    assert re.search(r"@sha256:[0-9a-f]{64}$", reference)


def test_image_of_pytorch_is_no_base_for_efa() -> None:
    reference, _ = choose("torch", "aws", Hardware("nvidia", "efa"))
    assert "pytorch/pytorch" not in reference, "it has no libfabric: NCCL would use TCP"
    with pytest.raises(
        CommandError, match="no base has 'python' on aws for nvidia nodes with the network 'efa'"
    ):
        choose("python", "aws", Hardware("nvidia", "efa"))


def test_base_for_tcpx_has_the_pytorch_of_its_nccl_and_needs_a_digest() -> None:
    hardware = Hardware("nvidia", "tcpx")
    with pytest.raises(
        CommandError, match=r"no digest is recorded.*--base docker.io/pytorch/pytorch:2\.2\.2"
    ):
        choose("torch", "gcp", hardware)
    stated = f"docker.io/pytorch/pytorch:2.2.2@sha256:{'b' * 64}"
    reference, base = choose("torch", "gcp", hardware, stated)
    assert reference == stated
    assert set(base.packages) == {"torch"}


@pytest.mark.parametrize("stated", ["docker.io/acme/base", "docker.io/acme/base:1", "acme@sha256:abc", "a b"])
def test_stated_base_without_a_digest_is_refused(stated: str) -> None:
    with pytest.raises(CommandError, match="has no digest; expected REGISTRY/NAME"):
        choose("python", "aws", Hardware(), stated)


def test_stated_base_serves_where_no_entry_fits() -> None:
    reference, base = choose("torch", "aws", Hardware("neuron"), PINNED)
    assert (reference, base.packages) == (PINNED, {}), "the lock has to have all packages"
    with pytest.raises(CommandError, match="for neuron nodes"):
        choose("torch", "aws", Hardware("neuron"))


def test_every_network_of_a_gpu_has_a_base_of_pytorch() -> None:
    networks = {machine.fabric or "none" for machine in GOOGLE_MACHINES if not machine.is_tpu}
    covered = {
        (cloud, network)
        for base in bases.bases().values()
        if "torch" in base.frameworks and "nvidia" in base.hardware
        for cloud in base.clouds
        for network in base.networks
    }
    assert {("gcp", network) for network in networks} <= covered
    assert any(machine.efa_interfaces > 1 for machine in AWS_MACHINES)
    assert {("aws", "none"), ("aws", "efa")} <= covered


def test_python_of_every_base_is_recorded_where_its_tag_or_its_release_states_it() -> None:
    assert [name for name, base in bases.bases().items() if not base.python] == ["jax-tpu"]
    for name, base in bases.bases().items():
        version = re.match(r"3\.\d+", base.tag) if base.repository.endswith("/python") else None
        assert version is None or version[0] == base.python, name
        of_tag = re.search(r"-py3(\d+)-", base.tag)
        assert of_tag is None or f"3.{of_tag[1]}" == base.python, name


def test_python_of_a_stated_base_is_not_known() -> None:
    assert choose("torch", "aws", Hardware("nvidia"), PINNED)[1].python == ""


def test_recorded_digest_has_a_source() -> None:
    for name, base in bases.bases().items():
        assert bool(base.digest) == bool(base.digest_source), name
        assert base.source, name
        assert not base.digest or re.fullmatch(r"sha256:[0-9a-f]{64}", base.digest), name
