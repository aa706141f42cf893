"""Which objects of a bucket differ from those at a time, by their versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Literal

Action = Literal["restore", "delete"]


@dataclass(frozen=True)
class Version:
    """A version of an object.

    id: S3's version id, or the generation. created: when it became the newest. ended: when it was replaced or
    deleted, as Cloud Storage states it; None for S3, where the next version states it. deleted: whether it is
    S3's delete marker. live: whether it is what a client reads now.
    """

    key: str
    id: str
    created: datetime
    size: int = 0
    ended: datetime | None = None
    deleted: bool = False
    live: bool = False
    checksum: str = ""


@dataclass(frozen=True)
class Change:
    """What brings an object back to its state. version: the one that becomes the newest again; of an object
    that is deleted, the one that is live."""

    action: Action
    version: Version


def changes(versions: Iterable[Version], at: datetime) -> Iterator[Change]:
    """Yield a change for each object whose newest version is not that of a time. versions: by key."""
    for _, entries in groupby(versions, key=lambda version: version.key):
        of_key = sorted(entries, key=lambda version: version.created)
        live = next((version for version in of_key if version.live and not version.deleted), None)
        wanted = _at(of_key, at)
        if wanted is None:
            if live is not None:
                yield Change("delete", live)
        elif live is None or not _same(live, wanted):
            yield Change("restore", wanted)


def _same(live: Version, wanted: Version) -> bool:
    """Return whether both have the same content, as far as the cloud states it: S3's ETag of an object that
    is encrypted by a KMS key is another one for each copy."""
    if live.id == wanted.id:
        return True
    return bool(live.checksum) and (live.checksum, live.size) == (wanted.checksum, wanted.size)


def _at(versions: Sequence[Version], at: datetime) -> Version | None:
    """Return the version that was live at a time; None where the object did not exist."""
    before = [version for version in versions if version.created <= at]
    if not before:
        return None
    last = before[-1]
    gone = last.deleted or (last.ended is not None and last.ended <= at)
    return None if gone else last
