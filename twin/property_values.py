"""Pulumi's wire format for property values: unknowns, secrets, outputs, assets, resource references.

The engine sends and takes `google.protobuf.Struct`; the rest of the twin sees plain Python values. Signatures
are those of sdk/go/common/resource/properties.go, sentinels those of sdk/go/common/resource/plugin/rpc.go.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from google.protobuf import struct_pb2

from twin.provider_interface import UNKNOWN, Props

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a type's signature, not a secret
_RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"

_UNKNOWN_STRING: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS: Final = frozenset(
    {
        _UNKNOWN_STRING,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)

Path_ = tuple[str | int, ...]
"""The place of a value: keys and indices from the top."""


@dataclass(frozen=True)
class Asset:
    """A file's content: exactly one of `text`, `path` and `uri` is set; `hash` is the engine's SHA-256."""

    text: str | None = None
    path: str | None = None
    uri: str | None = None
    hash: str = ""

    def read(self) -> bytes:
        """The content. A remote asset is not fetched: the twin reaches no other machine."""
        if self.text is not None:
            return self.text.encode()
        if self.path is not None:
            return Path(self.path).read_bytes()
        raise ValueError(f"asset {self.uri!r} is remote; use a FileAsset or a StringAsset on the twin")

    @property
    def digest(self) -> str:
        """SHA-256 of the content in hexadecimal; the engine's own where it sent one."""
        return self.hash or hashlib.sha256(self.read()).hexdigest()


@dataclass(frozen=True)
class Archive:
    """Files: exactly one of `path`, `uri` and `assets` is set."""

    path: str | None = None
    uri: str | None = None
    assets: Mapping[str, Any] | None = None
    hash: str = ""


@dataclass
class Values:
    """What one Struct held: plain properties, and where the secret ones stand."""

    props: Props = field(default_factory=dict[str, Any])
    secrets: set[Path_] = field(default_factory=set[Path_])


def unmarshal(struct: struct_pb2.Struct) -> Values:
    """Plain values of a Struct. Whole numbers become int; null stays None; keys of the engine's own (`__...`)
    are kept."""
    values = Values()
    values.props = {key: _plain(value, (key,), values.secrets) for key, value in struct.fields.items()}
    return values


def _plain(value: struct_pb2.Value, path: Path_, secrets: set[Path_]) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value in _UNKNOWNS else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_plain(item, (*path, i), secrets) for i, item in enumerate(value.list_value.values)]
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE in fields:
            return _signed(fields, path, secrets)
        return {key: _plain(item, (*path, key), secrets) for key, item in fields.items()}
    return None


def _signed(fields: Mapping[str, struct_pb2.Value], path: Path_, secrets: set[Path_]) -> Any:
    signature = fields[SIGNATURE].string_value

    def text(key: str) -> str | None:
        return fields[key].string_value if key in fields else None

    if signature == _SECRET:
        secrets.add(path)
        return _plain(fields["value"], path, secrets) if "value" in fields else None
    if signature == _OUTPUT:
        if "secret" in fields and fields["secret"].bool_value:
            secrets.add(path)
        return _plain(fields["value"], path, secrets) if "value" in fields else UNKNOWN
    if signature == _RESOURCE:
        identity = text("id")
        if identity is None:
            return text("urn")
        return UNKNOWN if identity == "" or identity in _UNKNOWNS else identity
    if signature == _ASSET:
        return Asset(text("text"), text("path"), text("uri"), text("hash") or "")
    if signature == _ARCHIVE:
        assets = _plain(fields["assets"], path, secrets) if "assets" in fields else None
        return Archive(text("path"), text("uri"), assets, text("hash") or "")
    raise ValueError(f"{show(path)}: unknown signature {signature!r} in a property value")


def marshal(props: Mapping[str, Any], secrets: Iterable[Path_] = ()) -> struct_pb2.Struct:
    """A Struct of these properties; a value at one of the paths in `secrets` is wrapped as a secret."""
    struct = struct_pb2.Struct()
    marked = frozenset(secrets)
    for key, value in props.items():
        _fill(struct.fields[key], value, (key,), marked)
    return struct


def _fill(target: struct_pb2.Value, value: Any, path: Path_, secrets: frozenset[Path_]) -> None:
    if path in secrets:
        target.struct_value.fields[SIGNATURE].string_value = _SECRET
        _fill(target.struct_value.fields["value"], value, path, secrets - {path})
    elif value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif value is UNKNOWN:
        target.string_value = _UNKNOWN_STRING
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, Mapping):
        target.struct_value.SetInParent()
        for key, item in value.items():
            _fill(target.struct_value.fields[str(key)], item, (*path, str(key)), secrets)
    elif isinstance(value, Asset | Archive):
        _fill(target, _as_signed(value), path, secrets)
    elif isinstance(value, Sequence | set | frozenset):
        target.list_value.SetInParent()
        items = value if isinstance(value, Sequence) else sorted(value, key=repr)
        for i, item in enumerate(items):
            _fill(target.list_value.values.add(), item, (*path, i), secrets)
    else:
        raise TypeError(f"{show(path)}: {type(value).__name__} is no property value: {value!r}")


def _as_signed(value: Asset | Archive) -> dict[str, Any]:
    names = ("text", "path", "uri", "hash") if isinstance(value, Asset) else ("path", "uri", "assets", "hash")
    signed = {name: item for name in names if (item := getattr(value, name)) not in (None, "")}
    if isinstance(value, Asset) and value.text is not None:
        signed["text"] = value.text  # the empty text too
    return {SIGNATURE: _ASSET if isinstance(value, Asset) else _ARCHIVE, **signed}


def dumps(props: Mapping[str, Any]) -> str:
    """JSON of known properties, assets included; for the store."""
    return json.dumps(props, default=_json_default, separators=(",", ":"), sort_keys=True)


def _json_default(value: Any) -> Any:
    if isinstance(value, Asset | Archive):
        return _as_signed(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    raise TypeError(f"{type(value).__name__} cannot be stored: {value!r}")


def loads(text: str) -> Any:
    """What `dumps` wrote."""
    return json.loads(text, object_hook=_json_object)


def _json_object(tree: dict[str, Any]) -> Any:
    signature = tree.get(SIGNATURE)
    if signature == _ASSET:
        return Asset(tree.get("text"), tree.get("path"), tree.get("uri"), tree.get("hash", ""))
    if signature == _ARCHIVE:
        return Archive(tree.get("path"), tree.get("uri"), tree.get("assets"), tree.get("hash", ""))
    return tree


def loads_config(text: str) -> Any:
    """JSON as the SDKs encode a provider's nested configuration; secrets inside are unwrapped."""

    def unwrap(document: dict[str, Any]) -> Any:
        return document.get("value") if document.get(SIGNATURE) == _SECRET else document

    return replace_unknown(json.loads(text, object_hook=unwrap))


def replace_unknown(value: Any) -> Any:
    """The same with the wire's sentinels for unknowns replaced by UNKNOWN."""
    if isinstance(value, str):
        return UNKNOWN if value in _UNKNOWNS else value
    if isinstance(value, dict):
        return {key: replace_unknown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [replace_unknown(item) for item in value]
    return value


def has_unknown(value: Any) -> bool:
    """Whether an UNKNOWN is anywhere in it."""
    if value is UNKNOWN:
        return True
    if isinstance(value, dict):
        return any(map(has_unknown, value.values()))
    if isinstance(value, list | tuple):
        return any(map(has_unknown, value))
    return False


def compact(props: Mapping[str, Any]) -> Props:
    """Inputs without what says nothing (None) and without the engine's own (`__...`), at every depth."""
    return {
        key: _compact(value) for key, value in props.items() if value is not None and not key.startswith("__")
    }


def _compact(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _compact(item) for key, item in value.items() if item is not None and key != "__defaults"
        }
    if isinstance(value, list):
        return [_compact(item) for item in value]
    return value


def show(path: Path_) -> str:
    """A path as Pulumi writes it: `vpcConfig.subnetIds[0]`, `tags["a.b"]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part and part.replace("_", "a").replace("-", "a").isalnum():
            text += f".{part}" if text else part
        else:
            text += "[" + json.dumps(part) + "]"
    return text


def without_indices(path: Path_) -> str:
    """The same without list indices: `ingress.cidrBlocks`; what the tables name properties by."""
    return ".".join(part for part in path if isinstance(part, str))
