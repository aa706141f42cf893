"""Facts about properties, read from schemas in Go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tools.provider_facts.framework import older
from tools.provider_facts.golang import Call, Function, Literal, Name, Opaque, Package, Parser
from tools.provider_facts.schemas import Facts, Resolver
from twin.checks.sdk import sdk

NETWORK = "gcp:compute/network:Network"
SOURCE = """package compute

var networkSchema = map[string]*schema.Schema{
	// A comment with a brace: }
	"name": {Type: schema.TypeString, Required: true, ForceNew: true},
	"description": {
		Type: schema.TypeString, Optional: true, Default: "Managed by Terraform",
		Description: `raw "text" with { and }`,
	},
	"mtu": {Type: schema.TypeInt, Computed: true, Optional: true, ConflictsWith: []string{"routing_mode"}},
	"routing_mode": {
		Type: schema.TypeString, Optional: true,
		DiffSuppressFunc: EmptyOrDefaultStringSuppress("REGIONAL"),
		ValidateFunc: validation.StringInSlice([]string{"REGIONAL", "GLOBAL"}, false),
	},
	"self_link": {Type: schema.TypeString, Computed: true},
	"params": {
		Type: schema.TypeList, Optional: true, ForceNew: true, MaxItems: 1,
		Elem: &schema.Resource{Schema: map[string]*schema.Schema{
			"resource_manager_tags": {Type: schema.TypeMap, Optional: true},
		}},
	},
}

func resourceNetwork() *schema.Resource {
	made := &schema.Resource{Schema: networkSchema, CustomizeDiff: func(d int) error { return nil }}
	return made
}
"""


@pytest.fixture
def package(tmp_path: Path) -> Package:
    (tmp_path / "network.go").write_text(SOURCE)
    return Package(tmp_path)


def facts(schema: Any, package: Package) -> dict[str, Any]:
    known = sdk("pulumi_gcp").resource(NETWORK)
    assert known is not None
    resolver = Resolver(package, lambda _: None)
    reader = Facts(resolver, sdk("pulumi_gcp"), {**known.outputs, **known.inputs})
    schema_facts = reader.read(resolver.fields(schema, {}))
    assert not reader.unmatched
    return schema_facts


def test_a_schema_in_a_variable_states_its_facts(package: Package) -> None:
    resource = package.value("resourceNetwork")
    assert facts(resource.get("Schema"), package) == {
        "conflicts": {"mtu": ["routingMode"]},
        "defaults": {"description": "Managed by Pulumi"},
        "enums": {"routingMode": ["REGIONAL", "GLOBAL"]},
        "immutable": ["name"],
        "immutable_blocks": ["params"],
        "output": ["selfLink"],
        "required": ["name"],
        "server": ["mtu"],
        "suppressed": {"routingMode": "EmptyOrDefaultStringSuppress(REGIONAL)"},
    }


def test_a_schema_of_the_newer_framework_states_the_same(package: Package) -> None:
    schema = Parser(
        """schema.Schema{Attributes: map[string]schema.Attribute{
            "name": schema.StringAttribute{
                Required: true,
                PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
            },
            "mtu": schema.Int64Attribute{
                Optional: true, Computed: true, Default: int64default.StaticInt64(9),
            },
            "self_link": framework.ARNAttributeComputedOnly(),
        }}"""
    ).expression()
    assert facts(older(schema), package) == {
        "defaults": {"mtu": 9},
        "immutable": ["name"],
        "output": ["selfLink"],
        "required": ["name"],
        "server": ["mtu"],
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-1", -1),
        ('"a" + "b"', "ab"),
        ("60 * time.Minute", Opaque()),
        ("schema.TypeList", Name("schema.TypeList")),
        ('names.Of("x", y)', Call("names.Of", ("x", Name("y")))),
        ("enum.Validate[types.Kind]()", Call("enum.Validate", ())),
        ("func() int { return 1 }", Function(" return 1 }")),
        ("[]int{1, 2}", Literal("[]int", items=[1, 2])),
        ("&T{A: true, B: nil}", Literal("T", {"A": True, "B": None})),
    ],
)
def test_expressions_of_go_are_read_as_far_as_they_are_literals(text: str, value: Any) -> None:
    assert Parser(text).expression() == value
