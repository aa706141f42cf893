"""The types that a Pulumi SDK package carries for every resource and function, read from its source.

Importing pulumi_aws takes 1.7 s, and one of its larger modules half a second more; the generated source is
regular enough that finding one class in it and reading its getters takes a millisecond. Nothing of the
package is executed.
"""

from __future__ import annotations

import ast
import difflib
import functools
import importlib.metadata
import importlib.util
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twin.checks.types import Annotation, ListOf, MapOf, ObjectOf, OneOf, Property, Type

_GETTER: Final = re.compile(
    r"@pulumi\.getter(?:\(name=\"(?P<wire>[^\"]+)\"\))?\n"
    r"(?:[ \t]+@_utilities\.deprecated\(\"\"\"(?:.|\n)*?\"\"\"\)\n)?"
    r"[ \t]+def (?P<python>\w+)\(self\) -> (?P<annotation>.+):\n"
)
_CLASS: Final = re.compile(r"\nclass (?P<name>\w+)[:(]")
_NEXT: Final = re.compile(r"^(?:class|def|@|if|else|elif|MYPY)\b", re.MULTILINE)
_EXPORTED_ARGS: Final = re.compile(r"__all__ = \[(?:'(?P<args>\w+)', )?'(?P<resource>\w+)'\]")
_INVOKE: Final = re.compile(r"pulumi\.runtime\.invoke\('(?P<token>[^']+)', __args__, opts=opts, typ=\w+\)")
_SECRETS: Final = re.compile(r"additional_secret_outputs=\[(?P<names>[^\]]*)\]")
_ALIAS: Final = re.compile(r"pulumi\.Alias\(type_=\"(?P<token>[^\"]+)\"\)")
_QUOTED: Final = re.compile(r"\"([^\"]+)\"")
_ARGUMENT: Final = re.compile(r"^    __args__\['(?P<wire>[^']+)'\] = (?P<python>\w+)$", re.MULTILINE)


@dataclass(frozen=True)
class ResourceSchema:
    """One resource type: its inputs (the ...Args class) and its outputs (the resource's own getters)."""

    token: str
    inputs: Mapping[str, Property]
    outputs: Mapping[str, Property]


@dataclass(frozen=True)
class FunctionSchema:
    """One function: its arguments, and the properties of its result."""

    token: str
    arguments: Mapping[str, Property]
    result: Mapping[str, Property]


@dataclass(frozen=True)
class Registration:
    """What the class of a resource type adds to its registration, and what `get` of it takes."""

    state: Mapping[str, Property]
    """The properties by which an existing resource is looked up, next to its id."""
    secrets: frozenset[str]
    aliases: tuple[str, ...]
    """Tokens that the type had before."""


class Sdk:
    """One SDK package, by its import name (`pulumi_aws`). Everything is read once and kept."""

    def __init__(self, package: str) -> None:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError(f"the SDK package {package} is not installed with the twin")
        self.package = package
        self.folder = Path(next(iter(spec.submodule_search_locations)))
        self.resource = functools.cache(self._resource)
        self.function = functools.cache(self._function)
        self.properties = functools.cache(self._properties)
        self._text = functools.cache(self._read)
        self._starts = functools.cache(self._class_starts)

    @functools.cached_property
    def version(self) -> str:
        """The package's version (`7.51.1`)."""
        return importlib.metadata.version(self.package.replace("_", "-"))

    @functools.cached_property
    def tokens(self) -> dict[str, tuple[str, str]]:
        """Every resource token, with its folder and class; from the table that the package registers."""
        return {
            token: (self._folder(module), name)
            for module in self._registered
            for token, name in module["classes"].items()
        }

    @functools.cached_property
    def modules(self) -> dict[str, str]:
        """Every folder with resources, with the module that tokens have for it (`lambda_`: `lambda`)."""
        return {self._folder(module): module["mod"].partition("/")[0] for module in self._registered}

    @functools.cached_property
    def function_tokens(self) -> list[str]:
        """Every function token. Reads all files of the package: a second."""
        return sorted(
            {
                call["token"]
                for file in self.folder.rglob("*.py")
                for call in _INVOKE.finditer(file.read_text(encoding="utf-8"))
            }
        )

    @functools.cached_property
    def _registered(self) -> list[dict[str, Any]]:
        match = re.search(r'resource_modules="""(.*?)"""', self._text("__init__.py"), re.DOTALL)
        return json.loads(match.group(1)) if match else []

    def _folder(self, module: Mapping[str, Any]) -> str:
        return str(module["fqn"]).removeprefix(self.package).lstrip(".").replace(".", "/")

    @functools.cached_property
    def provider(self) -> Mapping[str, Property]:
        """The configuration of the provider (`ProviderArgs`)."""
        return self._getters("", "provider.py", "ProviderArgs", outputs=False)

    def nearest(self, token: str) -> list[str]:
        """Resource tokens that look like a misspelt one."""
        return difflib.get_close_matches(token, self.tokens, n=3, cutoff=0.7)

    def registration(self, token: str) -> Registration:
        """What a resource type has apart from its schema; empty for a token without a class."""
        place = self._place(token)
        if place is None:
            return Registration({}, frozenset(), ())
        module, file = place
        text = self._text(_join(module, file))
        exported = _EXPORTED_ARGS.search(text)
        state = f"_{exported['resource']}State" if exported else ""
        secrets = _SECRETS.search(text)
        return Registration(
            self._getters(module, file, state, outputs=False) if state else {},
            frozenset(_QUOTED.findall(secrets["names"]) if secrets else ()),
            tuple(dict.fromkeys(alias["token"] for alias in _ALIAS.finditer(text))),
        )

    def _resource(self, token: str) -> ResourceSchema | None:
        place = self._place(token)
        if place is None:
            return None
        module, file = place
        exported = _EXPORTED_ARGS.search(self._text(_join(module, file)))
        if exported is None:
            return None
        arguments = exported["args"] or f"{exported['resource']}Args"
        return ResourceSchema(
            token,
            self._getters(module, file, arguments, outputs=False),
            self._getters(module, file, exported["resource"], outputs=True),
        )

    def _function(self, token: str) -> FunctionSchema | None:
        place = self._place(token)
        if place is None:
            return None
        module, file = place
        text = self._text(_join(module, file))
        call = re.search(
            rf"pulumi\.runtime\.invoke\('{re.escape(token)}', __args__, opts=opts, typ=(\w+)\)", text
        )
        if call is None:
            return None
        start = text.rfind("\ndef ", 0, call.start()) + 1
        return FunctionSchema(
            token,
            _arguments(text[start : call.start()], Annotation(module)),
            self._getters(module, file, call[1], outputs=True),
        )

    def _properties(self, type: ObjectOf) -> Mapping[str, Property]:
        """The properties of a nested class."""
        return self._getters(type.module, type.file, type.name, outputs=type.file == "outputs.py")

    def _place(self, token: str) -> tuple[str, str] | None:
        """Folder and file of a token: `aws:ec2/natGateway:NatGateway` is in ec2/nat_gateway.py."""
        parts = token.split(":")
        if len(parts) != 3:
            return None
        module, _, name = parts[1].partition("/")
        quoted = f"'{token}'"
        for folder in dict.fromkeys(("" if module == "index" else module, f"{module}_", _snake(module))):
            guess = f"{_snake(name or parts[2])}.py"
            if (self.folder / folder / guess).is_file() and quoted in self._text(_join(folder, guess)):
                return folder, guess
            for file in sorted((self.folder / folder).glob("*.py")):
                # A name with an acronym is split in its own way (`mLTransform`: ml_transform.py).
                if _flat(file.stem) == _flat(name or parts[2]) and quoted in file.read_text():
                    return folder, file.name
        return None

    def _getters(self, module: str, file: str, name: str, *, outputs: bool) -> dict[str, Property]:
        body = self._class(_join(module, file), name)
        annotation = Annotation(module, outputs)
        properties: dict[str, Property] = {}
        for getter in _GETTER.finditer(body):
            type, required = annotation.read(getter["annotation"])
            wire = getter["wire"] or getter["python"]
            properties[wire] = Property(wire, type, required)
        return properties

    def _class(self, path: str, name: str) -> str:
        text = self._text(path)
        start = self._starts(path).get(name)
        if start is None:
            return ""
        following = _NEXT.search(text, start + 2)
        return text[start : following.start() if following else len(text)]

    def _class_starts(self, path: str) -> dict[str, int]:
        """Name of a class -> where it starts. Files of nested classes have thousands."""
        return {start["name"]: start.start() for start in _CLASS.finditer(self._text(path))}

    def _read(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")


def _arguments(definition: str, annotation: Annotation) -> dict[str, Property]:
    """The arguments of a generated function: types from its signature, wire names from its body."""
    signature = definition[: definition.index(") -> ") + 1]
    function = ast.parse(f"{signature}: ...").body[0]
    if not isinstance(function, ast.FunctionDef):
        return {}
    arguments = function.args
    optional = len(arguments.args) - len(arguments.defaults)
    types: dict[str, tuple[Type, bool]] = {}
    for i, argument in enumerate(arguments.args):
        if argument.annotation is not None:
            type, _ = annotation.read(ast.unparse(argument.annotation))
            types[argument.arg] = type, i < optional
    return {
        argument["wire"]: Property(argument["wire"], *types[argument["python"]])
        for argument in _ARGUMENT.finditer(definition)
        if argument["python"] in types
    }


def objects(type: Type) -> Iterable[ObjectOf]:
    """The nested classes that a type names directly."""
    if isinstance(type, ObjectOf):
        yield type
    elif isinstance(type, ListOf | MapOf):
        yield from objects(type.item)
    elif isinstance(type, OneOf):
        for option in type.options:
            yield from objects(option)


@functools.cache
def sdk(package: str) -> Sdk:
    """The SDK of that name, read once a process."""
    return Sdk(package)


def _join(module: str, file: str) -> str:
    return f"{module}/{file}" if module else file


def _flat(name: str) -> str:
    return name.replace("_", "").lower()


def _snake(name: str) -> str:
    split = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", split).lower()
