"""The EFA device plugin."""

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.efa_plugin import EfaPlugin
from aiplatform.efa_plugin.args import image_in
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import REGION, Recording, record


def plugin(**arguments: Any) -> Recording:
    overrides: Any = arguments
    return record(lambda: EfaPlugin("efa", overrides))


def test_the_logical_names_are_a_contract() -> None:
    assert plugin().names() == [
        "aiplatform:index:EfaPlugin efa",
        "kubernetes:apps/v1:DaemonSet efa-daemon-set",
    ]


def test_it_is_documented() -> None:
    assert undocumented(EfaPlugin) == []


def test_it_runs_on_nodes_with_efa_with_access_to_their_adapters() -> None:
    spec = plugin().one("kubernetes:apps/v1:DaemonSet").inputs["spec"]["template"]["spec"]
    assert spec["nodeSelector"] == {"ai-platform/efa": "true"}
    assert spec["hostNetwork"] is True
    assert spec["automountServiceAccountToken"] is False, "it needs nothing of the API server"
    paths = {volume["hostPath"]["path"] for volume in spec["volumes"]}
    assert {"/var/lib/kubelet/device-plugins", "/dev/infiniband"} <= paths


def test_its_image_comes_from_the_registry_of_the_region() -> None:
    spec = plugin().one("kubernetes:apps/v1:DaemonSet").inputs["spec"]["template"]["spec"]
    assert spec["containers"][0]["image"] == (
        f"602401143452.dkr.ecr.{REGION}.amazonaws.com/eks/aws-efa-k8s-device-plugin:v0.5.20"
    )
    assert image_in("cn-north-1", "amazonaws.com.cn").startswith(
        "918309763551.dkr.ecr.cn-north-1.amazonaws.com.cn/"
    )


@pytest.mark.parametrize(
    ("region", "account"),
    [("eu-south-1", "590381155156"), ("me-central-1", "759879836304"), ("us-east-1", "602401143452")],
)
def test_an_opt_in_region_has_a_separate_registry(region: str, account: str) -> None:
    assert image_in(region, "amazonaws.com").startswith(f"{account}.dkr.ecr.{region}.amazonaws.com/eks/"), (
        "the usual account has nothing there, and the plugin would wait for its image for ever"
    )


def test_a_wrong_argument_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"EfaPluginArgs\.image: got 'x'; expected an image with its tag"):
        plugin(image="x")
