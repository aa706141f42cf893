"""A recording engine for component tests: what a program registers, with options and registered outputs.

Pulumi's mocks see neither parent, protect, deleted_with nor register_outputs, and fold duplicate URNs into
one. This monitor records every request as the engine would get it and refuses a URN that comes twice.

    recorded = record(lambda: Network("network", {"prefix": "acme-dev"}))
    vpc = recorded.one("aws:ec2/vpc:Vpc")
    assert vpc.inputs["enableDnsSupport"] is True
    assert vpc.parent == recorded.one("aiplatform:index:Network").urn

Never a preview: in one, ids are None and applies do not run. `record` drains all work before it answers, so
tests assert in plain Python.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import inspect
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc
import pulumi
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime import resource, rpc, set_mocks, settings
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import resource_pb2, source_pb2
from pulumi.runtime.stack import run_pulumi_func

from tests.components import cloud_answers

REGION = cloud_answers.REGION
ACCOUNT = cloud_answers.ACCOUNT

T = TypeVar("T")
Answers = Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]
"""Function token (`aws:index/getRegion:getRegion`) -> its answer for the arguments it got."""
Computed = Mapping[str, Callable[[str, Mapping[str, Any]], Mapping[str, Any]]]
"""Resource type -> the outputs that the cloud computes, from logical name and inputs."""


@dataclass
class Registered:
    """One registration: properties are camelCase, references are URNs."""

    urn: str
    id: str
    """What the cloud answers as its id; empty for a component."""
    type: str
    name: str
    custom: bool
    parent: str
    inputs: dict[str, Any]
    state: dict[str, Any]
    protect: bool | None
    retain_on_delete: bool | None
    deleted_with: str
    depends_on: frozenset[str]
    """Every URN it waits for: `depends_on` and what its properties come from."""
    property_dependencies: dict[str, frozenset[str]]
    provider: str
    """`urn::id` of its provider, or empty."""
    providers: dict[str, str]
    ignore_changes: tuple[str, ...]
    replace_on_changes: tuple[str, ...]
    delete_before_replace: bool
    additional_secret_outputs: tuple[str, ...]
    aliases: tuple[str, ...]
    """Former URNs, or what is different in them: `name=cluster-admin type=...`."""
    import_id: str
    timeouts: dict[str, str]
    after_create: tuple[str, ...]
    """The hooks that the engine calls once it has created the resource."""
    outputs: dict[str, Any] | None = field(default=None)
    """What register_outputs got; None when it was never called."""

    @property
    def published(self) -> dict[str, Any]:
        """What register_outputs got."""
        assert self.outputs is not None, f"{self.name} has published nothing"
        return self.outputs


@dataclass(frozen=True)
class Call:
    """One function call of the program (`aws.get_region()`)."""

    token: str
    arguments: Mapping[str, Any]
    provider: str


class Recording:
    """What a program did. Lookups fail with a message that lists what there is.

    Resources are sorted by type and name: an engine gets registrations in the order in which their inputs are
    known, which a test must not rely on. What must come first is a dependency: see `depends`.
    """

    def __init__(self, resources: Sequence[Registered], calls: Sequence[Call], result: Any) -> None:
        self.resources = sorted(resources, key=lambda resource: (resource.type, resource.name))
        self.calls = list(calls)
        self.result = result
        """What the program returned: its component, usually."""
        self._by_urn = {resource.urn: resource for resource in resources}

    def __getitem__(self, urn: str) -> Registered:
        return self._by_urn[urn]

    def all(self, type_: str) -> list[Registered]:
        """All of a type, by name."""
        return [resource for resource in self.resources if resource.type == type_]

    def one(self, type_: str, name: str | None = None) -> Registered:
        """The only one of a type, or the one with this logical name."""
        result = [r for r in self.all(type_) if name is None or r.name == name]
        assert len(result) == 1, (
            f"expected one {type_} {name or ''}, got {[r.name for r in result]}; registered: {self.names()}"
        )
        return result[0]

    def named(self, name: str) -> Registered:
        """The only resource with this logical name, of whatever type."""
        result = [resource for resource in self.resources if resource.name == name]
        assert len(result) == 1, f"expected one {name}, got {result}; registered: {self.names()}"
        return result[0]

    def names(self) -> list[str]:
        """`type name` of everything, sorted: what a contract test compares."""
        return sorted(f"{resource.type} {resource.name}" for resource in self.resources)

    def depends(self, resource: Registered, on: Registered) -> bool:
        """Whether `resource` waits for `on`, directly or through others (children of components included)."""
        seen: set[str] = set()
        todo = set(resource.depends_on)
        while todo:
            urn = todo.pop()
            if urn == on.urn:
                return True
            if urn in seen or urn not in self._by_urn:
                continue
            seen.add(urn)
            todo |= self._by_urn[urn].depends_on
        return False


def record(
    program: Callable[[], Any],
    *,
    answers: Answers | None = None,
    computed: Computed | None = None,
    project: str = "ai-platform",
    stack: str = "test",
) -> Recording:
    """Run `program` against a recording engine, drain it, and return what it did. A program that returns a
    coroutine is awaited.

    `answers` and `computed` come before those of tests/components/cloud_answers.py.
    """
    recorder = monitor(answers=answers, computed=computed, project=project, stack=stack)
    # Thousands of short-lived futures and no cycles to speak of: collecting takes half of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        with _untraced():
            return _run(_record(program, recorder, project, stack))
    finally:
        if collecting:
            gc.enable()


def monitor(
    *,
    answers: Answers | None = None,
    computed: Computed | None = None,
    project: str = "ai-platform",
    stack: str = "test",
) -> Monitor:
    """The recording engine alone, for a program that registers from another process."""
    cloud = _Cloud(
        {**cloud_answers.FUNCTIONS, **(answers or {})}, {**cloud_answers.COMPUTED, **(computed or {})}
    )
    return Monitor(cloud, project, stack)


def _run(work: Coroutine[Any, Any, T]) -> T:
    # asyncio.run cancels what is left, for which it looks through the tasks of all loops that ever were: a
    # program that was refused leaves some, and they live as long as the process.
    loop = _Loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


class _Loop(asyncio.SelectorEventLoop):
    """A loop for a program whose engine is in its own process: it answers at once, without a thread."""

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        answer = self.create_future()
        try:
            answer.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whatever it is, who waits for the answer gets it
            answer.set_exception(error)
        return answer


@contextmanager
def _untraced() -> Iterator[None]:
    """No look for the lines of the program that register, which the engine alone shows."""
    traced = resource._get_stack_trace
    resource._get_stack_trace = source_pb2.StackTrace
    try:
        yield
    finally:
        resource._get_stack_trace = traced


async def _record(program: Callable[[], Any], monitor: Monitor, project: str, stack: str) -> Recording:
    settings.reset_options()
    set_mocks(monitor.mocks, project=project, stack=stack, preview=False, monitor=monitor)
    result: list[Any] = []

    async def run() -> None:
        returned = program()
        result.append(await returned if inspect.iscoroutine(returned) else returned)

    await run_pulumi_func(run)
    # Checked after the drain: an error inside a registration would leave others unfinished.
    assert not monitor.duplicates, f"duplicate URN, registered twice: {', '.join(monitor.duplicates)}"
    return Recording(list(monitor.recorded.values()), monitor.calls, result[0])


def value(output: Any) -> Any:
    """The plain value of an Output after `record` has drained."""
    if not isinstance(output, pulumi.Output):
        return output
    return _run(_value(output))


async def _value(output: pulumi.Output[Any]) -> Any:
    return await output.future()


class _Cloud(Mocks):
    def __init__(self, functions: Answers, computed: Computed) -> None:
        self.functions = functions
        self.computed = computed

    def call(self, args: MockCallArgs) -> dict[str, Any]:  # type: ignore[override]
        answer = self.functions.get(args.token)
        if answer is None:
            raise AssertionError(f"no answer for the function {args.token}; pass it to record(answers=...)")
        return dict(answer(args.args))

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        id_, before, after = self.made(args.typ, args.name, args.inputs)
        return id_, {**before, **args.inputs, **after}

    def made(
        self, type_: str, name: str, inputs: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """A resource's id, the outputs that its inputs come before, and those that come before its inputs."""
        digest = hashlib.sha256(f"{type_} {name}".encode()).hexdigest()
        created = self.computed.get(type_)
        outputs = dict(created(name, inputs)) if created else {}
        prefix = cloud_answers.ID_PREFIXES.get(type_)
        id_ = str(outputs.get("id") or (f"{prefix}-{digest[:17]}" if prefix else f"{name}-{digest[:8]}"))
        return id_, cloud_answers.common(type_, name, digest), outputs


class _RpcError(grpc.RpcError):
    """What a program gets of a provider that refuses a call."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self._message = message

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return self._message


class Monitor(MockMonitor):
    """A replacement of the engine. `recorded` has the registrations by URN.

    It answers in protobuf's own values: the mock monitor's way there is a coroutine, for which it would run
    the loop inside of itself, again for each request.
    """

    def __init__(self, cloud: _Cloud, project: str, stack: str) -> None:
        super().__init__(cloud)
        self._cloud = cloud
        self._place = (stack, project)
        self.recorded: dict[str, Registered] = {}
        self.calls: list[Call] = []
        self.duplicates: list[str] = []

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """A URN, without asking the settings of this thread."""
        if parent:
            type_ = f"{parent.split('::')[2].split('$')[-1]}${type_}"
        return "::".join([f"urn:pulumi:{self._place[0]}", self._place[1], type_, name])

    def Invoke(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        arguments = rpc.deserialize_properties(request.args)
        self.calls.append(Call(request.tok, arguments, request.provider))
        try:
            answer = self._cloud.call(MockCallArgs(request.tok, arguments, request.provider))
        except cloud_answers.RefusedError as error:
            raise _RpcError(str(error)) from error
        message: Any = {"return": _struct(answer)}  # a word of Python's
        return resource_pb2.ResourceInvokeResponse(**message)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=urn)
        if urn in self.recorded:
            self.duplicates.append(urn)
        inputs = rpc.deserialize_properties(request.object, keep_unknowns=False)
        id_, before, after = self._cloud.made(request.type, request.name, inputs)
        state = _struct(before)
        state.MergeFrom(request.object)
        state.update(after)
        self.recorded[urn] = _registered(request, urn, id_, inputs, {**before, **inputs, **after})
        return resource_pb2.RegisterResourceResponse(urn=urn, id=id_, object=state)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        if request.urn in self.recorded:
            already = self.recorded[request.urn].outputs is not None
            assert not already, f"{request.urn} calls register_outputs twice"
            self.recorded[request.urn].outputs = rpc.deserialize_properties(request.outputs)
        return empty_pb2.Empty()


def _struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    created = struct_pb2.Struct()
    created.update(dict(values))
    return created


def _alias(alias: Any) -> str:
    """A former URN, or the parts of it that differ."""
    if alias.urn:
        return alias.urn
    parts = ((listfield.name, value) for listfield, value in alias.spec.ListFields())
    return " ".join(f"{name}={value}" for name, value in parts if value)


def _registered(
    request: Any, urn: str, id_: str, inputs: dict[str, Any], state: dict[str, Any]
) -> Registered:
    return Registered(
        urn=urn,
        id=id_ if request.custom else "",
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent,
        inputs=inputs,
        state=state,
        protect=request.protect if request.HasField("protect") else None,
        retain_on_delete=request.retainOnDelete if request.HasField("retainOnDelete") else None,
        deleted_with=request.deletedWith,
        depends_on=frozenset(request.dependencies),
        property_dependencies={
            key: frozenset(entry.urns) for key, entry in request.propertyDependencies.items()
        },
        provider=request.provider,
        providers=dict(request.providers),
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        delete_before_replace=request.deleteBeforeReplace,
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        aliases=tuple(map(_alias, request.aliases)),
        import_id=request.importId,
        timeouts={
            key: getattr(request.customTimeouts, key)
            for key in ("create", "update", "delete")
            if getattr(request.customTimeouts, key)
        },
        after_create=tuple(request.hooks.after_create),
    )
