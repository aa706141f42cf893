"""The volumes of a Pod, in a private folder.

The files of ConfigMaps, Secrets, tokens and the downward API are links into a folder that is replaced as a
whole (`..data`), as a kubelet does: a reader that watches them sees all new ones or none.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from twin.kubernetes.api import Object
from twin.kubernetes.processes.sources import Sources
from twin.kubernetes.processes.variables import expand
from twin.private_files import private_folder

_WRITTEN: Final = ("configMap", "secret", "downwardAPI", "projected")
_DEFAULT_MODE: Final = 0o644
_DATA: Final = "..data"
File = tuple[bytes, int]
Adapt = Callable[[str, str, bytes], bytes]
"""Answers the name of a volume, a file in it and its content with the content that a process reads."""


class Volumes:
    """Folders with the contents of a Pod's volumes.

    folder: of the Pod, for its user only. claims: of the namespace; the folder of a PersistentVolumeClaim is
    there, and stays when the Pod is deleted. Any other volume (emptyDir, hostPath, csi...) begins empty:
    nothing of the machine is in it.
    """

    def __init__(self, sources: Sources, folder: Path, claims: Path) -> None:
        self._sources = sources
        self._folder = folder
        self._claims = claims
        self.adapt: Adapt = _unchanged
        self._volumes: dict[str, Object] = {
            volume["name"]: volume for volume in sources.pod["spec"].get("volumes") or ()
        }

    def write(self) -> None:
        """Create the folders, and write what has changed. Raises MissingSourceError."""
        private_folder(self._folder)
        for name, volume in self._volumes.items():
            folder = private_folder(self._of(name))
            if any(kind in volume for kind in _WRITTEN):
                files = {
                    file: (self.adapt(name, file, content), mode)
                    for file, (content, mode) in self._files(volume)
                }
                _replace(folder, files)

    def mounts(
        self, container: Object, variables: Mapping[str, str], *, create: bool = True
    ) -> dict[str, Path]:
        """Return folder or file by mount path. create: whether a folder that is missing is created: only when
        the container starts, since an init container may write a file of that name."""
        mounts: dict[str, Path] = {}
        for mount in container.get("volumeMounts") or ():
            inside = mount.get("subPath") or expand(mount.get("subPathExpr") or "", variables)
            place = self._of(mount["name"]) / inside
            volume = self._volumes[mount["name"]]
            if create and not place.exists() and not any(kind in volume for kind in _WRITTEN):
                private_folder(place)
            mounts[mount["mountPath"]] = place
        return mounts

    def _of(self, name: str) -> Path:
        claim = self._volumes[name].get("persistentVolumeClaim")
        if claim:
            return self._claims / claim["claimName"]
        if "ephemeral" in self._volumes[name]:
            return self._claims / f"{self._sources.pod['metadata']['name']}-{name}"
        return self._folder / "volumes" / name

    def _files(self, volume: Object) -> Iterator[tuple[str, File]]:
        """Return path and file of all that a volume contains."""
        projected: Mapping[str, Any] = volume.get("projected") or {}
        default = _DEFAULT_MODE
        for kind in _WRITTEN:
            default = (volume.get(kind) or {}).get("defaultMode", default)
        for source in projected.get("sources") or [volume]:
            if "serviceAccountToken" in source:
                token = source["serviceAccountToken"]
                yield token["path"], (self._sources.token(token), default)
            if "configMap" in source:
                yield from self._data("configmaps", source["configMap"], "name", default)
            if "secret" in source:
                name = "secretName" if "secretName" in source["secret"] else "name"
                yield from self._data("secrets", source["secret"], name, default)
            if "downwardAPI" in source:
                yield from self._downward(source["downwardAPI"], default)

    def _data(self, kind: str, source: Object, name: str, default: int) -> Iterator[tuple[str, File]]:
        data = self._sources.data(kind, source[name], optional=bool(source.get("optional")))
        items = source.get("items")
        if items is None:
            yield from ((key, (value, default)) for key, value in data.items())
            return
        for item in items:
            text = data.get(item["key"])
            if text is None:
                # Raises, unless it is optional.
                self._sources.key(kind, {**source, "name": source[name], "key": item["key"]})
                continue
            yield item["path"], (text, item.get("mode", default))

    def _downward(self, source: Object, default: int) -> Iterator[tuple[str, File]]:
        spec = self._sources.pod["spec"]
        containers = {
            container["name"]: container
            for container in [*(spec.get("initContainers") or ()), *spec["containers"]]
        }
        for item in source.get("items") or ():
            if "fieldRef" in item:
                text = self._sources.field(item["fieldRef"])
            else:
                reference = item["resourceFieldRef"]
                text = self._sources.resource(reference, containers[reference["containerName"]])
            yield item["path"], (text.encode(), item.get("mode", default))


def _unchanged(_volume: str, _name: str, content: bytes) -> bytes:
    return content


def _replace(place: Path, files: Mapping[str, File]) -> None:
    """Have a folder contain these files, all at once, where it does not yet."""
    digest = hashlib.sha256()
    for name, (content, mode) in sorted(files.items()):
        digest.update(f"{name}\0{mode}\0{len(content)}\0".encode() + content)
    fresh = f"..{digest.hexdigest()[:16]}"
    link = place / _DATA
    if link.is_symlink() and str(link.readlink()) == fresh:
        return
    private_folder(place / fresh)
    for name, (content, mode) in files.items():
        target = place / fresh / name
        private_folder(target.parent)
        # Its user's only, and executable where the volume's mode states it.
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT, 0o600 | (mode & 0o100)), "wb") as stream:
            stream.write(content)
    draft = place / f"{_DATA}.new"
    draft.unlink(missing_ok=True)
    draft.symlink_to(fresh)
    draft.replace(link)
    # Of a file in a subfolder the subfolder.
    names = {name.partition("/")[0] for name in files}
    for name in names:
        if not (place / name).is_symlink():
            (place / name).symlink_to(Path(_DATA) / name)
    for entry in place.iterdir():
        if entry.name.startswith(".."):
            if entry.name not in (fresh, _DATA):
                shutil.rmtree(entry)
        elif entry.name not in names:
            entry.unlink()
