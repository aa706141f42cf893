"""The server of the pack: Pulumi's Analyzer protocol.

Pulumi's policy SDK is not used: it abandons a policy at the first unknown value (docs/adr/0013).
"""

from __future__ import annotations

import datetime
import json
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent import futures
from dataclasses import replace
from typing import Any, Final, cast

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi.runtime.proto import analyzer_pb2_grpc, plugin_pb2

from .discovery import PackError
from .enforcement import (
    Enforcement,
    Exemption,
    option_problems,
    read_enforcement,
    read_exemptions,
    unknown_policy,
)
from .evaluation import Diagnostic, Evaluation, Evaluator
from .policy import LEVELS, PROFILES, Level, Policy
from .resource import Resource, Stack
from .run_log import Log, Summary, opening_line, to_engine, to_stderr
from .values import plain

NAME: Final = "ai-platform"
VERSION: Final = "0.1.0"
PAGES: Final = "docs/policies"
"""The folder of the policies' pages."""
PACK: Final = "pack"
"""The key of the engine's configuration for the pack as a whole: `{"pack": {"profile": "dev"}}`."""
ALL: Final = "all"
"""The key for the level of every policy: `{"all": "advisory"}`. The engine sets the level of each policy, and
sends the key as if it were one."""
SETTING: Final = "ai-platform:environment"
_LEVELS: Final[Mapping[Level, proto.EnforcementLevel.ValueType]] = {
    "advisory": proto.ADVISORY,
    "mandatory": proto.MANDATORY,
    "disabled": proto.DISABLED,
}
_SEVERITIES: Final = {
    "low": proto.POLICY_SEVERITY_LOW,
    "medium": proto.POLICY_SEVERITY_MEDIUM,
    "high": proto.POLICY_SEVERITY_HIGH,
    "critical": proto.POLICY_SEVERITY_CRITICAL,
}
# A stack's resources in one message can be large: the engine sets no limit either.
_CHANNEL: Final = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


class NoRemedies(grpc.ServerInterceptor):
    """Leaves Remediate, which the engine calls for every resource, unimplemented: no policy changes a
    resource, violations are fixed in the program. The engine accepts gRPC's UNIMPLEMENTED."""

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Return the handler of a call."""
        if handler_call_details.method.endswith("/Remediate"):
            return None
        return continuation(handler_call_details)


class Pack(analyzer_pb2_grpc.AnalyzerServicer):
    """The Analyzer service."""

    def __init__(
        self,
        policies: Sequence[Policy],
        enforcement: Enforcement,
        exemptions: Sequence[Exemption],
        log: Log = to_stderr,
    ) -> None:
        self.evaluator = Evaluator(policies, enforcement, exemptions)
        self._summary = Summary()
        self._log = log
        self._logged_opening = ""
        """The opening line that was logged last."""
        self._sent_levels: dict[str, proto.EnforcementLevel.ValueType] = {}
        """The levels that were sent to the engine. It sends them back as if they were configured."""
        self._has_stack = False
        """Whether there is a stack; when the pack is published there is none."""
        self._inputs: dict[str, Mapping[str, Any]] = {}
        """URN -> the inputs of a resource."""

    def Handshake(self, request: Any, context: Any) -> proto.AnalyzerHandshakeResponse:
        """Negotiate nothing."""
        return proto.AnalyzerHandshakeResponse()

    def ConfigureStack(
        self, request: proto.AnalyzerStackConfigureRequest, context: Any
    ) -> proto.AnalyzerStackConfigureResponse:
        """Read the profile from the stack's configuration."""
        self._has_stack = True
        environment = _environment(request.config)
        profile = environment.get("profile")
        if profile in PROFILES:
            self.evaluator = replace(self.evaluator, profile=profile, origin=f"{SETTING} of the stack")
        self.evaluator = replace(self.evaluator, teardown=bool(environment.get("teardown")))
        return proto.AnalyzerStackConfigureResponse()

    def GetAnalyzerInfo(self, request: Any, context: Any) -> proto.AnalyzerInfo:
        """Describe the policies."""
        info = proto.AnalyzerInfo(
            name=NAME, displayName="ai-platform guardrails", version=VERSION, supportsConfig=True
        )
        for policy in self.evaluator.policies:
            self._sent_levels[policy.id] = self._level_to_send(self.evaluator.level(policy))
            info.policies.append(self._policy_info(policy))
        info.policies.append(_pack_info())
        return info

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        """Return the version of the pack."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def Configure(self, request: proto.ConfigureAnalyzerRequest, context: Any) -> empty_pb2.Empty:
        """Apply the engine's configuration of the pack. A configuration with any problem is rejected."""
        problems = list(self._configure(request))
        if problems:
            lines = "\n".join(f"  {problem}" for problem in problems)
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"invalid configuration of the policy pack; no policy was evaluated\n{lines}",
            )
        self._log_opening()
        return empty_pb2.Empty()

    def Analyze(self, request: proto.AnalyzeRequest, context: Any) -> proto.AnalyzeResponse:
        """Evaluate one resource."""
        self._log_opening()
        options = request.options
        props = self._inputs[request.urn] = plain(request.properties)
        resource = Resource(
            type=request.type,
            name=request.name,
            urn=request.urn,
            props=props,
            protect=options.protect,
            parent=options.parent,
            provider=plain(request.provider.properties),
        )
        return self._response(self.evaluator.evaluate(resource))

    def AnalyzeStack(self, request: proto.AnalyzeStackRequest, context: Any) -> proto.AnalyzeResponse:
        """Evaluate a whole program."""
        self._log_opening()
        # The engine sends them in an order that differs from run to run.
        resources = [
            self._resource(state) for state in sorted(request.resources, key=lambda state: state.urn)
        ]
        response = self._response(self.evaluator.evaluate_stack(Stack(resources)))
        response.not_applicable.append(
            proto.PolicyNotApplicable(policy_name=PACK, reason="it is configuration, not a policy")
        )
        for line in self._summary.lines(resources, self.evaluator):
            self._log(line)
        return response

    def _resource(self, state: proto.AnalyzerResource) -> Resource:
        return Resource(
            type=state.type,
            name=state.name,
            urn=state.urn,
            # While a provider waits for its configuration (Kubernetes for its cluster) a preview does not
            # call it: only the inputs are known.
            props=plain(state.properties) or self._inputs.get(state.urn, {}),
            protect=state.options.protect,
            parent=state.parent,
            provider=plain(state.provider.properties),
            dependencies=tuple(state.dependencies),
            property_dependencies={
                key: tuple(value.urns) for key, value in state.propertyDependencies.items()
            },
        )

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:
        """Do nothing: no call takes long."""
        return empty_pb2.Empty()

    def _log_opening(self) -> None:
        """Log the profile as soon as it is certain and before the first evaluation, so that it is also in the
        log of a run that is aborted."""
        line = opening_line(self.evaluator)
        if line != self._logged_opening:
            self._logged_opening = line
            self._log(line)

    def _level_to_send(self, level: Level) -> proto.EnforcementLevel.ValueType:
        """Return the level to send to the engine, which sends it back where its configuration has none. To
        distinguish the two, the level for a stack is one that this pack does not offer; diagnostics carry
        the level that applies."""
        return proto.REMEDIATE if self._has_stack else _LEVELS[level]

    def _policy_info(self, policy: Policy) -> proto.PolicyInfo:
        info = proto.PolicyInfo(
            name=policy.id,
            displayName=policy.title,
            description=policy.description,
            enforcementLevel=self._sent_levels[policy.id],
            policy_type=proto.POLICY_TYPE_RESOURCE if policy.resource_rules else proto.POLICY_TYPE_STACK,
            severity=_SEVERITIES[policy.severity],
            tags=list(policy.frameworks),
            remediation_steps=policy.remediation,
            url=page(policy),
        )
        # No `default`: the engine would send it back as if it were configured, and a profile that the
        # configuration names would get the values of another one.
        schema = {
            key: {
                **option.schema,
                "description": f"{option.meaning} Default: {json.dumps(value)}.",
            }
            for key, option in policy.options.items()
            for value in [self.evaluator.options_of(policy)[key]]
        }
        if schema:
            info.configSchema.properties.update(schema)
        return info

    def _configure(self, request: proto.ConfigureAnalyzerRequest) -> Sequence[str]:
        """Apply a configuration, or return its problems."""
        known = {policy.id: policy for policy in self.evaluator.policies}
        problems: list[str] = []
        options: dict[str, dict[str, Any]] = {}
        levels: dict[str, Level] = {}
        for name, config in request.policyConfig.items():
            configured = cast("dict[str, Any]", _integers(json_format.MessageToDict(config.properties)))
            policy = known.get(name)
            if name == PACK:
                problems += self._configure_pack(configured)
            elif name == ALL:
                problems += [f"{ALL}.{key}: unknown key; expected enforcementLevel" for key in configured]
            elif policy is None:
                problems.append(f"{name}: {unknown_policy(name, [*known, PACK])}")
            else:
                problems += option_problems(name, policy, configured)
                options[name] = configured
                if config.enforcementLevel != self._sent_levels.get(name):
                    levels[name] = _level(config.enforcementLevel)
        if not problems:
            self.evaluator = replace(self.evaluator, overrides=levels, options=options)
        return problems

    def _configure_pack(self, configured: Mapping[str, Any]) -> list[str]:
        problems = [f"{PACK}.{key}: unknown key; expected profile" for key in configured if key != "profile"]
        profile = configured.get("profile")
        if profile in PROFILES:
            self.evaluator = replace(self.evaluator, profile=profile, origin="the pack's configuration")
        elif profile is not None:
            problems.append(f"{PACK}.profile: got {profile!r}; expected one of {', '.join(PROFILES)}")
        return problems

    def _response(self, evaluation: Evaluation) -> proto.AnalyzeResponse:
        response = proto.AnalyzeResponse()
        # The engine counts a policy as passed that has neither failed nor is listed here.
        for policy in self.evaluator.disabled:
            response.not_applicable.append(_not_applicable(policy, "disabled"))
        for diagnostic in evaluation.diagnostics:
            exempt = diagnostic.exempt
            if exempt is None:
                response.diagnostics.append(_diagnostic(diagnostic))
            else:
                self._summary.exempt.append(diagnostic)
                reason = f"{diagnostic.name}: exempt until {exempt.expires}: {exempt.reason}"
                response.not_applicable.append(_not_applicable(diagnostic.policy, reason))
        for policy, path in evaluation.deferred:
            self._summary.deferred[policy.id] += 1
            response.not_applicable.append(_not_applicable(policy, f"{path} is known only at `up`"))
        return response


def _pack_info() -> proto.PolicyInfo:
    """Return the description of the pack's own configuration, in the form of a policy: the engine accepts
    configuration only for policies."""
    info = proto.PolicyInfo(
        name=PACK,
        displayName="The pack as a whole",
        description="Configuration of the pack as a whole; not a policy.",
        enforcementLevel=proto.MANDATORY,
        policy_type=proto.POLICY_TYPE_STACK,
    )
    profile = {
        "type": "string",
        "enum": list(PROFILES),
        "description": "The profile of the enforcement levels.",
    }
    info.configSchema.properties.update({"profile": profile})
    return info


def _not_applicable(policy: Policy, reason: str) -> proto.PolicyNotApplicable:
    return proto.PolicyNotApplicable(policy_name=policy.id, reason=reason)


def _diagnostic(diagnostic: Diagnostic) -> proto.AnalyzeDiagnostic:
    policy = diagnostic.policy
    where = f"{diagnostic.path}: " if diagnostic.path else ""
    fix = "" if diagnostic.failed else f"\nTo fix it: {policy.remediation} ({page(policy)})"
    return proto.AnalyzeDiagnostic(
        policyName=policy.id,
        policyPackName=NAME,
        policyPackVersion=VERSION,
        description=policy.title,
        message=f"{where}{diagnostic.problem}{fix}",
        enforcementLevel=_LEVELS[diagnostic.level],
        urn=diagnostic.urn,
        severity=_SEVERITIES[policy.severity],
    )


def page(policy: Policy) -> str:
    """Return where a policy is documented."""
    return f"{PAGES}/{policy.id.replace('.', '/')}.md"


def _level(value: int) -> Level:
    for level in LEVELS:
        if _LEVELS[level] == value:
            return level
    # `remediate`: no policy changes a resource, so the level stops the update instead.
    return "mandatory"


def _environment(config: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the environment in the stack's configuration; an empty one in other projects."""
    try:
        environment = json.loads(config.get(SETTING, "{}"))
    except ValueError:
        return {}
    return cast("dict[str, Any]", environment) if isinstance(environment, dict) else {}


def _integers(value: Any) -> Any:
    """Convert whole numbers to integers; in protobuf all numbers are floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_integers(entry) for entry in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: _integers(entry) for key, entry in cast("dict[str, Any]", value).items()}
    return value


def serve(policies: Sequence[Policy], today: datetime.date, engine: str | None = None) -> int:
    """Serve the pack until the engine ends the process. Returns an exit code where the pack is invalid; the
    problems are on stderr.

    engine: the address of the engine, to whose log the pack writes; without it to stderr.
    """
    try:
        enforcement = read_enforcement(policies)
        exemptions = read_exemptions(policies, today)
    except PackError as error:
        sys.stderr.write(f"the policy pack is invalid; no policy was evaluated\n{error}\n")
        return 1
    # One call at a time: evaluation is bound to the interpreter, and the summary needs no lock.
    workers = futures.ThreadPoolExecutor(max_workers=1)
    server = grpc.server(workers, interceptors=[NoRemedies()], options=_CHANNEL)
    pack = Pack(policies, enforcement, exemptions, to_engine(engine) if engine else to_stderr)
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(pack, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    threading.Event().wait()
    return 0
