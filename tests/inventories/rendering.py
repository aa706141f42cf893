"""A recording as readable YAML: every registration with its inputs and options, sorted.

Values that would hide a change are made readable: JSON documents are expanded (`!json`), Base64 is decoded
(`!base64`), the text of a file of this repository is its path (`!file`), and a value that another resource
computes is a reference (`${aws:kms/key:Key network-key.arn}`). Secrets are left out (`!secret`), and so is
the path of Python (`!python`). A dashboard of Grafana has a thousand lines, which its own tests read: here
are its title and digest (`!dashboard`).
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pulumi
import yaml
from pulumi.runtime import rpc

from tests.components.recording import Recording, Registered

ROOT: Final = Path(__file__).parents[2]
HEADER: Final = "# Made by `make generate`; change the source instead.\n"
# Outputs that many resources have in common: a reference in their place would hide the input.
_COMMON: Final = frozenset({"region", "status", "platformVersion", "version"})
_RESOURCE: Final = re.compile(r"^  (\S+ \S+):$", re.MULTILINE)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/\n]{40,}={0,2}\n?")


class Marked:
    """A value under a YAML tag."""

    def __init__(self, tag: str, value: Any) -> None:
        self.tag = tag
        self.value = value


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: Any, text: str) -> Any:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _marked(dumper: Any, marked: Marked) -> Any:
    if isinstance(marked.value, dict):
        return dumper.represent_mapping(marked.tag, marked.value)
    if isinstance(marked.value, list):
        return dumper.represent_sequence(marked.tag, marked.value)
    return dumper.represent_scalar(marked.tag, marked.value, style="|" if "\n" in marked.value else None)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Marked, _marked)


def render(recording: Recording, exported: Mapping[str, Any] | None = None) -> str:
    """Return the inventory of a recording. exported: what the program exports, by layer."""
    names = _Names(recording)
    content: dict[str, Any] = {
        "resources": {_key(resource): names.resource(resource) for resource in recording.resources},
        "calls": _calls(recording),
    }
    if exported is not None:
        content["exported"] = names.readable(exported)
    return HEADER + yaml.dump(content, Dumper=_Dumper, sort_keys=True, width=10_000, allow_unicode=True)


def inputs_by_urn(recording: Recording) -> dict[str, Any]:
    """Return the readable inputs of every resource of a recording, as plain values, by its URN."""
    names = _Names(recording)
    return {resource.urn: _plain(names.resource(resource)["inputs"]) for resource in recording.resources}


def _plain(value: Any) -> Any:
    if isinstance(value, Marked):
        return _plain(value.value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def registered(inventory: str) -> list[str]:
    """Return type and logical name of every resource of an inventory."""
    return _RESOURCE.findall(inventory)


def _key(resource: Registered) -> str:
    return f"{resource.type} {resource.name}"


def _calls(recording: Recording) -> list[Any]:
    """Return the function calls of a program, without duplicates."""
    calls = {
        json.dumps({"function": call.token, "arguments": _numbers(dict(call.arguments))}, sort_keys=True)
        for call in recording.calls
    }
    return [json.loads(call) for call in sorted(calls)]


class _Names:
    """References between the resources of a recording."""

    def __init__(self, recording: Recording) -> None:
        self._by_urn = {resource.urn: resource for resource in recording.resources}
        assert len({_key(resource) for resource in recording.resources}) == len(self._by_urn), (
            "two resources have the same name"
        )
        self._descendants = self._below(recording)
        self._values: dict[str, list[tuple[str, str]]] = {}
        owners: dict[str, set[str]] = {}
        for resource in recording.resources:
            self._values[resource.urn] = list(_computed(resource))
            for value, _ in self._values[resource.urn]:
                owners.setdefault(value, set()).add(resource.urn)
        # A value that several resources have does not identify the source of an input.
        for urn, values in self._values.items():
            self._values[urn] = [(value, name) for value, name in values if len(owners[value]) == 1]
        self._every = sorted(
            (pair for values in self._values.values() for pair in values), key=lambda pair: -len(pair[0])
        )

    def _below(self, recording: Recording) -> dict[str, set[str]]:
        """Return component -> all resources below it that are not components."""
        descendants: dict[str, set[str]] = {}
        for resource in recording.resources:
            parent = resource.parent
            while resource.custom and parent in self._by_urn:
                descendants.setdefault(parent, set()).add(resource.urn)
                parent = self._by_urn[parent].parent
        return {urn: below for urn, below in descendants.items() if not self._by_urn[urn].custom}

    def _name(self, urn: str) -> str:
        target = self._by_urn.get(urn)
        return _key(target) if target else urn.split("::", 2)[-1].replace("::", " ")

    def resource(self, resource: Registered) -> dict[str, Any]:
        """Return what is registered of a resource, without options that are not set."""
        seen: set[str] = set()
        inputs = {key: self._input(resource, key, value, seen) for key, value in resource.inputs.items()}
        options: dict[str, Any] = {
            "parent": self._name(resource.parent) if resource.parent in self._by_urn else "",
            "provider": resource.provider.split("::")[-2] if resource.provider else "",
            "providers": {
                package: provider.split("::")[-2] for package, provider in resource.providers.items()
            },
            "protect": resource.protect or None,
            "retain_on_delete": resource.retain_on_delete or None,
            "deleted_with": self._name(resource.deleted_with) if resource.deleted_with else "",
            "depends_on": self._waits_for(resource, seen),
            "ignore_changes": sorted(resource.ignore_changes),
            "replace_on_changes": sorted(resource.replace_on_changes),
            "delete_before_replace": resource.delete_before_replace or None,
            "additional_secret_outputs": sorted(resource.additional_secret_outputs),
            "aliases": sorted(resource.aliases),
            "import": resource.import_id,
            "timeouts": resource.timeouts,
            "outputs": self.readable(resource.outputs) if resource.outputs else None,
        }
        return {"inputs": inputs, **{key: option for key, option in options.items() if option}}

    def _waits_for(self, resource: Registered, seen: set[str]) -> list[str]:
        """Return its dependencies beyond references in its inputs; a component stands for its children."""
        waits = set(resource.depends_on)
        # The outermost component first, which replaces those within it.
        for component, below in sorted(self._descendants.items(), key=lambda pair: (-len(pair[1]), pair[0])):
            if len(below) > 1 and below <= waits:
                waits = (waits - below) | {component}
        return sorted(self._name(urn) for urn in waits - seen if urn != resource.urn)

    def _input(self, resource: Registered, key: str, value: Any, seen: set[str]) -> Any:
        urns = resource.property_dependencies.get(key, frozenset())
        pairs = [(pair, urn) for urn in sorted(urns) for pair in self._values.get(urn, [])]
        pairs.sort(key=lambda entry: -len(entry[0][0]))

        def refer(text: str) -> str:
            for (computed, name), urn in pairs:
                if computed in text:
                    text = text.replace(computed, name)
                    seen.add(urn)
            return text

        return _readable(value, refer)

    def readable(self, value: Any) -> Any:
        """Return a value with references to any resource."""
        return _readable(value, self._refer)

    def _refer(self, text: str) -> str:
        for computed, name in self._every:
            if computed in text:
                text = text.replace(computed, name)
        return text


def _computed(resource: Registered) -> Iterator[tuple[str, str]]:
    """Yield (value, reference) of every text that the cloud generates for a resource, its id first."""
    known: set[str] = set()
    texts = [("id", resource.id), *_texts({k: v for k, v in resource.state.items() if k not in _COMMON}, "")]
    inputs = {value for _, value in _texts(resource.inputs, "")}
    for path, value in texts:
        if len(value) >= 6 and not value.isalpha() and value not in known and value not in inputs:
            known.add(value)
            yield value, f"${{{_key(resource)}.{path}}}"


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _texts(entry, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _texts(entry, f"{path}[{index}]")


def _numbers(value: Any) -> Any:
    """Return a value with 3 for 3.0: Protobuf has no integers."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): _numbers(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_numbers(entry) for entry in value]
    return value


def _readable(value: Any, refer: Any) -> Any:
    value = _numbers(value) if isinstance(value, float) else value
    if isinstance(value, str):
        return _readable_text(value, refer)
    if rpc.is_rpc_secret(value):
        return Marked("!secret", "")
    if isinstance(value, Mapping):
        return {refer(str(key)): _readable(entry, refer) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_readable(entry, refer) for entry in value]
    if isinstance(value, pulumi.AssetArchive):
        assets = {key: _readable(asset, refer) for key, asset in value.assets.items()}
        return Marked("!archive", assets)
    if isinstance(value, pulumi.StringAsset):
        return _readable(value.text, refer)
    if isinstance(value, (pulumi.FileAsset, pulumi.FileArchive)):
        return Marked("!file", str(Path(value.path).resolve().relative_to(ROOT)))
    return value


def _readable_text(text: str, refer: Any) -> Any:
    if text.startswith(("{", "[")):
        try:
            document = json.loads(text)
        except ValueError:
            document = None
        if isinstance(document, dict) and document.keys() >= {"panels", "schemaVersion", "title"}:
            digest = hashlib.sha256(text.encode()).hexdigest()[:12]
            return Marked("!dashboard", {"title": document["title"], "sha256": digest})
        if isinstance(document, (dict, list)) and document:
            return Marked("!json", _readable(document, refer))
    if "\n" in text and (file := _files().get(text)):
        return Marked("!file", file)
    if text.startswith(f"{ROOT}/"):
        return Marked("!file", text.removeprefix(f"{ROOT}/"))
    if text == sys.executable:
        return Marked("!python", "")
    if _BASE64.fullmatch(text):
        decoded = _decoded(text)
        if decoded is not None:
            return Marked("!base64", refer(decoded))
    return refer(text)


def _decoded(text: str) -> str | None:
    try:
        decoded = base64.b64decode(text, validate=False).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return decoded if decoded.isprintable() or "\n" in decoded else None


@functools.cache
def _files() -> dict[str, str]:
    """Return text -> path of the files that components send to a cloud unchanged."""
    folder = ROOT / "components" / "aiplatform"
    return {
        file.read_text(): str(file.relative_to(ROOT))
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.suffix in {".py", ".sh", ".sql", ".yaml", ".json"} and file.stat().st_size
    }
