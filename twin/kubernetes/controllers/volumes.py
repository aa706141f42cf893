"""The files of a container: its volumes, written into a folder as a kubelet mounts them.

ConfigMaps, Secrets and tokens are kept up to date. Their files are links into a folder that is replaced as a
whole (`..data`), so a reader that watches them sees all new ones or none, as in a cluster. A mount of one
file of a volume (subPath) is a copy that stays as it was, as in a cluster, too.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from twin.kubernetes.api import Kube, Object, path
from twin.kubernetes.processes.downward import resource
from twin.kubernetes.processes.variables import expand

TOKEN_SECONDS: Final = 3607
"""How long a token is valid if its volume does not say; what a kubelet asks for in a Pod's token volume."""
RENEWED: Final = 0.8
"""The part of a token's time after which it is replaced."""

Files = dict[str, bytes]


class NotMountedError(Exception):
    """A volume whose object does not exist: the container does not start until it does."""


class Volumes:
    """The volumes of one Pod's container, below a folder. Of the kinds of volumes those that controllers
    have: ConfigMap, Secret, emptyDir, projected, downward API."""

    def __init__(self, kube: Kube, folder: Path) -> None:
        self._kube = kube
        self._folder = folder
        self._tokens: dict[tuple[str, str], tuple[str, float]] = {}

    def clear(self) -> None:
        """Remove all of them: the container of another Pod begins."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._tokens.clear()

    def write(self, pod: Object, container: Object) -> dict[str, Path]:
        """Write what is new. Returns where the path of each mount is here. Raises NotMountedError, ApiError
        and Unreachable."""
        volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
        places: dict[str, Path] = {}
        for mount in container.get("volumeMounts") or ():
            name, below = mount["name"], mount.get("subPath") or ""
            place = self._folder / name
            self._volume(pod, volumes[name], place)
            places[mount["mountPath"]] = self._copied(place, below, mount["mountPath"]) if below else place
        return places

    def _volume(self, pod: Object, volume: Object, place: Path) -> None:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        source = volume.get("projected")
        sources = source["sources"] if source else [volume]
        if any(kind in volume for kind in ("projected", "configMap", "secret", "downwardAPI")):
            files: Files = {}
            for part in sources:
                files.update(self._files(pod, part))
            _replace(place, files)

    def _files(self, pod: Object, source: Object) -> Files:
        namespace = pod["metadata"]["namespace"]
        if "serviceAccountToken" in source:
            wanted = source["serviceAccountToken"]
            return {wanted["path"]: self._token(pod, wanted).encode()}
        if "downwardAPI" in source:
            items = source["downwardAPI"]["items"]
            return {item["path"]: field(pod, item["fieldRef"]["fieldPath"]).encode() for item in items}
        kind, key = ("configmaps", "configMap") if "configMap" in source else ("secrets", "secret")
        reference = source[key]
        name = reference.get("name") or reference.get("secretName")
        item = self._kube.find(path("v1", kind, namespace, name))
        if item is None:
            if reference.get("optional"):
                return {}
            raise NotMountedError(f"waits for the {key[0].upper()}{key[1:]} {namespace}/{name}")
        return _selected(_contents(item), reference.get("items"))

    def _token(self, pod: Object, wanted: Mapping[str, Any]) -> str:
        """Return the token, bound to the Pod; a new one when most of its time is over."""
        audience = wanted.get("audience") or ""
        key = (wanted["path"], audience)
        token, until = self._tokens.get(key, ("", 0.0))
        if time.time() < until:
            return token
        seconds = wanted.get("expirationSeconds") or TOKEN_SECONDS
        metadata = pod["metadata"]
        bound = {"kind": "Pod", "apiVersion": "v1", "name": metadata["name"], "uid": metadata["uid"]}
        account = pod["spec"].get("serviceAccountName") or "default"
        answer = self._kube.create(
            path("v1", "serviceaccounts", metadata["namespace"], account) + "/token",
            {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "spec": {
                    "expirationSeconds": seconds,
                    "boundObjectRef": bound,
                    **({"audiences": [audience]} if audience else {}),
                },
            },
        )
        self._tokens[key] = (answer["status"]["token"], time.time() + RENEWED * seconds)
        return self._tokens[key][0]

    def _copied(self, place: Path, below: str, mounted_at: str) -> Path:
        target = self._folder / ".single" / re.sub(r"[^\w.-]", "_", mounted_at.strip("/"))
        if not target.exists():
            if not (place / below).exists():
                raise NotMountedError(f"waits for {below} in its volume {place.name}")
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copyfile(place / below, target)
        return target


def localized(text: str, places: Mapping[str, Path]) -> str:
    """Return a text with the paths of mounts replaced by those here."""
    for mounted_at in sorted(places, key=len, reverse=True):
        pattern = rf"(?<![\w./-]){re.escape(mounted_at)}(?![\w.-])"
        text = re.sub(pattern, lambda _, to=str(places[mounted_at]): to, text)
    return text


def field(pod: Object, key: str) -> str:
    """Return a field of a Pod as its downward API names it: `metadata.namespace`, `status.podIP`."""
    value: Any = pod
    for part in key.split("."):
        value = (value or {}).get(part)
    return "" if value is None else str(value)


def environment(kube: Kube, pod: Object, container: Object) -> dict[str, str]:
    """Return the variables that a container states. Raises NotMountedError, ApiError and Unreachable."""
    variables: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        kind = "configMapRef" if "configMapRef" in source else "secretRef"
        for name, value in _referred(kube, pod, kind, source[kind]).items():
            variables[f"{source.get('prefix', '')}{name}"] = value.decode()
    for variable in container.get("env") or ():
        source = variable.get("valueFrom")
        if source is None:
            # A reference to an earlier variable, $(NAME), stays as it is where there is none.
            text = variable.get("value") or ""
            variables[variable["name"]] = expand(text, variables)
        elif "fieldRef" in source:
            variables[variable["name"]] = field(pod, source["fieldRef"]["fieldPath"])
        elif "resourceFieldRef" in source:
            # 0 for a limit that the container does not have: a process has no limit either.
            variables[variable["name"]] = resource(container, source["resourceFieldRef"], {})
        elif "configMapKeyRef" in source or "secretKeyRef" in source:
            kind = next(iter(source))
            contents = _referred(kube, pod, kind, source[kind])
            if source[kind]["key"] in contents:
                variables[variable["name"]] = contents[source[kind]["key"]].decode()
    return variables


def _referred(kube: Kube, pod: Object, kind: str, reference: Mapping[str, Any]) -> Files:
    plural = "configmaps" if kind.startswith("configMap") else "secrets"
    namespace, name = pod["metadata"]["namespace"], reference["name"]
    item = kube.find(path("v1", plural, namespace, name))
    if item is None:
        if reference.get("optional"):
            return {}
        raise NotMountedError(f"waits for {namespace}/{name} ({plural})")
    return _contents(item)


def _contents(item: Object) -> Files:
    binary = "data" if item.get("kind") == "Secret" else "binaryData"
    encoded = {name: base64.b64decode(value) for name, value in (item.get(binary) or {}).items()}
    if binary == "data":
        return encoded
    return {**{name: value.encode() for name, value in (item.get("data") or {}).items()}, **encoded}


def _selected(files: Files, items: list[Object] | None) -> Files:
    if not items:
        return files
    return {item["path"]: files[item["key"]] for item in items if item["key"] in files}


def _replace(place: Path, files: Files) -> None:
    """Have a folder contain these files, all at once, where it does not yet."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    fresh = f"..{digest.hexdigest()[:16]}"
    link = place / "..data"
    if link.is_symlink() and str(link.readlink()) == fresh:
        return
    for name, content in files.items():
        target = place / fresh / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        target.touch(mode=0o600)
        target.write_bytes(content)
    (place / fresh).mkdir(exist_ok=True, mode=0o700)
    draft = place / "..data.new"
    draft.unlink(missing_ok=True)
    draft.symlink_to(fresh)
    draft.replace(link)
    for name in _names(files):
        if not (place / name).is_symlink():
            (place / name).symlink_to(Path("..data") / name)
    for entry in place.iterdir():
        if entry.name.startswith("..") and entry.name not in (fresh, "..data"):
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.is_symlink() and not entry.name.startswith("..") and entry.name not in _names(files):
            entry.unlink()


def _names(files: Files) -> set[str]:
    """The entries of a volume's folder: of a file in a subfolder that one."""
    return {name.partition(os.sep)[0] for name in files}
