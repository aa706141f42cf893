"""The pack as the engine speaks to it."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest
from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import analyzer_pb2 as proto

from policies.pack.policy import Policy
from policies.pack.server import PACK, SETTING, Pack
from policies.pack.strictness import Exemption, Strictness
from tests.policies.test_pack import BY_SEVERITY, LEAST, TODAY, policy


class AbortedError(Exception):
    """What gRPC does with an aborted call."""


class Context:
    def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise AbortedError(details)


def pack(*policies: Policy, exemptions: Any = ()) -> Pack:
    made = Pack(policies or (policy(options=LEAST),), BY_SEVERITY, exemptions)
    made.GetAnalyzerInfo(None, None)
    return made


def in_profile(made: Pack, profile: str, **more: Any) -> None:
    config = {SETTING: json.dumps({"profile": profile, **more})}
    made.ConfigureStack(proto.AnalyzerStackConfigureRequest(stack="s", config=config), None)


def configure(made: Pack, **config: Any) -> None:
    request = proto.ConfigureAnalyzerRequest()
    for name, given in config.items():
        entry = request.policyConfig[name.replace("__", ".")]
        level = given.pop("level", None)
        if level is not None:
            entry.enforcementLevel = level
        entry.properties.update(given)
    made.Configure(request, Context())


def analyze(made: Pack, **props: Any) -> proto.AnalyzeResponse:
    struct = struct_pb2.Struct()
    json_format.ParseDict(props, struct)
    return made.Analyze(
        proto.AnalyzeRequest(type="aws:s3/bucket:Bucket", name="data", urn="urn:data", properties=struct),
        None,
    )


def test_a_fault_says_where_it_is_what_is_wrong_and_how_to_mend_it() -> None:
    [told] = analyze(pack(), bucket="acme").diagnostics
    assert told.policyName == "data.name_buckets"
    assert told.enforcementLevel == proto.MANDATORY, "nothing says a profile, so it is prod's"
    assert told.severity == proto.POLICY_SEVERITY_HIGH
    assert told.message.splitlines() == [
        "bucket: got 'acme'",
        "To mend it: Name it. (docs/policies.md#dataname_buckets)",
    ]


def test_the_stack_s_own_setting_tells_the_profile() -> None:
    made = pack()
    in_profile(made, "dev")
    [told] = analyze(made, bucket="acme").diagnostics
    assert told.enforcementLevel == proto.ADVISORY


def test_what_an_environment_lifts_to_go_is_told_and_does_not_stop_it() -> None:
    made = pack(policy(retiring=True))
    in_profile(made, "prod")
    [told] = analyze(made, bucket="acme").diagnostics
    assert told.enforcementLevel == proto.MANDATORY
    in_profile(made, "prod", teardown="with_data")
    [told] = analyze(made, bucket="acme").diagnostics
    assert told.enforcementLevel == proto.ADVISORY


def test_the_pack_s_configuration_tells_it_before_the_stack_does() -> None:
    made = pack()
    in_profile(made, "prod")
    made.GetAnalyzerInfo(None, None)
    # The engine sends back what it was told, as if it were somebody's wish.
    configure(
        made, **{PACK: {"profile": "dev"}, "data__name_buckets": {"level": proto.REMEDIATE, "least": 10}}
    )
    [told] = analyze(made, bucket="acme").diagnostics
    assert told.enforcementLevel == proto.ADVISORY
    assert "configuration" in made.court.origin


def test_the_engine_is_told_no_default_that_it_would_send_back_as_a_wish() -> None:
    made = pack()
    in_profile(made, "dev")
    [described, _] = made.GetAnalyzerInfo(None, None).policies
    least = json_format.MessageToDict(described.configSchema.properties)["least"]
    assert "default" not in least, "it would be dev's, also where the configuration names another profile"
    assert least["description"] == "The shortest name. 10 where nothing is said."


@pytest.mark.parametrize(
    ("own", "named", "said", "holds"),
    [
        # Each level is the one that the stack's own profile has already.
        ("prod", "dev", proto.MANDATORY, proto.MANDATORY),
        ("dev", "prod", proto.ADVISORY, proto.ADVISORY),
        # None is said: the engine sends back what it was told.
        ("prod", "dev", None, proto.ADVISORY),
        ("dev", "prod", None, proto.MANDATORY),
        ("staging", "dev", None, proto.ADVISORY),
    ],
)
def test_a_level_that_is_said_is_told_apart_from_the_engine_s_echo(
    own: str, named: str, said: int | None, holds: int
) -> None:
    made = pack()
    in_profile(made, own)
    described = made.GetAnalyzerInfo(None, None).policies[0]
    level = described.enforcementLevel if said is None else said
    configure(made, **{PACK: {"profile": named}, "data__name_buckets": {"level": level}})
    [told] = analyze(made, bucket="acme").diagnostics
    assert told.enforcementLevel == holds


def test_what_is_disabled_has_not_passed() -> None:
    made = pack(policy(levels={"dev": "disabled"}), policy("data.rest"))
    in_profile(made, "dev")
    made.GetAnalyzerInfo(None, None)
    answer = analyze(made, bucket="acme.example")
    assert not answer.diagnostics
    assert [each.policy_name for each in answer.not_applicable] == ["data.name_buckets"]
    # Also by a wish that is what the stack's own profile has.
    configure(made, **{PACK: {"profile": "prod"}, "data__name_buckets": {"level": proto.DISABLED}})
    assert [each.policyName for each in analyze(made, bucket="acme").diagnostics] == ["data.rest"]


def test_who_publishes_the_pack_is_told_how_strict_it_is() -> None:
    published = Pack([policy(), policy("data.rest", levels={"prod": "disabled"})], BY_SEVERITY, ())
    levels = [each.enforcementLevel for each in published.GetAnalyzerInfo(None, None).policies[:-1]]
    assert levels == [proto.MANDATORY, proto.DISABLED], "prod's, where there is no stack"


def test_a_value_that_is_said_holds_also_where_it_is_another_profile_s() -> None:
    short = Strictness(BY_SEVERITY.by_severity, options={"data.name_buckets": {"dev": {"least": 3}}})

    def in_dev() -> Pack:
        made = Pack([policy(options=LEAST)], short, ())
        in_profile(made, "dev")
        made.GetAnalyzerInfo(None, None)
        return made

    made = in_dev()
    assert not analyze(made, bucket="acme").diagnostics
    configure(made, data__name_buckets={"level": proto.ADVISORY, "least": 10})
    assert analyze(made, bucket="acme").diagnostics, "as strict as prod, by somebody's wish"
    made = in_dev()
    configure(made, **{PACK: {"profile": "prod"}, "data__name_buckets": {"level": proto.ADVISORY}})
    assert analyze(made, bucket="acme").diagnostics, "prod's value, though the engine was told dev's"


def test_the_engine_s_configuration_of_one_policy_comes_last() -> None:
    made = pack()
    configure(made, data__name_buckets={"level": proto.ADVISORY, "least": 5})
    [told] = analyze(made, bucket="acme").diagnostics
    assert told.enforcementLevel == proto.ADVISORY
    configure(made, data__name_buckets={"level": proto.MANDATORY, "least": 3})
    assert not analyze(made, bucket="acme").diagnostics
    configure(made, data__name_buckets={"level": proto.DISABLED, "least": 10})
    assert not analyze(made, bucket="acme").diagnostics


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"data__name_all": {}}, "no policy of that name"),
        ({"data__name_buckets": {"most": 3}}, "knows no such key"),
        ({"data__name_buckets": {"least": "short"}}, "expected an integer"),
        ({PACK: {"profile": "test"}}, "expected one of dev, staging, prod"),
        ({PACK: {"profil": "dev"}}, "unknown key"),
    ],
)
def test_a_configuration_that_nobody_knows_is_refused(config: Any, told: str) -> None:
    with pytest.raises(AbortedError, match=told):
        configure(pack(), **config)


def test_a_secret_is_judged_and_never_told() -> None:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "hunter2"}
    [told] = analyze(pack(), bucket=secret).diagnostics
    assert "hunter2" not in told.message
    assert "[secret]" in told.message


def test_what_is_not_known_yet_is_told_as_such_by_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    from policies.identity.forbid_wildcard_actions import POLICY

    POLICY.id = "identity.forbid_wildcard_actions"
    made = pack(POLICY)
    struct = struct_pb2.Struct()
    json_format.ParseDict({"policy": rpc.UNKNOWN}, struct)
    answer = made.Analyze(
        proto.AnalyzeRequest(type="aws:iam/policy:Policy", name="p", urn="urn:p", properties=struct), None
    )
    assert not answer.diagnostics
    [left] = answer.not_applicable
    assert "`up`" in left.reason
    made.AnalyzeStack(proto.AnalyzeStackRequest(resources=[proto.AnalyzerResource()] * 2), None)
    said = capsys.readouterr().err
    assert "known only at `up`, and judged there: identity.forbid_wildcard_actions (1)" in said
    assert "profile prod (nothing says another)" in said


def test_what_is_exempt_does_not_count_and_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    exemption = Exemption("data.name_buckets", "data", "data@acme.example", "renamed soon", TODAY)
    made = pack(exemptions=[exemption])
    assert not analyze(made, bucket="acme").diagnostics
    made.AnalyzeStack(proto.AnalyzeStackRequest(resources=[proto.AnalyzerResource()] * 2), None)
    assert "exempt from data.name_buckets until 2026-11-25: data: renamed soon" in capsys.readouterr().err


def test_an_empty_stack_has_nothing_to_check(capsys: pytest.CaptureFixture[str]) -> None:
    answer = pack().AnalyzeStack(proto.AnalyzeStackRequest(resources=[proto.AnalyzerResource()]), None)
    assert not answer.diagnostics
    assert "nothing to check" in capsys.readouterr().err


def test_what_a_preview_makes_nothing_of_is_judged_together_by_what_the_program_says() -> None:
    from policies.kubernetes.deny_by_default import POLICY

    def seen(token: str, name: str, properties: dict[str, Any]) -> dict[str, Any]:
        struct = struct_pb2.Struct()
        json_format.ParseDict(properties, struct)
        return {"type": token, "name": name, "urn": f"urn:{name}", "properties": struct}

    POLICY.id = "kubernetes.deny_by_default"
    made = pack(POLICY)
    namespace = seen("kubernetes:core/v1:Namespace", "serving", {"metadata": {"name": "serving"}})
    closed = seen(
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        "closed",
        {
            "metadata": {"namespace": "serving"},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        },
    )
    for each in (namespace, closed):
        made.Analyze(proto.AnalyzeRequest(**each), None)
    # As the engine has them while the provider waits for its cluster.
    empty = [proto.AnalyzerResource(**{**each, "properties": None}) for each in (namespace, closed)]
    assert not made.AnalyzeStack(proto.AnalyzeStackRequest(resources=empty), None).diagnostics
    [told] = made.AnalyzeStack(proto.AnalyzeStackRequest(resources=empty[:1]), None).diagnostics
    assert told.urn == "urn:serving", "and without the policy it is a fault already in the preview"


def test_a_stack_is_judged_in_one_order_whatever_the_engines_is() -> None:
    from policies.kubernetes.deny_by_default import POLICY

    POLICY.id = "kubernetes.deny_by_default"

    def told(names: str) -> list[str]:
        made = pack(POLICY)
        for name in names:
            struct = struct_pb2.Struct()
            json_format.ParseDict({"metadata": {"name": name}}, struct)
            seen: dict[str, Any] = {
                "type": "kubernetes:core/v1:Namespace",
                "name": name,
                "urn": f"urn:{name}",
            }
            made.Analyze(proto.AnalyzeRequest(**seen, properties=struct), None)
        resources = [
            proto.AnalyzerResource(type="kubernetes:core/v1:Namespace", name=name, urn=f"urn:{name}")
            for name in names
        ]
        answer = made.AnalyzeStack(proto.AnalyzeStackRequest(resources=resources), None)
        return [each.urn for each in answer.diagnostics]

    assert told("bca") == told("abc") == ["urn:a", "urn:b", "urn:c"], "a plan is compared with another run's"
