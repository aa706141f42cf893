"""Kinds of controllers that do not run here, from the Go modules that carry them. Kueue looks for them when
it starts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from twin.toolchain.cache import Cache
from twin.toolchain.golang import download_module, install_go
from twin.toolchain.progress import Silent
from twin.toolchain.system_tools import find_go
from twin.toolchain.versions import read_versions


@dataclass(frozen=True)
class Module:
    """A Go module, its sum, and files in it."""

    path: str
    version: str
    sum: str
    files: Sequence[str] = ()

    def folder(self, scratch: Path) -> Path:
        """Return where the module is; fetch it if need be."""
        versions = read_versions()
        go = find_go(versions) or install_go(Cache(), versions, Silent())
        environment = {**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
        name = f"{self.path}@{self.version}"
        module = download_module(go, name, cwd=scratch, log=scratch / "modules.log", env=environment)
        assert module.sum == self.sum, f"{name} has another content"
        return module.folder


TRAINER: Final = Module(
    "github.com/kubeflow/trainer/v2",
    "v2.3.0",
    "h1:Je+e7zvTLzB4qW09J1fB7pZrqvPtWuGng2NqdN5p5QU=",
    [
        f"manifests/base/crds/trainer.kubeflow.org_{plural}.yaml"
        for plural in ("clustertrainingruntimes", "trainingruntimes", "trainjobs")
    ],
)
MODULES: Final = (
    TRAINER,
    Module(
        "k8s.io/autoscaler/cluster-autoscaler/apis",
        "v0.0.0-20240830133931-adfbe7e45277",
        "h1:BibFadVS+A7XR6HMReIuHoY9n8I+8oWR8/4xGgf2BDE=",
        ["config/crd/autoscaling.x-k8s.io_provisioningrequests.yaml"],
    ),
    Module(
        "github.com/ray-project/kuberay/ray-operator",
        "v1.6.2",
        "h1:XUckRswLMyk71D00L62d2Vanh0fVkNqu56+IF/rr+O0=",
        ["config/crd/bases/ray.io_rayclusters.yaml", "config/crd/bases/ray.io_rayjobs.yaml"],
    ),
)
OWNERS: Final = (
    ("argoproj.io", "v1alpha1", "Workflow", "workflows"),
    ("serving.kserve.io", "v1beta1", "InferenceService", "inferenceservices"),
    ("leaderworkerset.x-k8s.io", "v1", "LeaderWorkerSet", "leaderworkersets"),
)
"""Kinds that only own what their controllers create: any object of them is accepted. Group, version, kind,
plural."""


def definitions(scratch: Path) -> Iterator[dict[str, Any]]:
    """Yield the definitions. scratch: a folder for logs."""
    for module in MODULES:
        folder = module.folder(scratch)
        for file in module.files:
            yield yaml.load((folder / file).read_text(), yaml.CSafeLoader)
    for group, version, kind, plural in OWNERS:
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        yield {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {
                "group": group,
                "scope": "Namespaced",
                "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
                "versions": [served],
            },
        }


def runtime(scratch: Path) -> dict[str, Any]:
    """Return the ClusterTrainingRuntime `torch-distributed` of Kubeflow Trainer."""
    file = TRAINER.folder(scratch) / "manifests/base/runtimes/torch_distributed.yaml"
    return yaml.load(file.read_text(), yaml.CSafeLoader)
