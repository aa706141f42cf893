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
    made = Literal("map")
    for part in ("Attributes", "Blocks"):
        given = schema.get(part)
        if isinstance(given, Literal):
            made.keyed |= {name: _field(spec) for name, spec in given.keyed.items()}
    return made


def _field(spec: Any) -> Any:
    if isinstance(spec, Call):
        return made_by(spec.name)
    if not isinstance(spec, Literal):
        return spec
    made = Literal("schema.Schema", {name: spec.get(name) for name in ("Required", "Optional", "Computed")})
    kind = spec.type.rpartition(".")[2]
    made.keyed["Type"] = Name(next((type for word, type in _TYPES.items() if word in kind), _PLAIN))
    if "Block" in kind and not made.get("Computed"):
        made.keyed["Optional"] = True
    modifiers = [each.name for each in _given(spec, "PlanModifiers")]
    made.keyed["ForceNew"] = any("RequiresReplace" in name and name[-2:] != "If" for name in modifiers)
    limits = [each for each in _given(spec, "Validators") if each.name.endswith(_LIMITS)]
    if "Single" in kind or any(each.arguments and each.arguments[-1] == 1 for each in limits):
        made.keyed["MaxItems"] = 1
    default = spec.get("Default")
    if isinstance(default, Call) and default.name.endswith(_STATIC):
        made.keyed["Default"] = default.arguments[0]
    inner = spec.get("NestedObject")
    inside = inner if isinstance(inner, Literal) else spec
    if isinstance(inside.get("Attributes"), Literal) or isinstance(inside.get("Blocks"), Literal):
        made.keyed["Elem"] = Literal("schema.Resource", {"Schema": older(inside)})
        if made.get("Type") == Name(_PLAIN):
            made.keyed["Type"] = Name("schema.TypeList")
    return made


def made_by(name: str) -> Literal:
    """What the provider's helpers stand for, by their names."""
    spec = Literal("schema.Schema", {"Type": Name(_PLAIN)})
    spec.keyed["Computed"] = "Computed" in name or "IDAttribute" in name
    spec.keyed["Optional"] = "Optional" in name or name.endswith("TagsAttribute")
    spec.keyed["Required"] = "Required" in name
    return spec


def _given(spec: Literal, part: str) -> list[Call]:
    found = spec.get(part)
    return [each for each in found.items if isinstance(each, Call)] if isinstance(found, Literal) else []
