"""The services of AWS, a folder each, by the service's name in botocore.

| module or folder | what is in it |
|---|---|
| `resources` | resource types: an entry each in `resources.toml`, a class for what one does differently |
| `functions` | the provider's functions |
| `validation` | what AWS refuses: `RULES`, by operation; in the file next to it what JMESPath can state |
| `operations` | what moto lacks or does otherwise: `OPERATIONS`, by operation |
| `permissions` | the rights that a call needs |
| `data` | facts as tables; those of another module are in a file of its name, `operations.toml` |

A module is found by its place: nothing else lists it.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Final

from twin.core import registry

NAMES: Final = {
    "bcm_data_exports": "bcm-data-exports",
    "cloudwatch": "monitoring",
    "lambdas": "lambda",
    "stepfunctions": "states",
}
"""Folder -> the service as requests are signed for it, where the two names differ."""


def facts(module: str) -> dict[str, Any]:
    """Return the tables of the file next to a module (`operations.toml`)."""
    file = Path(str(sys.modules[module].__file__)).with_suffix(".toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def modules(*kinds: str) -> Iterator[tuple[str, ModuleType]]:
    """Import the modules of these kinds (`resources`) of all services; yield each with its service, as
    requests name it."""
    for service in iter_modules(__path__):
        for module in registry.modules(f"{__name__}.{service.name}", kinds):
            yield NAMES.get(service.name, service.name), module


def tables(name: str) -> dict[str, dict[str, Any]]:
    """Return service -> the tables of that name of its modules together. Raises ValueError where two of them
    have an entry for one operation."""
    tables: dict[str, dict[str, Any]] = {}
    for service, module in modules("validation", "operations"):
        entries = tables.setdefault(service, {})
        table: dict[str, Any] = getattr(module, name, {})
        if twice := entries.keys() & table.keys():
            raise ValueError(f"{name} of {service}: two modules have {', '.join(sorted(twice))}")
        entries |= table
    return tables
