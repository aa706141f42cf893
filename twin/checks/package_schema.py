"""The schema of a provider in Pulumi's own form, made from the types of its SDK package.

Hosts such as that of Pulumi YAML, and `pulumi package get-schema`, ask the provider for it: they have no SDK.
The published schema is not part of the Python package, whose classes were generated from it, so that tokens,
properties, their types, what is required and what is secret are the same here. Descriptions, defaults from
variables of the environment and the values of enumerations are left out: the provider, which gets all values,
checks the last.

The form: https://www.pulumi.com/docs/iac/guides/building-extending/packages/schema/
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from twin.checks import sdk as sdk_module
from twin.checks import types as types_module
from twin.checks.sdk import Sdk
from twin.checks.types import ListOf, MapOf, ObjectOf, OneOf, Property, Type

MODULE_FORMAT: Final = "(.*)(?:/[^/]*)"
"""How bridged providers write the module of a token: `aws:ec2/vpc:Vpc` is in the module ec2."""
_SCALARS: Final[Mapping[str, Mapping[str, str]]] = {
    "string": {"type": "string"},
    "enum": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "asset": {"$ref": "pulumi.json#/Asset"},
    "any": {"$ref": "pulumi.json#/Any"},
}
_SUFFIX: Final = re.compile(r"(Args|Result)$")
_FUNCTIONS_TYPE: Final = re.compile(r"^Get(?=[A-Z])")


def schema_text(package: str, cache: Path) -> str:
    """Return the schema of an SDK package (`pulumi_aws`) as JSON, from a file in `cache` where there is one.

    The first call for a version of the SDK takes some seconds of CPU. The file's name has the version and a
    digest of the code that writes it, and appears at one stroke, so that processes may make it at the same
    time. Without a writable `cache` the schema is made for each call.
    """
    sdk = Sdk(package)
    file = cache / f"{package}-{sdk.version}-{_digest()}.json"
    with contextlib.suppress(OSError):
        return file.read_text(encoding="utf-8")
    text = json.dumps(PackageSchema(sdk).document(), separators=(",", ":"))
    with contextlib.suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=cache, prefix=f".{file.stem}-", suffix=".json")
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(draft).replace(file)
        for old in cache.glob(f"{package}-*.json"):
            if old != file:
                old.unlink(missing_ok=True)
    return text


class PackageSchema:
    """One SDK package on its way into a schema: nested types are collected as properties refer to them."""

    def __init__(self, sdk: Sdk) -> None:
        self.sdk = sdk
        self.name = sdk.package.removeprefix("pulumi_")
        self._modules = sdk.modules
        self._classes: dict[str, dict[str, ObjectOf]] = {}
        """Token of a nested type -> its classes, by the file that defines them: inputs and outputs."""
        self._pending: list[str] = []

    def document(self) -> dict[str, Any]:
        """Return the whole schema."""
        provider = self._properties(self.sdk.provider)
        resources = {token: self.resource(token) for token in sorted(self.sdk.tokens)}
        functions = {token: self.function(token) for token in self.sdk.function_tokens}
        return {
            "name": self.name,
            "version": self.sdk.version,
            "meta": {"moduleFormat": MODULE_FORMAT},
            "config": {"variables": provider},
            "provider": {"inputProperties": provider},
            "resources": {token: spec for token, spec in resources.items() if spec},
            "functions": {token: spec for token, spec in functions.items() if spec},
            "types": self._types(),
        }

    def resource(self, token: str) -> dict[str, Any] | None:
        """Return the specification of a resource type; None for a token that the package has no class of."""
        schema = self.sdk.resource(token)
        if schema is None:
            return None
        registration = self.sdk.registration(token)
        return {
            "properties": self._properties(schema.outputs, registration.secrets),
            "required": _required(schema.outputs.values()),
            "inputProperties": self._properties(schema.inputs, registration.secrets),
            "requiredInputs": _required(schema.inputs.values()),
            "stateInputs": {
                "type": "object",
                "properties": self._properties(registration.state, registration.secrets),
            },
            "aliases": [{"type": alias} for alias in registration.aliases],
        }

    def function(self, token: str) -> dict[str, Any] | None:
        """Return the specification of a function."""
        schema = self.sdk.function(token)
        if schema is None:
            return None
        return {
            "inputs": {
                "type": "object",
                "properties": self._properties(schema.arguments),
                "required": _required(schema.arguments.values()),
            },
            "outputs": {
                "type": "object",
                "properties": self._properties(schema.result),
                "required": _required(schema.result.values()),
            },
        }

    def _types(self) -> dict[str, Any]:
        """Return the nested types; reading the properties of one may add others."""
        types: dict[str, Any] = {}
        while self._pending:
            token = self._pending.pop()
            # One type for inputs and outputs, as published: what only the cloud fills in is not required.
            classes = sorted(self._classes[token].values(), key=lambda type: type.file == "outputs.py")
            shapes = [self.sdk.properties(type) for type in classes]
            types[token] = {
                "type": "object",
                "properties": self._properties(
                    {k: v for shape in reversed(shapes) for k, v in shape.items()}
                ),
                "required": _required(shapes[0].values()),
            }
        return dict(sorted(types.items()))

    def _properties(
        self, properties: Mapping[str, Property], secrets: Iterable[str] = ()
    ) -> dict[str, dict[str, Any]]:
        return {
            name: {**self._type(property.type), **({"secret": True} if name in secrets else {})}
            for name, property in properties.items()
        }

    def _type(self, type: Type) -> dict[str, Any]:
        if isinstance(type, ObjectOf):
            return {"$ref": f"#/types/{self._named(type)}"}
        if isinstance(type, ListOf):
            return {"type": "array", "items": self._type(type.item)}
        if isinstance(type, MapOf):
            return {"type": "object", "additionalProperties": self._type(type.item)}
        if isinstance(type, OneOf):
            return {"oneOf": [self._type(option) for option in type.options]}
        return dict(_SCALARS[type.name])

    def _named(self, type: ObjectOf) -> str:
        """Return the token of a nested type, which inputs and outputs share: its class without the suffix."""
        name = _FUNCTIONS_TYPE.sub("get", _SUFFIX.sub("", type.name))
        token = f"{self.name}:{self._modules.get(type.module, type.module) or 'index'}/{name}:{name}"
        classes = self._classes.setdefault(token, {})
        if type.file not in classes:
            classes[type.file] = type
            self._pending.append(token)
        return token


def _required(properties: Iterable[Property]) -> list[str]:
    return sorted(property.name for property in properties if property.required)


def _digest() -> str:
    """Return what changes with the code that reads a package and writes its schema."""
    digest = hashlib.sha256()
    for source in (__file__, sdk_module.__file__, types_module.__file__):
        digest.update(Path(source).read_bytes())
    return digest.hexdigest()[:12]
