"""A Pulumi provider over a `Cloud` (twin/provider_interface.py): the gRPC service that the engine speaks to.

`serve(cloud)` prints its port, as the engine expects, and answers until it is stopped or the engine
dies. Everything about one cloud comes through the contract; nothing here names AWS or Google Cloud.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from twin.checks.check import check
from twin.checks.package_schema import schema_text
from twin.checks.sdk import ResourceSchema, sdk
from twin.core import autonaming, configuration
from twin.core.backoff import logged_waits
from twin.core.diff import compare
from twin.core.drift import inputs_now
from twin.core.engine import Engine
from twin.core.grpc_errors import Refused, Unfinished, guarded, secret_outputs
from twin.core.grpc_messages import (
    KIND,
    MODES,
    asked_before,
    complete,
    diff_response,
    failures_of,
    logical,
    token_of,
)
from twin.core.lifecycle import Lifecycle, unanswered
from twin.core.preview_outputs import with_nested
from twin.core.serving import run
from twin.instances import Instance, load
from twin.property_values import Path_, compact, has_unknown, marshal, unmarshal
from twin.provider_interface import CANCELLED, UNKNOWN, Cloud, Context, Failure, Props, ResourceType
from twin.state_files import StateFileError
from twin.store import Store
from twin.toolchain.cache import cache_dir


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """The service of one provider resource: the engine starts a process for each."""

    def __init__(self, cloud: Cloud, store: Store, *, elsewhere: str = "") -> None:
        """elsewhere: why this cloud is not to be had in this twin; a configuration is refused with it."""
        self.cloud = cloud
        self._elsewhere = elsewhere
        self.store = store
        self.engine = Engine()
        self.sdk = sdk(cloud.sdk)
        self._context: Context | None = None
        self._config: Props = {}

    # ---- the provider itself

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Say what this provider understands."""
        self.engine.connect(request.engine_address)
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True,
            accept_resources=False,
            accept_outputs=False,
            supports_autonaming_configuration=True,
        )

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Use the engine at this address (when the provider was started by hand, to be debugged)."""
        self.engine.connect(request.address)
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The SDK's version: what the programs were written against."""
        return plugin_pb2.PluginInfo(version=self.sdk.version)

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Return the schema of the SDK's version, for programs in a language without an SDK, such as YAML."""
        text = schema_text(self.cloud.sdk, cache_dir() / "schemas")
        return provider_pb2.GetSchemaResponse(schema=text)

    @guarded
    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Validate the provider's configuration; answered as it came, unknowns and all."""
        config = configuration.decode(self.sdk, unmarshal(request.news).props)
        return provider_pb2.CheckResponse(
            inputs=request.news, failures=failures_of(configuration.errors(self.cloud, self.sdk, config))
        )

    @guarded
    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """A provider for another place or account replaces all of its resources; else it is updated."""
        before = request.old_inputs if request.HasField("old_inputs") else request.olds
        old = configuration.decode(self.sdk, unmarshal(before).props)
        new = configuration.decode(self.sdk, unmarshal(request.news).props)
        changed = configuration.changed(old, new)
        # What is not known yet may well be the same: a preview shows an update, not a replacement of all.
        replaces = [key for key in self.cloud.moves(old, new) if not has_unknown(new.get(key))]
        detail = {
            key: KIND(kind=KIND.UPDATE_REPLACE if key in replaces else KIND.UPDATE, inputDiff=True)
            for key in changed
        }
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=changed,
            replaces=replaces,
            detailedDiff=detail,
            hasDetailedDiff=True,
        )

    @guarded
    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Take the configuration. With a value unknown in it (a preview), the cloud is not asked."""
        config = configuration.decode(self.sdk, unmarshal(request.args).props)
        if self._elsewhere:
            raise Refused(self._elsewhere)
        if not has_unknown(config):
            self._context = self.cloud.configure(config)
            self._config = config
        if gc.isenabled():  # where it is off, as in tests, nothing walks what there is
            gc.collect()
            gc.freeze()  # what is loaded by now stays: the collector need not walk it again
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True,
            supportsPreview=True,
            acceptResources=False,
            acceptOutputs=False,
            supports_autonaming_configuration=True,
        )

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        """End whatever waits; what was begun is resumed by the next run."""
        CANCELLED.set()
        return empty_pb2.Empty()

    # ---- resources

    @guarded
    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Validate inputs: by the SDK's types, then by the table; fill in defaults and the name."""
        token = token_of(request.urn)
        schema = self._schema(token)
        if isinstance(schema, Failure):
            return provider_pb2.CheckResponse(inputs=request.news, failures=failures_of([schema]))
        values = unmarshal(request.news)
        olds = unmarshal(request.olds).props or unanswered(self.store, request.urn)
        inputs = compact(values.props)
        type = self.cloud.resource(token)
        failures = [*self._fill(type, inputs, olds, request)] if type else []
        known = compact(inputs)
        failures += check(self.sdk, token, schema.inputs, known)
        if type and self._context and not failures:
            failures += type.check(self._context, known)
        return provider_pb2.CheckResponse(
            inputs=marshal(inputs, values.secrets), failures=failures_of(failures)
        )

    def _fill(self, type: ResourceType, inputs: Props, olds: Props, request: Any) -> list[Failure]:
        before = set(inputs)
        for key, value in type.defaults.items():
            if inputs.get(key) is None:
                inputs[key] = value
        failure = None
        if type.autoname:
            naming = autonaming.Naming()
            if request.HasField("autonaming"):
                naming = autonaming.Naming(MODES[request.autonaming.mode], request.autonaming.proposed_name)
            failure = autonaming.fill(
                type.autoname, inputs, olds, logical(request.urn), request.randomSeed, naming
            )
        inputs[autonaming.DEFAULTS_KEY] = sorted(set(inputs) - before)
        return [failure] if failure else []

    @guarded
    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Compare old and new inputs, property by property."""
        token = token_of(request.urn)
        self.store.mention(request.urn, token, request.id)
        state = unmarshal(request.olds).props
        old = unmarshal(request.old_inputs).props if request.HasField("old_inputs") else state
        new = unmarshal(request.news).props
        values = compact(new)
        difference = compare(
            self.cloud.resource(token),
            compact(old),
            state,
            values,
            planned=self._prepared(token, values),
            defaulted=new.get(autonaming.DEFAULTS_KEY) or (),
            ignored=request.ignoreChanges,
        )
        return diff_response(difference)

    @guarded
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Make a resource, or adopt what an interrupted run made of it."""
        token = token_of(request.urn)
        values = unmarshal(request.properties)
        schema = self._known(token)
        type = self.cloud.resource(token)
        if request.preview:
            if type is None:
                self._warn(token, "checked by the SDK's types alone", request.urn)
            outputs = self._foreseen(token, schema, type, compact(values.props))
            return provider_pb2.CreateResponse(properties=self._marshal(type, outputs, values.secrets))
        type, configured = self._entry(token), self._configured(request.timeout)
        inputs = self._prepared(token, values.props)
        with logged_waits("create", request.urn):
            id, outputs = Lifecycle(self.store, type, configured, self._config).create(request.urn, inputs)
        whole = complete(schema, compact(inputs), outputs)
        return provider_pb2.CreateResponse(id=id, properties=self._marshal(type, whole, values.secrets))

    @guarded
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        """What the cloud has now, for a refresh, an import or a `.get()`; an empty id where it is gone."""
        token = token_of(request.urn)
        self.store.mention(request.urn, token, request.id)
        schema, type = self._known(token), self._entry(token)
        before, old = unmarshal(request.properties), unmarshal(request.inputs)
        now = type.read(self._configured(request.timeout), request.id, before.props)
        if now is None:
            return provider_pb2.ReadResponse()
        inputs = inputs_now(self.sdk, type, schema.inputs, old.props, before.props, now)
        # An import may name the resource in another way than its own id.
        id = now["id"] if isinstance(now.get("id"), str) and "id" not in schema.outputs else request.id
        secrets = before.secrets | old.secrets
        properties = self._marshal(type, complete(schema, {}, now), secrets)
        known = marshal(inputs, secret_outputs(old.secrets, (), inputs))
        if old.props and (reason := self.store.unfinished(token, request.id)):
            raise Unfinished(reason, id, properties, known)
        return provider_pb2.ReadResponse(id=id, properties=properties, inputs=known)

    @guarded
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Change a resource in place."""
        token = token_of(request.urn)
        self.store.mention(request.urn, token, request.id)
        schema, type = self._known(token), self._entry(token)
        olds, news = unmarshal(request.olds), unmarshal(request.news)
        if request.preview:
            known = {k: v for k, v in olds.props.items() if k in news.props or k not in asked_before(request)}
            changing = dict.fromkeys(type.volatile, UNKNOWN)
            planned = self._prepared(token, compact(news.props))
            outputs = {**known, **with_nested(planned, type.nested_computed, olds.props), **changing}
        else:
            inputs = self._prepared(token, news.props)
            changed = Lifecycle(self.store, type, self._configured(request.timeout)).update(
                request.id, olds.props, inputs
            )
            outputs = complete(schema, compact(inputs), changed)
        secrets = olds.secrets | news.secrets
        return provider_pb2.UpdateResponse(properties=self._marshal(type, outputs, secrets))

    @guarded
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Delete a resource; one that is gone already is no error."""
        token = token_of(request.urn)
        self.store.mention(request.urn, token, request.id)
        state = unmarshal(request.properties).props
        with logged_waits("delete", request.urn):
            Lifecycle(self.store, self._entry(token), self._configured(request.timeout)).delete(
                request.id, state
            )
        return empty_pb2.Empty()

    # ---- functions

    @guarded
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Answer a function (`aws.get_...`)."""
        values = unmarshal(request.args)
        arguments = compact(values.props)
        schema = self.sdk.function(request.tok)
        if schema is None:
            raise Refused(f"{self.sdk.package} {self.sdk.version} has no function {request.tok}")
        failures = check(self.sdk, request.tok, schema.arguments, arguments)
        if failures:
            return provider_pb2.InvokeResponse(failures=failures_of(failures))
        function = self.cloud.function(request.tok)
        preview = request.preview
        if function is None and not preview:
            raise Refused(self._missing(request.tok, "and cannot be answered"))
        if function is None:
            self._warn(request.tok, "its result stays unknown in a preview")
        if function is None or has_unknown(arguments) or (preview and self._context is None):
            result: Props = dict.fromkeys(schema.result, UNKNOWN)
        else:
            answer = function.invoke(self._configured(), arguments)
            result = {**dict.fromkeys(schema.result), **answer}
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(marshal(result))
        return response

    def Call(self, request: Any, context: grpc.ServicerContext) -> Any:
        """No resource of these SDKs has methods."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the twin answers no method {request.tok}")

    # ---- helpers

    def completed(self, request: Any, outputs: Props) -> Props:
        """All outputs of the resource of a Create or an Update, for one that failed midway."""
        inputs = request.properties if isinstance(request, provider_pb2.CreateRequest) else request.news
        return complete(self._known(token_of(request.urn)), compact(unmarshal(inputs).props), outputs)

    def _schema(self, token: str) -> ResourceSchema | Failure:
        schema = self.sdk.resource(token)
        if schema:
            return schema
        near = self.sdk.nearest(token)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        return Failure("", f"{self.sdk.package} {self.sdk.version} has no resource type {token}{hint}")

    def _known(self, token: str) -> ResourceSchema:
        schema = self._schema(token)
        if isinstance(schema, Failure):
            raise Refused(schema.reason)
        return schema

    def _entry(self, token: str) -> ResourceType:
        type = self.cloud.resource(token)
        if type is None:
            raise Refused(self._missing(token, "and cannot be created, changed or deleted here"))
        return type

    def _missing(self, token: str, consequence: str) -> str:
        return f"the twin has no entry for {token}: {consequence}; add it to {self.cloud.where_to_add(token)}"

    def _warn(self, token: str, consequence: str, urn: str = "") -> None:
        self.engine.warn_once(token, self._missing(token, consequence), urn)

    def _configured(self, timeout: float = 0) -> Context:
        if self._context is None:
            raise Refused(f"the {self.cloud.name} provider is not configured: a value of it is unknown")
        return self._context.with_timeout(timeout) if timeout else self._context

    def _prepared(self, token: str, inputs: Props) -> Props:
        if self._context is None or self.cloud.resource(token) is None:
            return inputs
        return self.cloud.prepare(self._context, token, inputs)

    def _foreseen(
        self, token: str, schema: ResourceSchema, type: ResourceType | None, inputs: Props
    ) -> Props:
        """What a preview shows of a resource to be made; UNKNOWN where only the cloud knows."""
        planned = self._prepared(token, inputs)
        computed = type.computed if type else frozenset[str]()
        unknown = {
            name: UNKNOWN
            for name in schema.outputs
            if name not in planned and (name not in schema.inputs or name in computed)
        }
        return {**with_nested(planned, type.nested_computed if type else ()), **unknown}

    def _marshal(self, type: ResourceType | None, outputs: Props, secrets: Iterable[Path_]) -> Any:
        declared = type.secrets if type else ()
        visible = {key: value for key, value in outputs.items() if key != autonaming.DEFAULTS_KEY}
        return marshal(visible, secret_outputs(secrets, declared, visible))


def serve(cloud: Cloud, instance: Instance | None = None) -> None:
    """Serve until SIGTERM, or until the engine that started this process is gone.

    instance: whose store is used; by default the one that AIPLATFORM_TWIN names.
    """
    name = os.environ.get("AIPLATFORM_TWIN", "")
    instance = instance or (load(name) if name else None)
    if instance is None:
        raise SystemExit(
            f"this is the twin's own {cloud.name} provider, and AIPLATFORM_TWIN names no twin ({name!r}): "
            "run Pulumi by `aiplatform twin run -- pulumi ...`"
        )
    elsewhere = (
        ""
        if instance.cloud == cloud.name
        else f"the twin {instance.name!r} is of {instance.cloud} and holds no {cloud.name}: "
        "a program that uses it "
        f"needs a separate twin, `aiplatform twin start --name <another> --cloud {cloud.name}`"
    )
    try:
        store = Store(instance.store)
    except StateFileError as error:
        raise SystemExit(str(error)) from error
    provider = Provider(cloud, store, elsewhere=elsewhere)
    run(provider, instance.logs / f"provider-{cloud.name}.log")
