"""Google's predefined roles and their permissions, as a recorded list.

`iam_roles.json.xz` holds all of them (2,461 roles, 13,790 permissions). Source: iann0036/iam-dataset, GitHub
(MIT License, Copyright (c) 2021 Ian Mckay), gcp/roles, commit 2073fa52, 2026. A role is a list of ranges
of the sorted permissions: pairs of a distance from the last range's end, and a length less one.
"""

from __future__ import annotations

import functools
import json
import lzma
from bisect import bisect_left
from pathlib import Path
from typing import Any, Final

BASIC: Final = frozenset({"roles/owner", "roles/editor", "roles/viewer"})
_FILE: Final = Path(__file__).with_name("iam_roles.json.xz")


@functools.cache
def _content() -> dict[str, Any]:
    return json.loads(lzma.decompress(_FILE.read_bytes()))


def names() -> list[str]:
    """All predefined roles, by name."""
    return list(_content()["roles"])


def exists(role: str) -> bool:
    """Whether Google has a predefined role of that name (`roles/container.viewer`)."""
    return role in _content()["roles"]


def describe(role: str) -> tuple[str, str]:
    """A predefined role's title and launch stage."""
    title, stage, _ = _content()["roles"][role]
    return title, stage


@functools.cache
def permissions(role: str) -> tuple[str, ...]:
    """The permissions of a predefined role; none for one that does not exist."""
    ranges = _content()["roles"].get(role)
    every = all_permissions()
    flat = ranges[2] if ranges else []
    names: list[str] = []
    end = 0
    for distance, more in zip(flat[::2], flat[1::2], strict=True):
        start = end + distance
        end = start + more
        names += every[start : end + 1]
    return tuple(names)


@functools.cache
def _granted(role: str) -> frozenset[str]:
    return frozenset(permissions(role))


def grants(role: str, permission: str) -> bool:
    """Whether a predefined role has a permission."""
    return permission in _granted(role)


def all_permissions() -> list[str]:
    """The permissions of all predefined roles, sorted."""
    return _content()["permissions"]


def is_permission(name: str) -> bool:
    """Whether any predefined role has the permission: what a custom role may hold."""
    every = all_permissions()
    at = bisect_left(every, name)
    return at < len(every) and every[at] == name
