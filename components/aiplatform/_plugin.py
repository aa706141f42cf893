"""The components as a Pulumi plugin, which programs in other languages use.

Pulumi's own `component_provider_host` serves a ComponentProvider of components. Ours is one that also
refuses what the host lets pass (unknown keys, at any depth), tells every wrong argument at once by its path,
and gives the objects in lists the names that the schema promises.
"""

import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from pulumi import ComponentResource, Output, ResourceOptions
from pulumi.errors import InputPropertiesError, InputPropertyErrorDetails
from pulumi.provider import ConstructResult, main
from pulumi.provider.experimental.analyzer import ComponentDefinition, PropertyDefinition, PropertyType
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError

from aiplatform._shared.args import ArgumentError, got, is_unknown, nearest
from aiplatform.cluster import Cluster
from aiplatform.cluster_autoscaler import ClusterAutoscaler
from aiplatform.compute_class import ComputeClass
from aiplatform.container_registry import ContainerRegistry
from aiplatform.device_plugins import DevicePlugins
from aiplatform.efa_plugin import EfaPlugin
from aiplatform.feature_store import FeatureStore
from aiplatform.gpu_pool import GpuPool
from aiplatform.lakehouse import Lakehouse
from aiplatform.model_registry import ModelRegistry
from aiplatform.network import Network
from aiplatform.node_pool import NodePool
from aiplatform.runner import Runner
from aiplatform.workload_identity import WorkloadIdentity

NAME: Final = "aiplatform"
COMPONENTS: Final[tuple[type[ComponentResource], ...]] = (
    Network,
    Runner,
    Cluster,
    NodePool,
    GpuPool,
    ComputeClass,
    ClusterAutoscaler,
    DevicePlugins,
    EfaPlugin,
    Lakehouse,
    WorkloadIdentity,
    FeatureStore,
    ContainerRegistry,
    ModelRegistry,
)


def serve(version: str, arguments: Sequence[str]) -> None:
    """Serve the plugin as the engine starts it, until the engine ends it."""
    main(Plugin(version), list(arguments))


class Plugin(ComponentProvider):
    """The provider of the components. Its schema is made from their types and docstrings."""

    def __init__(self, version: str) -> None:
        super().__init__(list(COMPONENTS), NAME, version=version)
        self.schema = json.dumps(_tidied(json.loads(self.schema or "{}")))
        mappings = [each.inputs_mapping for each in self._component_defs.values()]
        mappings += [each.properties_mapping for each in self._type_defs.values()]
        self._public = {own: public for mapping in mappings for public, own in mapping.items()}

    @property
    def definitions(self) -> Mapping[str, ComponentDefinition]:
        """What is known of each component, by its class's name."""
        return self._component_defs

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: Mapping[str, Any],
        options: ResourceOptions | None = None,
    ) -> ConstructResult:
        """Make a component. Raises InputPropertiesError with every wrong argument, nothing registered."""
        self.validate_resource_type(NAME, resource_type)
        kind = resource_type.rsplit(":", maxsplit=1)[-1]
        definition = self._component_defs.get(kind)
        if definition is None:
            known = sorted(self._component_defs)
            raise ValueError(f"there is no component {kind}{nearest(kind, known)}; known: {', '.join(known)}")
        problems = list(self._problems(inputs, definition.inputs, ""))
        if problems:
            raise _wrong(kind, name, problems)
        try:
            return super().construct(name, resource_type, inputs, options)
        except ComponentInitError as error:
            if not isinstance(error.inner, ArgumentError):
                raise
            told = [
                _problem(self._public_path(problem.path), problem.reason) for problem in error.inner.problems
            ]
            raise _wrong(kind, name, told) from None

    def get_state(self, instance: ComponentResource, component_def: ComponentDefinition) -> dict[str, Any]:
        """The outputs by their names in the schema. The host leaves the objects in a list as they are."""
        state: dict[str, Any] = {}
        for key, prop in component_def.outputs.items():
            value = getattr(instance, component_def.outputs_mapping[key], None)
            if value is not None:
                state[key] = self._renamed(value, prop)
        return state

    def _renamed(self, value: Any, prop: PropertyDefinition) -> Any:
        if isinstance(value, Output):
            output = cast("Output[Any]", value)
            return output.apply(lambda resolved: self._renamed(resolved, prop))
        if prop.items is not None and isinstance(value, list):
            item = prop.items
            return [self._renamed(entry, item) for entry in cast("list[Any]", value)]
        if not isinstance(value, Mapping):
            return value
        entries = cast("Mapping[str, Any]", value)
        if prop.additional_properties is not None:
            inner = prop.additional_properties
            return {key: self._renamed(entry, inner) for key, entry in entries.items()}
        definition = self.get_type_definition(prop) if prop.ref else None
        if definition is None:
            return entries
        names = definition.properties_mapping
        return {
            key: self._renamed(entries[names[key]], inner)
            for key, inner in definition.properties.items()
            if entries.get(names[key]) is not None
        }

    def _problems(
        self, given: Mapping[str, Any], properties: Mapping[str, PropertyDefinition], path: str
    ) -> Iterator[InputPropertyErrorDetails]:
        """Unknown and missing keys of an object, and of the objects in it."""
        for key in given:
            if key not in properties:
                hint = nearest(key, properties) or f"; known keys: {', '.join(sorted(properties))}"
                yield _problem(path + key, f"unknown key{hint}")
        for key, prop in properties.items():
            if given.get(key) is not None:
                yield from self._problems_in(given[key], prop, path + key)
            elif not prop.optional:
                yield _problem(path + key, f"missing, expected {_words(prop)}")

    def _problems_in(
        self, value: Any, prop: PropertyDefinition, path: str
    ) -> Iterator[InputPropertyErrorDetails]:
        if prop.items is not None and isinstance(value, list):
            for index, entry in enumerate(cast("list[Any]", value)):
                yield from self._problems_in(entry, prop.items, f"{path}[{index}]")
        elif prop.additional_properties is not None and isinstance(value, Mapping):
            for key, entry in cast("Mapping[str, Any]", value).items():
                yield from self._problems_in(entry, prop.additional_properties, f"{path}.{key}")
        elif prop.ref and (definition := self.get_type_definition(prop)) is not None:
            if isinstance(value, Mapping):
                yield from self._problems(cast("Mapping[str, Any]", value), definition.properties, f"{path}.")
            else:
                hint = ", whose values may be outputs" if is_unknown(value) else ""
                keys = ", ".join(definition.properties)
                yield _problem(path, f"{got(value)}, expected an object with {keys}{hint}")

    def _public_path(self, path: str) -> str:
        """`NetworkArgs.zone_ids[1]` as the schema calls it: `zoneIds[1]`."""
        return re.sub(r"\w+", lambda word: self._public.get(word[0], word[0]), path.partition(".")[2])


def _problem(path: str, reason: str) -> InputPropertyErrorDetails:
    return {"property_path": path, "reason": reason}


def _wrong(kind: str, name: str, problems: list[InputPropertyErrorDetails]) -> InputPropertiesError:
    count = "1 argument is wrong" if len(problems) == 1 else f"{len(problems)} arguments are wrong"
    return InputPropertiesError(f"{kind} {name}: {count}", problems)


def _words(prop: PropertyDefinition) -> str:
    if prop.type is PropertyType.ARRAY:
        return "a list"
    if prop.ref or prop.type is PropertyType.OBJECT or prop.type is None:
        return "an object"
    return f"{'an' if prop.type is PropertyType.INTEGER else 'a'} {prop.type.value}"


def _tidied(node: Any) -> Any:
    """A schema without the source's line breaks in its texts, and with a list's text on the list alone."""
    if isinstance(node, list):
        return [_tidied(entry) for entry in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    result: dict[str, Any] = {}
    for key, value in cast("dict[str, Any]", node).items():
        if key == "description" and isinstance(value, str):
            result[key] = unwrapped(value)
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            below = cast("dict[str, Any]", value)
            result[key] = _tidied({name: entry for name, entry in below.items() if name != "description"})
        else:
            result[key] = _tidied(value)
    return result


def unwrapped(docstring: str) -> str:
    """A docstring with one line a paragraph."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.cleandoc(docstring))
