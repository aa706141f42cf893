"""The TypedDicts that programs write, from the dataclasses that declare a component's arguments.

A component's arguments are declared once, in `args.py`, as fields of frozen dataclasses: key, type, rule,
default and docstring. Python programs and the plugin's schema need them as TypedDicts of the same keys, which
this module generates: `NetworkSettings` becomes `NetworkArgs`, any other `Addon` becomes `AddonArgs`.

`python -m tests.generating.inputs` writes them, in a separate process: the other generators import them.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import json
import sys
import textwrap
import types
import typing
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import pulumi

from aiplatform._shared.args import is_optional_field
from tests.generating import outputs, renewing

SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "aiplatform.network.inputs": (
        "aiplatform.network.args",
        "aiplatform.network.aws.args",
        "aiplatform.network.gcp.args",
    ),
    "aiplatform.cluster.inputs": (
        "aiplatform.cluster.args",
        "aiplatform.cluster.aws.args",
        "aiplatform.cluster.gcp.args",
    ),
    "aiplatform._shared.references.inputs": (
        "aiplatform._shared.references.cluster",
        "aiplatform._shared.references.identity",
        "aiplatform._shared.references.karpenter",
        "aiplatform._shared.references.lakehouse",
        "aiplatform._shared.references.model_store",
    ),
    "aiplatform.container_registry.inputs": ("aiplatform.container_registry.args",),
    "aiplatform.model_monitor.inputs": (
        "aiplatform.model_monitor.columns",
        "aiplatform.model_monitor.monitors",
        "aiplatform.model_monitor.args",
    ),
    "aiplatform.feature_store.inputs": (
        "aiplatform.feature_store.component_args",
        "aiplatform.feature_store.args",
    ),
    "aiplatform.lakehouse.inputs": (
        "aiplatform.lakehouse.args",
        "aiplatform.lakehouse.billing",
        "aiplatform.lakehouse.grants",
        "aiplatform.lakehouse.ingestion",
        "aiplatform.lakehouse.perimeter",
        "aiplatform.lakehouse.quality",
        "aiplatform.lakehouse.snapshots",
        "aiplatform.lakehouse.tables",
    ),
    "aiplatform.log_bucket.inputs": ("aiplatform.log_bucket.args",),
    "aiplatform.model_registry.inputs": (
        "aiplatform.model_registry.accounts",
        "aiplatform.model_registry.args",
        "aiplatform.model_registry.database",
        "aiplatform.model_registry.existing_database",
    ),
    "aiplatform.model_store.inputs": ("aiplatform.model_store.args",),
    "aiplatform.serving.inputs": ("aiplatform.serving.pools", "aiplatform.serving.args"),
    "aiplatform._shared.kubernetes.inputs": ("aiplatform._shared.kubernetes.names",),
    "aiplatform.accelerators.inputs": ("aiplatform.accelerators.fabric",),
    "aiplatform.node_pool.inputs": ("aiplatform.node_pool.args",),
    "aiplatform.gpu_pool.inputs": ("aiplatform.gpu_pool.args", "aiplatform.gpu_pool.capacity"),
    "aiplatform.cluster_autoscaler.inputs": ("aiplatform.cluster_autoscaler.args",),
    "aiplatform.compute_class.inputs": ("aiplatform.compute_class.args",),
    "aiplatform.device_plugins.inputs": ("aiplatform.device_plugins.args",),
    "aiplatform.efa_plugin.inputs": ("aiplatform.efa_plugin.args",),
    "aiplatform.queues.inputs": ("aiplatform.queues.pools", "aiplatform.queues.args"),
    "aiplatform.addons.inputs": ("aiplatform.addons.args", "aiplatform.addons.pods_ready"),
    "aiplatform.karpenter.inputs": ("aiplatform.karpenter.args",),
    "aiplatform.pipelines.inputs": ("aiplatform.pipelines.args",),
    "aiplatform.continuous_training.inputs": ("aiplatform.continuous_training.args",),
    "aiplatform.workflow.inputs": ("aiplatform.workflow.args",),
    "aiplatform.function.inputs": ("aiplatform.function.sources", "aiplatform.function.args"),
    "aiplatform.cost.inputs": ("aiplatform.cost.schedule", "aiplatform.cost.reaper", "aiplatform.cost.args"),
    "aiplatform.guardrails.inputs": ("aiplatform.guardrails.args",),
    "aiplatform.observability.inputs": (
        "aiplatform.observability.logs.args",
        "aiplatform.observability.traces.args",
        "aiplatform.observability.notifications",
        "aiplatform.observability.opencost_args",
        "aiplatform.observability.rule_args",
        "aiplatform.observability.storage_args",
        "aiplatform.observability.args",
    ),
    "aiplatform.gateway.inputs": ("aiplatform.gateway.args",),
    "aiplatform.gpu_checks.inputs": ("aiplatform.gpu_checks.args",),
    "aiplatform.runner.inputs": ("aiplatform.runner.args",),
    "aiplatform.teams.inputs": ("aiplatform.teams.args",),
    "aiplatform.training.inputs": ("aiplatform.training.pools", "aiplatform.training.args"),
    "aiplatform.workload_identity.inputs": ("aiplatform.workload_identity.args",),
}
"""Generated module -> the modules whose dataclasses it is generated from."""
_LATER: Final = (get_origin(Awaitable[int]), pulumi.Output)
_MAPPING: Final = get_origin(Mapping[str, str])


def paths() -> list[Path]:
    """Return the paths of the generated modules in the repository."""
    return [_path(module) for module in SOURCES]


def files() -> Mapping[Path, str]:
    """Path in the repository -> the text of each generated module."""
    return {_path(module): text(sources) for module, sources in SOURCES.items()}


def _path(module: str) -> Path:
    return Path("components", *module.split(".")).with_suffix(".py")


def text(sources: Iterable[str]) -> str:
    """Return the module with the TypedDicts of all dataclasses of these modules."""
    sources = tuple(sources)
    models: dict[type, None] = {}
    for source in sources:
        for model in vars(importlib.import_module(source)).values():
            if dataclasses.is_dataclass(model) and isinstance(model, type) and model.__module__ == source:
                _with_nested(model, sources, models)
    renderer = _Renderer(sources)
    classes = [renderer.typed_dict(model) for model in models]
    names = ", ".join(source.removeprefix("aiplatform.") for source in sources)
    head = f'"""Arguments as programs write them. Generated by `make generate` from {names}: edit there."""'
    if len(head) > renewing.WIDTH:
        head = '"""Arguments as programs write them. Generated by `make generate`: edit the sources.\n\n'
        head += textwrap.fill(f"Sources: {names}.", renewing.WIDTH) + '\n"""'
    return "\n\n\n".join([f"{head}\n\n{renderer.imports()}", *classes]) + "\n"


def public_name(model: type) -> str:
    """Return the name of the TypedDict of a dataclass: `NetworkArgs` of NetworkSettings."""
    return f"{model.__name__.removesuffix('Settings')}Args"


def _with_nested(model: type, sources: tuple[str, ...], models: dict[type, None]) -> None:
    """Add the model after the models that its fields name, as Python defines classes in order."""
    for hint in _hints(model).values():
        for nested in _models_in(hint):
            if nested.__module__ in sources and nested not in models:
                _with_nested(nested, sources, models)
    models.setdefault(model)


def _models_in(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        yield hint
    for argument in get_args(hint):
        yield from _models_in(argument)


def _hints(model: type) -> Mapping[str, Any]:
    """Field -> annotation, without class variables. Inherited ones that have a default come last."""
    # Input[...] names these two in a string, which is read in the module of the dataclass.
    names = {"Output": pulumi.Output, "T": Any}
    hints = typing.get_type_hints(model, localns=names, include_extras=True)
    declared = inspect.get_annotations(model)

    def is_last(field: dataclasses.Field[Any]) -> bool:
        return field.name not in declared and is_optional_field(model, field.name)

    return {field.name: hints[field.name] for field in sorted(dataclasses.fields(model), key=is_last)}


class _Renderer:
    """Renders annotations as source, and collects what they need to import."""

    def __init__(self, sources: tuple[str, ...]) -> None:
        self._sources = sources
        self._standard: set[str] = set()
        self._typing: set[str] = {"TypedDict"}
        self._pulumi: set[str] = set()
        self._others: dict[str, set[str]] = {}

    def imports(self) -> str:
        groups = [_import("typing", self._typing)]
        if self._standard:
            groups = [_import("collections.abc", self._standard) + "\n" + groups[0]]
        if self._pulumi:
            groups.append(_import("pulumi", self._pulumi))
        if self._others:
            groups.append("\n".join(_import(*entry) for entry in sorted(self._others.items())))
        return "\n\n".join(groups)

    def typed_dict(self, model: type) -> str:
        documented = docstrings(model)
        lines = [f"class {public_name(model)}(TypedDict):", f"{_indented(documented[''])}", ""]
        for name, hint in _hints(model).items():
            annotation = self.annotation(hint)
            if is_optional_field(model, name):
                self._typing.add("NotRequired")
                annotation = f"NotRequired[{annotation}]"
            lines += [_declaration(name, annotation), _indented(documented[name])]
        for output in outputs.passed_on(model):
            self._typing.add("NotRequired")
            self._pulumi.add("Input")
            annotation = f"NotRequired[Input[{output.reference_annotation}]]"
            self._standard |= {"Mapping"} if "Mapping[" in annotation else set()
            lines += [f"    {output.key}: {annotation}", _indented(output.docstring)]
        return "\n".join(lines)

    def annotation(self, hint: Any, *, in_input: bool = False) -> str:
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return self.annotation(arguments[0], in_input=in_input)
        if origin is Literal:
            self._typing.add("Literal")
            return f"Literal[{', '.join(json.dumps(argument) for argument in arguments)}]"
        if origin in (Union, types.UnionType):
            return self._union(arguments, in_input=in_input)
        if origin in (list, dict, _MAPPING):
            return self._collection(origin, arguments, in_input=in_input)
        if hint is Any:
            self._typing.add("Any")
            return "Any"
        if dataclasses.is_dataclass(hint):
            reference = self._reference(hint)
            if in_input or not getattr(hint, "may_be_output", False):
                return reference
            self._pulumi.add("Input")
            return f"Input[{reference}]"
        return hint.__name__

    def _collection(self, origin: Any, arguments: tuple[Any, ...], *, in_input: bool) -> str:
        """`list[T]`; `Sequence[Input[T]]` where an entry may be an output, also in a list that may be one."""
        *key, entry = arguments
        is_input = any(get_origin(member) in _LATER for member in get_args(entry))
        rendered = self.annotation(entry, in_input=in_input and not is_input)
        if not rendered.startswith("Input["):
            name = "list" if origin is list else "dict"
            return f"{name}[{', '.join([*('str' for _ in key), rendered])}]"
        # A list is not covariant: one of strings would not be accepted as one of inputs.
        name = "Sequence" if origin is list else "Mapping"
        self._standard.add(name)
        return f"{name}[{', '.join([*('str' for _ in key), rendered])}]"

    def _union(self, arguments: tuple[Any, ...], *, in_input: bool) -> str:
        """`T | None` and `Input[T]`; an input directly in an input is one."""
        is_input = any(get_origin(argument) in _LATER for argument in arguments)
        [plain] = [
            argument
            for argument in arguments
            if argument is not types.NoneType and get_origin(argument) not in _LATER
        ]
        rendered = self.annotation(plain, in_input=in_input or is_input)
        if not is_input or in_input:
            return rendered
        self._pulumi.add("Input")
        return f"Input[{rendered}]"

    def _reference(self, model: Any) -> str:
        if model.__module__ not in self._sources:
            self._others.setdefault(model.__module__, set()).add(public_name(model))
        return public_name(model)


def docstrings(model: type) -> Mapping[str, str]:
    """Return the docstring below each field as it is in the source, and that of the class under "".

    Raises KeyError where a field has none: programs in other languages have no other documentation.
    """
    texts: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if dataclasses.is_dataclass(base):
            texts |= _stated_docstrings(base)
    missing = [name for name in _hints(model) if name not in texts]
    if missing or not texts[""]:
        raise KeyError(f"{model.__module__}.{model.__name__}: no docstring of {', '.join(missing) or 'it'}")
    return texts


def _stated_docstrings(model: type) -> dict[str, str]:
    """Return the docstrings of a class and of the fields that it declares itself."""
    module = ast.parse(inspect.getsource(importlib.import_module(model.__module__)))
    [tree] = [node for node in module.body if isinstance(node, ast.ClassDef) and node.name == model.__name__]
    texts = {"": ast.get_docstring(tree, clean=False) or ""}
    for node, below in zip(tree.body, tree.body[1:], strict=False):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            texts[node.target.id] = str(below.value.value)
    return texts


def _declaration(name: str, annotation: str) -> str:
    """Return the line of a key; the argument of a long annotation has a separate line."""
    line = f"    {name}: {annotation}"
    if len(line) <= renewing.WIDTH:
        return line
    outer, _, inner = annotation.removesuffix("]").partition("[")
    return f"    {name}: {outer}[\n        {inner}\n    ]"


def _indented(docstring: str) -> str:
    return f'    """{docstring}"""'


def _import(module: str, names: Iterable[str]) -> str:
    line = f"from {module} import {', '.join(sorted(names))}"
    if len(line) <= renewing.WIDTH:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in sorted(names)) + ")"


def create_placeholders() -> None:
    """Make a new component importable whose generated module does not exist yet: its names are `object`."""
    for module in SOURCES:
        if not (renewing.ROOT / _path(module)).exists():
            placeholder: Any = types.ModuleType(module)
            placeholder.__getattr__ = lambda _name: object
            sys.modules[module] = placeholder


if __name__ == "__main__":
    create_placeholders()
    renewing.renew([*outputs.files().items(), *files().items()], [])
