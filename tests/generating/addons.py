"""The catalog of add-ons as a page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

from aiplatform._shared.cloud_support import CLOUDS
from aiplatform.addons.catalog import Addon, catalog
from aiplatform.addons.values import VALUES
from aiplatform.addons.values.setup import Setup
from tests.generating.tables import code, page, table

PAGE: Final = Path("docs/addons-catalog.md")
_UNITS: Final = {"m": 1, "": 1000}
_MEBIBYTES: Final = {"Mi": 1, "Gi": 1024}


def text() -> str:
    """Return docs/addons-catalog.md."""
    return page(
        "# Catalog of add-ons",
        "Generated from `components/aiplatform/addons/catalog.toml` and the values of the charts. How they "
        "are installed, upgraded and removed: [add-ons](addons.md).",
        table(
            ["add-on", "what it is for", "clouds", "namespace", "chart version", "idle: CPU, memory"],
            (_row(addon) for addon in catalog().values()),
        ),
        "Idle is what its Pods request in dev, with one replica each. In staging and prod each controller "
        "has two replicas.",
        *(part for addon in catalog().values() for part in _section(addon)),
    )


def _row(addon: Addon) -> list[object]:
    clouds = ", ".join(CLOUDS[cloud] for cloud in CLOUDS if cloud in addon.clouds)
    return [
        f"[{addon.name}](#{addon.name})",
        addon.purpose,
        clouds,
        code(addon.namespace) if addon.namespace else "",
        addon.version,
        _idle(addon),
    ]


def _idle(addon: Addon) -> str:
    requests = list(_requests(addon))
    if not requests:
        return ""
    cpu = sum(_quantity(entry["cpu"], _UNITS) for entry in requests)
    memory = sum(_quantity(entry["memory"], _MEBIBYTES) for entry in requests)
    return f"{cpu}m, {memory} MiB"


def _requests(addon: Addon) -> Iterator[Mapping[str, str]]:
    """Yield the requests of each container that the values of an add-on state."""
    if addon.name in VALUES:
        yield from _inside(VALUES[addon.name](Setup()))


def _inside(node: Any) -> Iterator[Mapping[str, str]]:
    for key, value in cast("Mapping[str, Any]", node).items() if isinstance(node, Mapping) else ():
        if key == "resources" and "requests" in value:
            yield value["requests"]
        else:
            yield from _inside(value)


def _quantity(text: str, units: Mapping[str, int]) -> int:
    number, unit = re.fullmatch(r"(\d+)(\D*)", text).groups()  # pyright: ignore[reportOptionalMemberAccess]
    return int(number) * units[unit]


def _section(addon: Addon) -> Iterator[str]:
    yield f"## {addon.name}"
    yield f"{addon.purpose[0].upper()}{addon.purpose[1:]}."
    default = "where it is enabled" if not addon.by_default else "by default"
    requested = [
        name for cloud, name in CLOUDS.items() if cloud in addon.clouds and cloud not in addon.default_clouds
    ]
    if addon.by_default and requested:
        clouds = " and ".join(requested)
        default = f"by default; on {clouds} where it is enabled"
    default = f"by the component {addon.installed_by}" if addon.installed_by else default
    facts = [
        ("installed", "where there are DNS zones for it" if addon.needs_zones else default),
        ("manifest" if addon.is_manifest else "chart", code(addon.chart)),
        ("version", f"{addon.version}, of the application {addon.app_version}"),
        ("digest", f"{code(addon.digest)}: {addon.digest_source}" if addon.digest else "none is published"),
        ("in a folder of charts", code(addon.file_name)),
        ("ready before it", ", ".join(addon.requires) or "nothing"),
        ("images", ", ".join(code(image.reference) for image in addon.all_images()) or "none"),
        ("kinds", ", ".join(code(name) for name in addon.crds) or "none"),
    ]
    yield "\n".join(f"- {name}: {value}" for name, value in facts)
