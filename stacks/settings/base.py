"""The base of all parts of an environment file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Topic(BaseModel):
    """A part of an environment file. A key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

    renamed: ClassVar[Mapping[str, str]] = {}
    """Key of an earlier version -> what replaces it, as the error of the key says."""


def replacement(models: Iterable[type[BaseModel]], key: str) -> str | None:
    """Return what replaces a key that these models do not know, or None: its new name, or the block that has
    it (`eks.support`)."""
    for model in models:
        renamed = getattr(model, "renamed", {})
        if key in renamed:
            return renamed[key]
        for name, field in model.model_fields.items():
            block = field.annotation
            if isinstance(block, type) and issubclass(block, BaseModel) and key in block.model_fields:
                return f"{name}.{key}"
    return None
