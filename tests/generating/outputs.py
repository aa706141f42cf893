"""The TypedDicts of outputs, from the annotations of a component's class that declare them.

`aiplatform.gpu_pool.GpuPool` has the annotations; `GpuPoolOutputs` in `aiplatform/gpu_pool/outputs.py` is
generated, for Python programs that read `pool.outputs`. A component that others refer to needs none: its
`outputs` have the type of the reference (`NetworkReferenceArgs`), which `tests.generating.inputs` completes
by `passed_on`. Modules are parsed and not imported: a component imports what is generated from it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from tests.generating import renewing

PACKAGE: Final = Path("components", "aiplatform")
ENTITIES: Final = (
    "addons",
    "cluster_autoscaler",
    "compute_class",
    "continuous_training",
    "container_registry",
    "cost",
    "device_plugins",
    "efa_plugin",
    "feature_store",
    "function",
    "gateway",
    "gpu_checks",
    "gpu_pool",
    "guardrails",
    "karpenter",
    "log_bucket",
    "model_monitor",
    "model_registry",
    "node_pool",
    "observability",
    "pipelines",
    "queues",
    "runner",
    "serving",
    "teams",
    "training",
    "workflow",
)
"""Folders of components with a generated outputs.py."""
REFERENCES: Final[Mapping[str, str]] = {
    "ClusterReference": "cluster",
    "LakehouseReference": "lakehouse",
    "ModelStoreReference": "model_store",
    "NetworkReference": "network",
    "WorkloadIdentityReference": "workload_identity",
}
"""Dataclass of a reference -> the folder of its component."""


@dataclass(frozen=True)
class DeclaredOutput:
    """An output of a component. annotation: its type without `Output`, as in the source."""

    key: str
    annotation: str
    docstring: str
    is_known: bool

    @property
    def required_annotation(self) -> str:
        """The type without None."""
        return self.annotation.removesuffix(" | None")

    @property
    def reference_annotation(self) -> str:
        """The type of its value in a reference, in which the values of an object may be outputs, too."""
        return re.sub(r"dict\[str, (\w+)\]", r"Mapping[str, Input[\1]]", self.required_annotation)

    @property
    def entry_annotation(self) -> str:
        """The type of the output's value in `outputs`."""
        if self.is_known:
            return self.annotation
        optional = " | None" if self.required_annotation != self.annotation else ""
        return f"Input[{self.required_annotation}]{optional}"


@dataclass(frozen=True)
class Component:
    """The class of a component. modules: name of a type -> the module that it is imported from."""

    name: str
    module: str
    outputs: tuple[DeclaredOutput, ...]
    modules: Mapping[str, str]


def paths() -> list[Path]:
    """Return the paths of the generated modules in the repository."""
    return [PACKAGE / entity / "outputs.py" for entity in ENTITIES]


def files() -> Mapping[Path, str]:
    """Path in the repository -> the text of each generated module."""
    return {PACKAGE / entity / "outputs.py": text(component(entity)) for entity in ENTITIES}


def passed_on(model: type) -> list[DeclaredOutput]:
    """Return the outputs that a reference accepts without a field: those that no component reads."""
    entity = REFERENCES.get(model.__name__)
    fields = getattr(model, "__dataclass_fields__", {})
    return [output for output in component(entity).outputs if output.key not in fields] if entity else []


@cache
def component(entity: str) -> Component:
    """Return the component of a folder."""
    source = (renewing.ROOT / PACKAGE / entity / "__init__.py").read_text()
    return parse(source, f"aiplatform.{entity}")


def parse(source: str, module: str) -> Component:
    """Return the component that a module defines. Raises KeyError where an output has no docstring."""
    tree = ast.parse(source)
    modules: dict[str, str] = {}
    [class_] = [
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef) and "ComponentResource" in map(ast.unparse, node.bases)
    ]
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            modules |= {alias.name: str(node.module) for alias in node.names}
        elif isinstance(node, ast.ClassDef):
            modules[node.name] = module
    return Component(class_.name, module, tuple(_outputs(class_)), modules)


def _outputs(class_: ast.ClassDef) -> Iterator[DeclaredOutput]:
    for node, below in zip(class_.body, class_.body[1:], strict=False):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        key, annotation = node.target.id, node.annotation
        if not isinstance(annotation, ast.Subscript):
            raise TypeError(f"{class_.name}.{key}: expected Output[...] or KnownOutput[...]")
        if not (isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)):
            raise KeyError(f"{class_.name}.{key} has no docstring")
        inner, docstring = ast.unparse(annotation.slice), str(below.value.value)
        yield DeclaredOutput(key, inner, docstring, ast.unparse(annotation.value) == "KnownOutput")


def text(component: Component) -> str:
    """Return the module with the TypedDict of the outputs of a component."""
    name = f"{component.name}Outputs"
    imports: dict[str, set[str]] = {}
    lines = [f"class {name}(TypedDict):", f'    """Outputs of {component.name}."""', ""]
    for output in component.outputs:
        names = {
            node.id for node in ast.walk(ast.parse(output.entry_annotation)) if isinstance(node, ast.Name)
        }
        for type_ in names & (component.modules.keys() | {"Input"}):
            imports.setdefault("pulumi" if type_ == "Input" else component.modules[type_], set()).add(type_)
        circular = any(component.modules.get(type_) == component.module for type_ in names)
        annotation = f'"{output.entry_annotation}"' if circular else output.entry_annotation
        lines += [f"    {output.key}: {annotation}", f'    """{output.docstring}"""']
    # The component's module imports this one: what it defines can only be imported by a type checker.
    nested = imports.pop(component.module, set())
    typing = ["TYPE_CHECKING", "TypedDict"] if nested else ["TypedDict"]
    groups = [f"from typing import {', '.join(typing)}"]
    groups += [_import("pulumi", imports.pop("pulumi"))] if "pulumi" in imports else []
    groups += ["\n".join(_import(*entry) for entry in sorted(imports.items()))] if imports else []
    if nested:
        groups.append(f"if TYPE_CHECKING:\n    {_import(component.module, nested)}")
    head = f'"""`{component.name}.outputs`. Generated by `make generate` from the class: edit there."""'
    return "\n\n".join([head, *groups]) + "\n\n\n" + "\n".join(lines) + "\n"


def _import(module: str, names: set[str]) -> str:
    return f"from {module} import {', '.join(sorted(names))}"
