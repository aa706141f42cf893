"""Options of `Addons` for tests that install a part of the catalog."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from aiplatform.addons.catalog import catalog


def only(names: Collection[str]) -> dict[str, Any]:
    """Return the options by which these add-ons alone are installed."""
    return {name: {"enabled": name in names} for name, addon in catalog().items() if not addon.installed_by}
