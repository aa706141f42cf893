"""Schemas of Terraform's plugin framework, turned into those of its older SDK, which facts are read from."""

from __future__ import annotations

from typing import Any, Final

from tools.provider_facts.golang import Call, Literal, Name

_TYPES: Final = {"Set": "schema.TypeSet", "List": "schema.TypeList", "Map": "schema.TypeMap"}
_PLAIN: Final = "schema.TypeString"
_LIMITS: Final = ("SizeAtMost", "SizeBetween")
_STATIC: Final = ("StaticString", "StaticBool", "StaticInt64", "StaticInt32")


def older(schema: Literal) -> Literal:
    """`schema.Schema{Attributes: ..., Blocks: ...}` as a `map[string]*schema.Schema`."""
    fields = Literal("map")
    for part in ("Attributes", "Blocks"):
        members = schema.get(part)
        if isinstance(members, Literal):
            fields.keyed |= {name: _field(spec) for name, spec in members.keyed.items()}
    return fields


def _field(spec: Any) -> Any:
    if isinstance(spec, Call):
        return made_by(spec.name)
    if not isinstance(spec, Literal):
        return spec
    field = Literal("schema.Schema", {name: spec.get(name) for name in ("Required", "Optional", "Computed")})
    kind = spec.type.rpartition(".")[2]
    field.keyed["Type"] = Name(next((type for word, type in _TYPES.items() if word in kind), _PLAIN))
    if "Block" in kind and not field.get("Computed"):
        field.keyed["Optional"] = True
    modifiers = [call.name for call in _calls(spec, "PlanModifiers")]
    field.keyed["ForceNew"] = any("RequiresReplace" in name and name[-2:] != "If" for name in modifiers)
    limits = [call for call in _calls(spec, "Validators") if call.name.endswith(_LIMITS)]
    if "Single" in kind or any(call.arguments and call.arguments[-1] == 1 for call in limits):
        field.keyed["MaxItems"] = 1
    default = spec.get("Default")
    if isinstance(default, Call) and default.name.endswith(_STATIC):
        field.keyed["Default"] = default.arguments[0]
    inner = spec.get("NestedObject")
    inside = inner if isinstance(inner, Literal) else spec
    if isinstance(inside.get("Attributes"), Literal) or isinstance(inside.get("Blocks"), Literal):
        field.keyed["Elem"] = Literal("schema.Resource", {"Schema": older(inside)})
        if field.get("Type") == Name(_PLAIN):
            field.keyed["Type"] = Name("schema.TypeList")
    return field


def made_by(name: str) -> Literal:
    """What the provider's helpers stand for, by their names."""
    spec = Literal("schema.Schema", {"Type": Name(_PLAIN)})
    spec.keyed["Computed"] = "Computed" in name or "IDAttribute" in name
    spec.keyed["Optional"] = "Optional" in name or name.endswith("TagsAttribute")
    spec.keyed["Required"] = "Required" in name
    return spec


def _calls(spec: Literal, part: str) -> list[Call]:
    values = spec.get(part)
    return [item for item in values.items if isinstance(item, Call)] if isinstance(values, Literal) else []
