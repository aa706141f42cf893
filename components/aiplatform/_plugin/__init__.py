"""The components as a Pulumi plugin, which programs in other languages use.

Pulumi has a host for components in Python (`component_provider_host`). This plugin serves the same calls, and
also refuses what that host accepts (unknown keys at any depth), reports every wrong argument with its path,
takes lists and objects that are outputs as a whole, and names the keys of objects in lists as in the schema.
"""

import argparse
import asyncio
import contextlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import grpc
from pulumi import ComponentResource, Output, ResourceOptions
from pulumi.errors import InputPropertiesError, InputPropertyErrorDetails
from pulumi.provider import ConstructResult, Provider
from pulumi.provider.experimental.analyzer import ComponentDefinition, PropertyDefinition, TypeDefinition
from pulumi.provider.server import ComponentInitError
from pulumi.runtime.proto import provider_pb2_grpc

from aiplatform._plugin.arrival import Servicer
from aiplatform._plugin.inputs import Reader, has_unknown, problem
from aiplatform._plugin.schema import analyze, schema, unwrapped
from aiplatform._shared.args import ArgumentError, nearest
from aiplatform.addons import Addons
from aiplatform.cluster import Cluster
from aiplatform.cluster_autoscaler import ClusterAutoscaler
from aiplatform.compute_class import ComputeClass
from aiplatform.container_registry import ContainerRegistry
from aiplatform.continuous_training import ContinuousTraining
from aiplatform.cost import Cost
from aiplatform.device_plugins import DevicePlugins
from aiplatform.efa_plugin import EfaPlugin
from aiplatform.feature_store import FeatureStore
from aiplatform.function import Function
from aiplatform.gateway import Gateway
from aiplatform.gpu_checks import GpuChecks
from aiplatform.gpu_pool import GpuPool
from aiplatform.guardrails import Guardrails
from aiplatform.karpenter import Karpenter
from aiplatform.lakehouse import Lakehouse
from aiplatform.log_bucket import LogBucket
from aiplatform.model_monitor import ModelMonitor
from aiplatform.model_registry import ModelRegistry
from aiplatform.model_store import ModelStore
from aiplatform.network import Network
from aiplatform.node_pool import NodePool
from aiplatform.observability import Observability
from aiplatform.pipelines import Pipelines
from aiplatform.queues import Queues
from aiplatform.runner import Runner
from aiplatform.serving import Serving
from aiplatform.teams import Teams
from aiplatform.training import Training
from aiplatform.workflow import Workflow
from aiplatform.workload_identity import WorkloadIdentity

__all__ = ["COMPONENTS", "NAME", "Plugin", "serve", "unwrapped"]

NAME: Final = "aiplatform"
COMPONENTS: Final[tuple[type[ComponentResource], ...]] = (
    Network,
    Runner,
    Teams,
    Cluster,
    NodePool,
    GpuPool,
    ComputeClass,
    ClusterAutoscaler,
    DevicePlugins,
    EfaPlugin,
    Addons,
    Karpenter,
    GpuChecks,
    Guardrails,
    Lakehouse,
    WorkloadIdentity,
    FeatureStore,
    ContainerRegistry,
    ModelRegistry,
    ModelStore,
    Queues,
    Training,
    Gateway,
    Pipelines,
    ContinuousTraining,
    ModelMonitor,
    Serving,
    Workflow,
    Observability,
    Cost,
    Function,
    LogBucket,
)

_UNLIMITED: Final = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


def serve(version: str, arguments: Sequence[str]) -> None:
    """Serve the plugin as the engine starts it, until the engine ends it."""
    parser = argparse.ArgumentParser(description="Pulumi plugin of the aiplatform components")
    parser.add_argument("engine", help="address of the engine")
    known, _ = parser.parse_known_args(arguments)

    async def run() -> None:
        server = grpc.aio.server(options=_UNLIMITED)
        servicer = Servicer(Plugin(version), list(arguments), engine_address=known.engine)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        await server.wait_for_termination()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run())


class Plugin(Provider):
    """The provider of the components. Its schema is derived from their types and docstrings."""

    def __init__(self, version: str) -> None:
        self._known = analyze(NAME, COMPONENTS)
        super().__init__(version, json.dumps(schema(NAME, version, COMPONENTS, self._known)))
        mappings = [definition.inputs_mapping for definition in self._known.components.values()]
        mappings += [definition.properties_mapping for definition in self._known.types.values()]
        self._public = {python: public for mapping in mappings for public, python in mapping.items()}

    @property
    def definitions(self) -> Mapping[str, ComponentDefinition]:
        """What is known of each component, by its class's name."""
        return self._known.components

    def type_of(self, prop: PropertyDefinition) -> TypeDefinition | None:
        """Return the type of this package that a property refers to."""
        return self._known.type_of(prop)

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: Mapping[str, Any],
        options: ResourceOptions | None = None,
    ) -> ConstructResult:
        """Create a component. Raises InputPropertiesError with every wrong argument, nothing registered."""
        package, _, kind = resource_type.split(":")
        component = next((known for known in COMPONENTS if known.__name__ == kind), None)
        if component is None or package != NAME:
            known = sorted(self.definitions)
            raise ValueError(f"there is no component {kind}{nearest(kind, known)}; known: {', '.join(known)}")
        definition = self.definitions[kind]
        reader = Reader(self._known)
        arguments = reader.read(inputs, definition.inputs, definition.inputs_mapping)
        if reader.problems:
            raise _wrong(kind, name, reader.problems, inputs)
        try:
            instance = cast(Any, component)(name, arguments, options)
        except ArgumentError as error:
            problems = [problem(self._public_path(wrong.path), wrong.reason) for wrong in error.problems]
            raise _wrong(kind, name, problems, inputs) from None
        except Exception as error:
            # The server then leaves its own part of the traceback out.
            raise ComponentInitError(error) from error
        return ConstructResult(instance.urn, self._state(instance, definition))

    def _state(self, instance: ComponentResource, definition: ComponentDefinition) -> dict[str, Any]:
        """Return the outputs by their names in the schema."""
        state: dict[str, Any] = {}
        for key, prop in definition.outputs.items():
            value = getattr(instance, definition.outputs_mapping[key], None)
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
        definition = self.type_of(prop)
        if definition is None:
            return entries
        names = definition.properties_mapping
        return {
            key: self._renamed(entries[names[key]], inner)
            for key, inner in definition.properties.items()
            if entries.get(names[key]) is not None
        }

    def _public_path(self, path: str) -> str:
        """`NetworkArgs.zone_ids[1]` as the schema calls it: `zoneIds[1]`."""
        return re.sub(r"\w+", lambda word: self._public.get(word[0], word[0]), path.partition(".")[2])


def _wrong(
    kind: str, name: str, problems: list[InputPropertyErrorDetails], inputs: Mapping[str, Any]
) -> InputPropertiesError:
    """Return the error for the engine, which prints the value at the path of each problem, and panics where
    that is an output without a value. Such problems are part of the message, in the engine's form."""
    message = f"{kind} {name}: "
    message += "1 argument is wrong" if len(problems) == 1 else f"{len(problems)} arguments are wrong"
    printable: list[InputPropertyErrorDetails] = []
    for wrong in problems:
        if has_unknown(inputs, wrong["property_path"]):
            message += f"\n\t\t- property {wrong['property_path']} has a problem: {wrong['reason']}"
        else:
            printable.append(wrong)
    return InputPropertiesError(message, printable)
