"""The pack as the engine calls it."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest
from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import analyzer_pb2 as proto

from policies.framework.enforcement import Enforcement, Exemption
from policies.framework.policy import Policy
from policies.framework.server import PACK, SETTING, Pack
from tests.policies.test_framework import BY_SEVERITY, LEAST, TODAY, example_policy


class AbortedError(Exception):
    """The exception of an aborted call in gRPC."""


class Context:
    def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise AbortedError(details)


def described_pack(*policies: Policy, exemptions: Any = ()) -> Pack:
    """Return a pack that has described its policies to the engine."""
    pack = Pack(policies or (example_policy(options=LEAST),), BY_SEVERITY, exemptions)
    pack.GetAnalyzerInfo(None, None)
    return pack


def in_profile(pack: Pack, profile: str, **settings: Any) -> None:
    config = {SETTING: json.dumps({"profile": profile, **settings})}
    pack.ConfigureStack(proto.AnalyzerStackConfigureRequest(stack="s", config=config), None)


def configure(pack: Pack, /, **config: Any) -> None:
    request = proto.ConfigureAnalyzerRequest()
    for name, options in config.items():
        entry = request.policyConfig[name.replace("__", ".")]
        level = options.pop("level", None)
        if level is not None:
            entry.enforcementLevel = level
        entry.properties.update(options)
    pack.Configure(request, Context())


def analyze(pack: Pack, **props: Any) -> proto.AnalyzeResponse:
    struct = struct_pb2.Struct()
    json_format.ParseDict(props, struct)
    return pack.Analyze(
        proto.AnalyzeRequest(type="aws:s3/bucket:Bucket", name="data", urn="urn:data", properties=struct),
        None,
    )


def test_violation_has_path_problem_and_remediation() -> None:
    [diagnostic] = analyze(described_pack(), bucket="acme").diagnostics
    assert diagnostic.policyName == "data.name_buckets"
    assert diagnostic.enforcementLevel == proto.MANDATORY, "the default profile is prod"
    assert diagnostic.severity == proto.POLICY_SEVERITY_HIGH
    assert diagnostic.message.splitlines() == [
        "bucket: got 'acme'",
        "To fix it: Name it. (docs/policies/data/name_buckets.md)",
    ]


def test_profile_comes_from_the_setting_of_the_stack() -> None:
    pack = described_pack()
    in_profile(pack, "dev")
    [diagnostic] = analyze(pack, bucket="acme").diagnostics
    assert diagnostic.enforcementLevel == proto.ADVISORY


def test_policy_that_is_exempt_for_teardown_is_advisory_then() -> None:
    pack = described_pack(example_policy(teardown_exempt=True))
    in_profile(pack, "prod")
    [diagnostic] = analyze(pack, bucket="acme").diagnostics
    assert diagnostic.enforcementLevel == proto.MANDATORY
    in_profile(pack, "prod", teardown="with_data")
    [diagnostic] = analyze(pack, bucket="acme").diagnostics
    assert diagnostic.enforcementLevel == proto.ADVISORY


def test_configuration_of_the_pack_takes_precedence_over_the_stack() -> None:
    pack = described_pack()
    in_profile(pack, "prod")
    pack.GetAnalyzerInfo(None, None)
    # The engine sends the described level back, as if it were configured.
    configure(
        pack, **{PACK: {"profile": "dev"}, "data__name_buckets": {"level": proto.REMEDIATE, "least": 10}}
    )
    [diagnostic] = analyze(pack, bucket="acme").diagnostics
    assert diagnostic.enforcementLevel == proto.ADVISORY
    assert "configuration" in pack.evaluator.origin


def test_no_default_is_sent_that_the_engine_would_send_back_as_configured() -> None:
    pack = described_pack()
    in_profile(pack, "dev")
    [described, _] = pack.GetAnalyzerInfo(None, None).policies
    least = json_format.MessageToDict(described.configSchema.properties)["least"]
    assert "default" not in least, "it would be that of dev, even if the configuration names another profile"
    assert least["description"] == "The shortest name. Default: 10."


@pytest.mark.parametrize(
    ("stack_profile", "configured_profile", "configured", "expected"),
    [
        # Each level equals that of the stack's profile.
        ("prod", "dev", proto.MANDATORY, proto.MANDATORY),
        ("dev", "prod", proto.ADVISORY, proto.ADVISORY),
        # None is configured: the engine sends the described level back.
        ("prod", "dev", None, proto.ADVISORY),
        ("dev", "prod", None, proto.MANDATORY),
        ("staging", "dev", None, proto.ADVISORY),
    ],
)
def test_configured_level_is_distinguished_from_the_described_one(
    stack_profile: str, configured_profile: str, configured: int | None, expected: int
) -> None:
    pack = described_pack()
    in_profile(pack, stack_profile)
    described = pack.GetAnalyzerInfo(None, None).policies[0]
    level = described.enforcementLevel if configured is None else configured
    configure(pack, **{PACK: {"profile": configured_profile}, "data__name_buckets": {"level": level}})
    [diagnostic] = analyze(pack, bucket="acme").diagnostics
    assert diagnostic.enforcementLevel == expected


def test_disabled_policy_is_not_reported_as_passed() -> None:
    pack = described_pack(example_policy(levels={"dev": "disabled"}), example_policy("data.rest"))
    in_profile(pack, "dev")
    pack.GetAnalyzerInfo(None, None)
    response = analyze(pack, bucket="acme.example")
    assert not response.diagnostics
    assert [entry.policy_name for entry in response.not_applicable] == ["data.name_buckets"]
    # Also by a configured level that equals that of the stack's profile.
    configure(pack, **{PACK: {"profile": "prod"}, "data__name_buckets": {"level": proto.DISABLED}})
    assert [entry.policyName for entry in analyze(pack, bucket="acme").diagnostics] == ["data.rest"]


def test_published_pack_describes_the_levels_of_prod() -> None:
    published = Pack(
        [example_policy(), example_policy("data.rest", levels={"prod": "disabled"})], BY_SEVERITY, ()
    )
    levels = [entry.enforcementLevel for entry in published.GetAnalyzerInfo(None, None).policies[:-1]]
    assert levels == [proto.MANDATORY, proto.DISABLED], "there is no stack, so the default profile applies"


def test_configured_option_applies_even_if_another_profile_has_the_same_value() -> None:
    short = Enforcement(BY_SEVERITY.by_severity, options={"data.name_buckets": {"dev": {"least": 3}}})

    def in_dev() -> Pack:
        pack = Pack([example_policy(options=LEAST)], short, ())
        in_profile(pack, "dev")
        pack.GetAnalyzerInfo(None, None)
        return pack

    pack = in_dev()
    assert not analyze(pack, bucket="acme").diagnostics
    configure(pack, data__name_buckets={"level": proto.ADVISORY, "least": 10})
    assert analyze(pack, bucket="acme").diagnostics, "as strict as prod, as configured"
    pack = in_dev()
    configure(pack, **{PACK: {"profile": "prod"}, "data__name_buckets": {"level": proto.ADVISORY}})
    assert analyze(pack, bucket="acme").diagnostics, "the value of prod, although that of dev was described"


def test_engine_s_configuration_of_a_policy_takes_precedence() -> None:
    pack = described_pack()
    configure(pack, data__name_buckets={"level": proto.ADVISORY, "least": 5})
    [diagnostic] = analyze(pack, bucket="acme").diagnostics
    assert diagnostic.enforcementLevel == proto.ADVISORY
    configure(pack, data__name_buckets={"level": proto.MANDATORY, "least": 3})
    assert not analyze(pack, bucket="acme").diagnostics
    configure(pack, data__name_buckets={"level": proto.DISABLED, "least": 10})
    assert not analyze(pack, bucket="acme").diagnostics


def test_level_of_all_policies_applies_to_each_and_is_no_policy() -> None:
    pack = described_pack(example_policy(), example_policy("data.rest"))
    pack.GetAnalyzerInfo(None, None)
    # What the engine sends for {"all": "advisory", "data.rest": "mandatory"}.
    configure(
        pack,
        all={"level": proto.ADVISORY},
        pack={"level": proto.ADVISORY},
        data__name_buckets={"level": proto.ADVISORY},
        data__rest={"level": proto.MANDATORY},
    )
    levels = {entry.policyName: entry.enforcementLevel for entry in analyze(pack, bucket="acme").diagnostics}
    assert levels == {"data.name_buckets": proto.ADVISORY, "data.rest": proto.MANDATORY}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"all": {"least": 3}}, "all.least: unknown key; expected enforcementLevel"),
        ({"data__name_all": {}}, "unknown policy 'data.name_all'"),
        ({"data__name_buckets": {"most": 3}}, "most: unknown key; expected least"),
        ({"data__name_buckets": {"least": "short"}}, "expected an integer"),
        ({PACK: {"profile": "test"}}, "expected one of dev, staging, prod"),
        ({PACK: {"profil": "dev"}}, "unknown key"),
        ({"network__close_endpoints": {}}, "expected 'network.restrict_cluster_endpoints'"),
    ],
)
def test_invalid_configuration_is_rejected(config: Any, expected: str) -> None:
    with pytest.raises(AbortedError, match=expected):
        configure(described_pack(), **config)


def test_secret_is_evaluated_and_never_reported() -> None:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "hunter2"}
    [diagnostic] = analyze(described_pack(), bucket=secret).diagnostics
    assert "hunter2" not in diagnostic.message
    assert "[secret]" in diagnostic.message


def test_deferred_checks_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    from policies.identity.forbid_wildcard_actions import POLICY

    POLICY.id = "identity.forbid_wildcard_actions"
    pack = described_pack(POLICY)
    struct = struct_pb2.Struct()
    json_format.ParseDict({"policy": rpc.UNKNOWN}, struct)
    response = pack.Analyze(
        proto.AnalyzeRequest(type="aws:iam/policy:Policy", name="p", urn="urn:p", properties=struct), None
    )
    assert not response.diagnostics
    [skipped] = response.not_applicable
    assert "`up`" in skipped.reason
    pack.AnalyzeStack(proto.AnalyzeStackRequest(resources=[proto.AnalyzerResource()] * 2), None)
    log = capsys.readouterr().err
    assert "known only at `up`, and evaluated there: identity.forbid_wildcard_actions (1)" in log
    assert "profile prod (the default)" in log


def test_exempt_violation_is_logged_and_not_enforced(capsys: pytest.CaptureFixture[str]) -> None:
    exemption = Exemption("data.name_buckets", "data", "data@acme.example", "renamed soon", TODAY)
    pack = described_pack(exemptions=[exemption])
    assert not analyze(pack, bucket="acme").diagnostics
    pack.AnalyzeStack(proto.AnalyzeStackRequest(resources=[proto.AnalyzerResource()] * 2), None)
    log = capsys.readouterr().err
    assert "exempt from data.name_buckets until 2026-11-25: data: renamed soon" in log
    assert "without effect" not in log


@pytest.mark.parametrize(
    ("resource", "bucket", "reason"),
    [
        ("data", "acme.example", "no violation"),
        ("dta", "acme", "the program has no such resource"),
    ],
)
def test_exemption_without_effect_is_named(
    capsys: pytest.CaptureFixture[str], resource: str, bucket: str, reason: str
) -> None:
    exemption = Exemption("data.name_buckets", resource, "data@acme.example", "renamed soon", TODAY)
    pack = described_pack(exemptions=[exemption])
    analyze(pack, bucket=bucket)
    members = [proto.AnalyzerResource(name=name) for name in ("stack", "data")]
    pack.AnalyzeStack(proto.AnalyzeStackRequest(resources=members), None)
    expected = f"exemptions without effect here: data.name_buckets of {resource!r} ({reason})"
    assert expected in capsys.readouterr().err


def test_exemption_from_a_disabled_policy_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    exemption = Exemption("data.name_buckets", "data", "data@acme.example", "renamed soon", TODAY)
    pack = described_pack(exemptions=[exemption])
    configure(pack, data__name_buckets={"level": proto.DISABLED})
    members = [proto.AnalyzerResource(name=name) for name in ("stack", "data")]
    pack.AnalyzeStack(proto.AnalyzeStackRequest(resources=members), None)
    assert "data.name_buckets of 'data' (the policy is disabled)" in capsys.readouterr().err


def test_empty_stack_has_nothing_to_check(capsys: pytest.CaptureFixture[str]) -> None:
    response = described_pack().AnalyzeStack(
        proto.AnalyzeStackRequest(resources=[proto.AnalyzerResource()]), None
    )
    assert not response.diagnostics
    assert "nothing to check" in capsys.readouterr().err


def test_stack_rule_uses_the_inputs_where_a_preview_has_no_outputs() -> None:
    from policies.kubernetes.deny_by_default import POLICY

    def state(token: str, name: str, properties: dict[str, Any]) -> dict[str, Any]:
        struct = struct_pb2.Struct()
        json_format.ParseDict(properties, struct)
        return {"type": token, "name": name, "urn": f"urn:{name}", "properties": struct}

    POLICY.id = "kubernetes.deny_by_default"
    pack = described_pack(POLICY)
    namespace = state("kubernetes:core/v1:Namespace", "serving", {"metadata": {"name": "serving"}})
    denying = state(
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        "denying",
        {
            "metadata": {"namespace": "serving"},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        },
    )
    for fields in (namespace, denying):
        pack.Analyze(proto.AnalyzeRequest(**fields), None)
    # What the engine sends while the provider waits for its cluster.
    empty = [proto.AnalyzerResource(**{**fields, "properties": None}) for fields in (namespace, denying)]
    assert not pack.AnalyzeStack(proto.AnalyzeStackRequest(resources=empty), None).diagnostics
    [diagnostic] = pack.AnalyzeStack(proto.AnalyzeStackRequest(resources=empty[:1]), None).diagnostics
    assert diagnostic.urn == "urn:serving", "without the policy the preview reports a violation"


def test_stack_is_evaluated_in_a_fixed_order() -> None:
    from policies.kubernetes.deny_by_default import POLICY

    POLICY.id = "kubernetes.deny_by_default"

    def reported(names: str) -> list[str]:
        pack = described_pack(POLICY)
        for name in names:
            struct = struct_pb2.Struct()
            json_format.ParseDict({"metadata": {"name": name}}, struct)
            fields: dict[str, Any] = {
                "type": "kubernetes:core/v1:Namespace",
                "name": name,
                "urn": f"urn:{name}",
            }
            pack.Analyze(proto.AnalyzeRequest(**fields, properties=struct), None)
        resources = [
            proto.AnalyzerResource(type="kubernetes:core/v1:Namespace", name=name, urn=f"urn:{name}")
            for name in names
        ]
        response = pack.AnalyzeStack(proto.AnalyzeStackRequest(resources=resources), None)
        return [diagnostic.urn for diagnostic in response.diagnostics]

    assert reported("bca") == reported("abc") == ["urn:a", "urn:b", "urn:c"], (
        "plans of different runs are compared"
    )
