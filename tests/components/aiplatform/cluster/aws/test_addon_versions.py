"""Which version of an add-on a cluster gets."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from aiplatform.cluster import Cluster
from tests.components.aiplatform.cluster.test_cluster import ARGS
from tests.components.cloud_answers import RefusedError
from tests.components.recording import Recording, record

NAME = "acme-dev-cluster"
TAG = "ai-platform/kubernetes-version"
ADDON = "aws:eks/addon:Addon"


def _cluster(
    installed: Mapping[str, tuple[str, str]], clusters: tuple[str, ...] = (NAME,), **more: Any
) -> Recording:
    """installed: add-on -> its version, and the value of its tag."""

    def addon(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        name = arguments["addonName"]
        if name not in installed:
            raise RefusedError(f"reading EKS Add-On ({NAME}:{name}): couldn't find resource")
        version, tag = installed[name]
        return {**arguments, "id": name, "addonVersion": version, "tags": {TAG: tag} if tag else {}}

    answers: Any = {
        "aws:eks/getAddon:getAddon": addon,
        "aws:eks/getClusters:getClusters": lambda _: {"id": "r", "names": list(clusters)},
        "aws:eks/getAddonVersion:getAddonVersion": lambda arguments: {
            **arguments,
            "version": f"v1.22.0-eksbuild.{arguments['kubernetesVersion'].partition('.')[2]}",
        },
    }
    args: Any = {**ARGS, **more}
    return record(lambda: Cluster("cluster", args), answers=answers)


def _version(recorded: Recording, addon: str) -> str:
    return recorded.one(ADDON, f"cluster-{addon}").inputs["addonVersion"]


def test_an_installed_version_stays_while_eks_moves_its_default() -> None:
    recorded = _cluster({"coredns": ("v1.13.2-eksbuild.4", "1.35=v1.13.2-eksbuild.4")})
    assert _version(recorded, "coredns") == "v1.13.2-eksbuild.4"
    assert _version(recorded, "kube-proxy") == "v1.22.0-eksbuild.35", "a new one is the default"


@pytest.mark.parametrize("chosen_for", ["1.34=v1.12.4-eksbuild.1", "1.34", ""])
def test_a_new_kubernetes_version_takes_its_default(chosen_for: str) -> None:
    recorded = _cluster({"coredns": ("v1.12.4-eksbuild.1", chosen_for)})
    assert _version(recorded, "coredns") == "v1.22.0-eksbuild.35"
    assert recorded.one(ADDON, "cluster-coredns").inputs["tags"] == {TAG: "1.35=v1.22.0-eksbuild.35"}


def test_an_update_that_eks_refused_after_the_tag_was_written_is_tried_again() -> None:
    recorded = _cluster({"coredns": ("v1.12.4-eksbuild.1", "1.35=v1.22.0-eksbuild.35")})
    assert _version(recorded, "coredns") == "v1.22.0-eksbuild.35"


def test_a_pinned_version_wins() -> None:
    addons = {"coredns": {"version": "v1.14.2-eksbuild.4"}}
    recorded = _cluster(
        {"coredns": ("v1.13.2-eksbuild.4", "1.35=v1.13.2-eksbuild.4")}, eks={"addons": addons}
    )
    assert _version(recorded, "coredns") == "v1.14.2-eksbuild.4"
    tag = recorded.one(ADDON, "cluster-coredns").inputs["tags"][TAG]
    assert tag == "1.35=v1.14.2-eksbuild.4", "without the pin it stays"


def test_no_addon_is_read_of_a_cluster_that_does_not_exist() -> None:
    recorded = _cluster({"coredns": ("v1.13.2-eksbuild.4", "1.35=v1.13.2-eksbuild.4")}, clusters=("other",))
    assert _version(recorded, "coredns") == "v1.22.0-eksbuild.35"
    assert not [call for call in recorded.calls if call.token == "aws:eks/getAddon:getAddon"]


@pytest.mark.parametrize(
    ("installed", "pinned", "words"),
    [
        ("v1.20.4-eksbuild.1", None, "from v1.20.4-eksbuild.1 to v1.22.0-eksbuild.35"),
        ("v1.20.4-eksbuild.1", "v1.21.1-eksbuild.8", ""),
        ("v1.20.4-eksbuild.1", "v1.23.0-eksbuild.1", "pin a v1.21 version first"),
        ("v1.22.0-eksbuild.1", "v1.20.4-eksbuild.1", "pin a v1.21 version first"),
        ("v1.21.1-eksbuild.8", None, ""),
    ],
)
def test_a_jump_of_the_vpc_cni_over_a_minor_version_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, installed: str, pinned: str | None, words: str
) -> None:
    warned: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warned.append)
    addons = {"vpc-cni": {"version": pinned}} if pinned else {}
    _cluster(
        {"vpc-cni": (installed, "1.34"), "coredns": ("v1.10.0-eksbuild.1", "1.34")}, eks={"addons": addons}
    )
    assert len(warned) == (1 if words else 0), warned
    assert all(words in warning for warning in warned)


def test_an_error_of_eks_is_no_missing_addon() -> None:
    def refused(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError("AccessDeniedException: not authorized to perform: eks:DescribeAddon")

    answers: Any = {
        "aws:eks/getAddon:getAddon": refused,
        "aws:eks/getClusters:getClusters": lambda _: {"id": "r", "names": [NAME]},
    }
    args: Any = ARGS
    with pytest.raises(Exception, match="eks:DescribeAddon"):
        record(lambda: Cluster("cluster", args), answers=answers)
