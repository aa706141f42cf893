"""The catalog of add-ons: which charts the platform installs, from where, and what they bring."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, cast

from aiplatform._shared.args import Problem
from aiplatform._shared.images import Image, images

CLOUDS = ("aws", "gcp")


@dataclass(frozen=True)
class Addon:
    """An entry of `catalog.toml`."""

    name: str
    purpose: str
    """What it is for, in a few words."""
    chart: str
    """Where it is published: `oci://...`, a chart of a repository (`https://...`) or a manifest
    (`https://....yaml`)."""
    version: str
    """The chart's version as it is published, with or without `v`."""
    app_version: str
    """The version of what it installs."""
    namespace: str
    """The namespace of its objects; empty where all of them are of the cluster."""
    images: tuple[str, ...] = ()
    """What it runs, by the names of `images.toml`."""
    crds: tuple[str, ...] = ()
    """The custom resource definitions that it brings, by name."""
    requires: tuple[str, ...] = ()
    """Add-ons that are ready before it is installed."""
    after: tuple[str, ...] = ()
    """Add-ons that are ready before it is installed, where they are installed at all."""
    clouds: tuple[str, ...] = CLOUDS
    """Where it is installed."""
    webhook_ports: tuple[int, ...] = ()
    """Ports of its Pods that the API server calls: for webhooks, and for APIs that it adds."""
    internal_ports: tuple[int, ...] = ()
    """Ports of its Pods that Pods of its namespace call."""
    metrics_ports: tuple[int, ...] = ()
    """Ports of its Pods that Prometheus reads, of add-ons whose namespace is created after Observability."""
    installed_by: str = ""
    """The component that installs it in place of `Addons`; empty for those of `Addons`."""
    by_default: bool = True
    """Whether it is installed where a program states nothing of it."""
    default_clouds: tuple[str, ...] = CLOUDS
    """Of its clouds, those where it is installed by default."""
    needs_zones: bool = False
    """Whether it is installed by default only where there are DNS zones for it."""
    pod_security: str = "restricted"
    """The Pod Security level of its namespace."""
    on_gpu_nodes: bool = False
    """Whether its Pods run on nodes with GPUs, and not on system nodes."""
    skips_definitions: bool = False
    """Whether the definitions in its chart are left out: another add-on brings them, or the platform uses
    none of their kinds."""
    digest: str = ""
    """`sha256:...` of the OCI manifest, of the chart's archive or of the manifest's file; empty where no
    published one was found."""
    digest_source: str = ""
    kubernetes: str = ""
    """The minor versions of Kubernetes that upstream tests it with or supports, `1.33-1.36` or `1.32-`; empty
    where it states none."""
    kubernetes_source: str = ""

    def is_default(self, cloud: str) -> bool:
        """Return whether it is installed on a cloud where a program states nothing of it."""
        return self.by_default and cloud in self.default_clouds

    def ready_before(self, installed: Collection[str]) -> tuple[str, ...]:
        """Return the add-ons that are ready before it. installed: the names of those that are installed."""
        return (*self.requires, *(name for name in self.after if name in installed))

    @property
    def is_manifest(self) -> bool:
        """Whether it is a file of Kubernetes objects and not a chart."""
        return self.chart.endswith(".yaml")

    @property
    def chart_name(self) -> str:
        """The chart's name: the last part of its address. Empty for a manifest."""
        return "" if self.is_manifest else self.chart.rpartition("/")[2]

    @property
    def file_name(self) -> str:
        """The name that the add-on has in a folder of charts: `kueue-0.19.2`, `gateway-api-v1.6.1.yaml`."""
        if self.is_manifest:
            return f"{self.name}-{self.version}.yaml"
        return f"{self.chart_name}-{self.version}"

    def all_images(self) -> list[Image]:
        """Return the images that it runs."""
        return [images()[name] for name in self.images]


@cache
def catalog() -> Mapping[str, Addon]:
    """Return the add-ons of `catalog.toml` by name."""
    text = files("aiplatform.addons").joinpath("catalog.toml").read_text()
    return {name: _addon(name, entry) for name, entry in tomllib.loads(text).items()}


def _addon(name: str, entry: Mapping[str, Any]) -> Addon:
    # TOML has lists where a frozen entry has tuples.
    lists = {key: tuple(cast("list[str]", value)) for key, value in entry.items() if isinstance(value, list)}
    fields: dict[str, Any] = {**entry, **lists}
    return Addon(name, **fields)


def webhook_ports(cloud: str) -> list[int]:
    """Return the ports that the API server calls of the add-ons of a cloud."""
    return sorted(
        {port for addon in catalog().values() if cloud in addon.clouds for port in addon.webhook_ports}
    )


def selected(cloud: str, enabled: Mapping[str, bool | None], *, has_zones: bool) -> list[str]:
    """Return the names of the add-ons that are installed, without what they require.

    enabled: what a program states of some of them; by default a cloud has all that it needs. has_zones:
    whether there are DNS zones, without which the one that writes records has nothing to do.
    """
    names: list[str] = []
    for name, addon in catalog().items():
        if addon.installed_by:
            continue
        by_default = addon.is_default(cloud) and (has_zones or not addon.needs_zones)
        stated = enabled.get(name)
        if cloud in addon.clouds and (by_default if stated is None else stated):
            names.append(name)
    return names


def in_order(names: Collection[str]) -> list[Addon]:
    """Return these add-ons and all that they require, each after what it requires."""
    ordered: dict[str, Addon] = {}

    def add(name: str) -> None:
        addon = catalog()[name]
        for before in addon.ready_before(names):
            add(before)
        ordered.setdefault(name, addon)

    for name in sorted(names):
        add(name)
    return list(ordered.values())


def owner_problems(addons: Collection[Addon], path: str) -> list[Problem]:
    """Return a problem for each custom resource definition that two of the add-ons bring."""
    owners: dict[str, str] = {}
    problems: list[Problem] = []
    for addon in addons:
        for definition in addon.crds:
            first = owners.setdefault(definition, addon.name)
            if first != addon.name:
                problems.append(
                    Problem(
                        path,
                        f"{first} and {addon.name} both bring {definition}; expected one of them, since "
                        "whichever is removed takes the objects of the other with it",
                    )
                )
    return problems
