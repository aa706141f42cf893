"""The pack as the engine speaks to it: Pulumi's Analyzer protocol.

Served here and not by Pulumi's policy SDK, which gives a policy up at the first value that is not known yet
(docs/adr/0013).
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
from .judging import Court, Judged, Verdict
from .notes import Notes, Say, beginning, to_engine, to_stderr
from .policy import LEVELS, PROFILES, Level, Policy
from .resource import Resource, Stack
from .strictness import Exemption, Strictness, option_faults, read_exemptions, read_strictness
from .values import plain

NAME: Final = "ai-platform"
VERSION: Final = "0.1.0"
PAGE: Final = "docs/policies.md"
PACK: Final = "pack"
"""The key of the engine's configuration that is about the pack as a whole: `{"pack": {"profile": "dev"}}`."""
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
    """No policy changes anything by itself: what is wrong is mended in the program. So the pack has no
    Remediate, which the engine calls for every resource; gRPC's own answer, UNIMPLEMENTED, is none to it."""

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """gRPC asks here for the handler of each call."""
        if handler_call_details.method.endswith("/Remediate"):
            return None
        return continuation(handler_call_details)


class Pack(analyzer_pb2_grpc.AnalyzerServicer):
    """The Analyzer service."""

    def __init__(
        self,
        policies: Sequence[Policy],
        strictness: Strictness,
        exemptions: Sequence[Exemption],
        say: Say = to_stderr,
    ) -> None:
        self.court = Court(policies, strictness, exemptions)
        self._notes = Notes()
        self._say = say
        self._begun = ""
        """The last line that was said of how strict the pack is."""
        self._told: dict[str, proto.EnforcementLevel.ValueType] = {}
        """The levels that the engine was told, and sends back as if they were somebody's wish."""
        self._of_a_stack = False
        """Whether there is a stack to judge: who publishes the pack has none."""
        self._inputs: dict[str, Mapping[str, Any]] = {}
        """URN -> what the program says of a resource."""

    def Handshake(self, request: Any, context: Any) -> proto.AnalyzerHandshakeResponse:
        """Nothing to agree on."""
        return proto.AnalyzerHandshakeResponse()

    def ConfigureStack(
        self, request: proto.AnalyzerStackConfigureRequest, context: Any
    ) -> proto.AnalyzerStackConfigureResponse:
        """The stack's own configuration: an environment's file says its profile."""
        self._of_a_stack = True
        environment = _environment(request.config)
        profile = environment.get("profile")
        if profile in PROFILES:
            self.court = replace(self.court, profile=profile, origin=f"{SETTING} of the stack")
        self.court = replace(self.court, retiring=bool(environment.get("teardown")))
        return proto.AnalyzerStackConfigureResponse()

    def GetAnalyzerInfo(self, request: Any, context: Any) -> proto.AnalyzerInfo:
        """What policies there are."""
        info = proto.AnalyzerInfo(
            name=NAME, displayName="ai-platform guardrails", version=VERSION, supportsConfig=True
        )
        for policy in self.court.policies:
            self._told[policy.id] = self._wire_level(self.court.level(policy))
            info.policies.append(self._described(policy))
        info.policies.append(_of_the_pack())
        return info

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        """The pack's version."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def Configure(self, request: proto.ConfigureAnalyzerRequest, context: Any) -> empty_pb2.Empty:
        """The engine's configuration of the pack. Refused as a whole where any of it is not known."""
        faults = list(self._configured(request))
        if faults:
            told = "\n".join(f"  {fault}" for fault in faults)
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"the policy pack's configuration has {len(faults)} fault(s); nothing was judged\n{told}",
            )
        self._begin()
        return empty_pb2.Empty()

    def Analyze(self, request: proto.AnalyzeRequest, context: Any) -> proto.AnalyzeResponse:
        """Judge one resource."""
        self._begin()
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
        return self._answer(self.court.judge(resource))

    def AnalyzeStack(self, request: proto.AnalyzeStackRequest, context: Any) -> proto.AnalyzeResponse:
        """Judge the whole of a program."""
        self._begin()
        resources = [
            Resource(
                type=each.type,
                name=each.name,
                urn=each.urn,
                # While a provider waits for its configuration (Kubernetes for its cluster) a preview does not
                # ask it: all that is known is what the program says.
                props=plain(each.properties) or self._inputs.get(each.urn, {}),
                protect=each.options.protect,
                parent=each.parent,
                provider=plain(each.provider.properties),
                dependencies=tuple(each.dependencies),
                property_dependencies={
                    key: tuple(value.urns) for key, value in each.propertyDependencies.items()
                },
            )
            # The engine tells them in an order that is another in each run.
            for each in sorted(request.resources, key=lambda each: each.urn)
        ]
        answer = self._answer(self.court.judge_stack(Stack(resources)))
        answer.not_applicable.append(proto.PolicyNotApplicable(policy_name=PACK, reason="it judges nothing"))
        for line in self._notes.lines(len(resources)):
            self._say(line)
        return answer

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:
        """Nothing runs for long."""
        return empty_pb2.Empty()

    def _begin(self) -> None:
        """Say how strict the pack is, as soon as that is certain and before anything is judged by it: a run
        that breaks off has said it, too."""
        line = beginning(self.court)
        if line != self._begun:
            self._begun = line
            self._say(line)

    def _wire_level(self, level: Level) -> proto.EnforcementLevel.ValueType:
        """A level as the engine is told it, which sends it back where the configuration says none. That must
        not be taken for a wish: a level that this pack does not offer is nobody's. Those that hold stand in
        the verdicts."""
        return proto.REMEDIATE if self._of_a_stack else _LEVELS[level]

    def _described(self, policy: Policy) -> proto.PolicyInfo:
        described = proto.PolicyInfo(
            name=policy.id,
            displayName=policy.title,
            description=policy.description,
            enforcementLevel=self._told[policy.id],
            policy_type=proto.POLICY_TYPE_RESOURCE if policy.resource_rules else proto.POLICY_TYPE_STACK,
            severity=_SEVERITIES[policy.severity],
            tags=list(policy.frameworks),
            remediation_steps=policy.remediation,
            url=page(policy),
        )
        # No `default`: the engine would send it back as if it were somebody's wish, and a profile that the
        # configuration names would have the values of another.
        schema = {
            key: {
                **option.schema,
                "description": f"{option.meaning} {json.dumps(value)} where nothing is said.",
            }
            for key, option in policy.options.items()
            for value in [self.court.options_of(policy)[key]]
        }
        if schema:
            described.configSchema.properties.update(schema)
        return described

    def _configured(self, request: proto.ConfigureAnalyzerRequest) -> Sequence[str]:
        known = {policy.id: policy for policy in self.court.policies}
        faults: list[str] = []
        options: dict[str, dict[str, Any]] = {}
        said: dict[str, Level] = {}
        for name, config in request.policyConfig.items():
            given = cast("dict[str, Any]", _whole(json_format.MessageToDict(config.properties)))
            policy = known.get(name)
            if name == PACK:
                faults += self._as_a_whole(given)
            elif policy is None:
                faults.append(f"{name}: no policy of that name, expected one of {PAGE} or '{PACK}'")
            else:
                faults += option_faults(name, policy, given)
                options[name] = given
                if config.enforcementLevel != self._told.get(name):
                    said[name] = _level(config.enforcementLevel)
        if not faults:
            self.court = replace(self.court, overrides=said, options=options)
        return faults

    def _as_a_whole(self, given: Mapping[str, Any]) -> list[str]:
        faults = [f"{PACK}.{key}: unknown key, expected profile" for key in given if key != "profile"]
        profile = given.get("profile")
        if profile in PROFILES:
            self.court = replace(self.court, profile=profile, origin="the pack's configuration")
        elif profile is not None:
            faults.append(f"{PACK}.profile: got {profile!r}, expected one of {', '.join(PROFILES)}")
        return faults

    def _answer(self, judged: Judged) -> proto.AnalyzeResponse:
        response = proto.AnalyzeResponse()
        # The engine counts as passed what has neither failed nor is named here.
        for policy in self.court.disabled:
            response.not_applicable.append(_left_alone(policy, "disabled"))
        for verdict in judged.verdicts:
            if verdict.exempt is None:
                response.diagnostics.append(_diagnostic(verdict))
            else:
                self._notes.exempt.append(verdict)
                reason = f"{verdict.name}: exempt until {verdict.exempt.expires}: {verdict.exempt.reason}"
                response.not_applicable.append(_left_alone(verdict.policy, reason))
        for policy, path in judged.undecided:
            self._notes.undecided[policy.id] += 1
            response.not_applicable.append(_left_alone(policy, f"{path} is known only at `up`"))
        return response


def _of_the_pack() -> proto.PolicyInfo:
    """What is said of the pack as a whole, in the form of a policy: the engine takes configuration for
    policies alone. It judges nothing."""
    told = proto.PolicyInfo(
        name=PACK,
        displayName="The pack as a whole",
        description="Configuration of the pack as a whole; it judges nothing itself.",
        enforcementLevel=proto.MANDATORY,
        policy_type=proto.POLICY_TYPE_STACK,
    )
    profile = {"type": "string", "enum": list(PROFILES), "description": "How strict the pack is."}
    told.configSchema.properties.update({"profile": profile})
    return told


def _left_alone(policy: Policy, reason: str) -> proto.PolicyNotApplicable:
    return proto.PolicyNotApplicable(policy_name=policy.id, reason=reason)


def _diagnostic(verdict: Verdict) -> proto.AnalyzeDiagnostic:
    policy = verdict.policy
    where = f"{verdict.path}: " if verdict.path else ""
    mend = "" if verdict.failed else f"\nTo mend it: {policy.remediation} ({page(policy)})"
    return proto.AnalyzeDiagnostic(
        policyName=policy.id,
        policyPackName=NAME,
        policyPackVersion=VERSION,
        description=policy.title,
        message=f"{where}{verdict.problem}{mend}",
        enforcementLevel=_LEVELS[verdict.level],
        urn=verdict.urn,
        severity=_SEVERITIES[policy.severity],
    )


def page(policy: Policy) -> str:
    """Where a policy is explained."""
    return f"{PAGE}#{policy.id.replace('.', '')}"


def _level(value: int) -> Level:
    for level in LEVELS:
        if _LEVELS[level] == value:
            return level
    # `remediate`: no policy changes anything by itself, so it stops what it would have mended.
    return "mandatory"


def _environment(config: Mapping[str, str]) -> Mapping[str, Any]:
    """What the stack's configuration says of its environment; nothing in another project's."""
    try:
        environment = json.loads(config.get(SETTING, "{}"))
    except ValueError:
        return {}
    return cast("dict[str, Any]", environment) if isinstance(environment, dict) else {}


def _whole(value: Any) -> Any:
    """Numbers of protobuf are all floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole(entry) for entry in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: _whole(entry) for key, entry in cast("dict[str, Any]", value).items()}
    return value


def serve(policies: Sequence[Policy], today: datetime.date, engine: str | None = None) -> int:
    """Serve the pack until the engine ends it. Returns the exit code; faults of the pack go to stderr.

    engine: the address at which the engine serves, which is told what the pack says; without it stderr is.
    """
    try:
        strictness = read_strictness(policies)
        exemptions = read_exemptions(policies, today)
    except PackError as error:
        sys.stderr.write(f"the policy pack cannot be used; nothing was judged\n{error}\n")
        return 1
    # One call at a time: judging holds the interpreter for itself anyway, and no two calls meet at the notes.
    workers = futures.ThreadPoolExecutor(max_workers=1)
    server = grpc.server(workers, interceptors=[NoRemedies()], options=_CHANNEL)
    pack = Pack(policies, strictness, exemptions, to_engine(engine) if engine else to_stderr)
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(pack, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    threading.Event().wait()
    return 0
