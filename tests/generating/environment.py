"""The keys of an environment file as a page: from the model, with what each profile says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from aiplatform._shared.cloud_support import CLOUDS
from stacks.explain import defaults, types
from stacks.profiles import EVERY, OPTIONAL, PROFILES
from stacks.settings import NAMESPACE, Settings
from stacks.settings.generated import ComponentTopic
from tests.generating.tables import code, page, table

MISSING = defaults.MISSING
_CLOUD_NAMES: dict[str, str] = {**CLOUDS}
NAMES = list(PROFILES["aws"])
HEAD = ["key", "type", *NAMES, "meaning"]


def text() -> str:
    """docs/environment.md."""
    return page(
        "# An environment file",
        "`environments/Pulumi.<cloud>-<profile>.yaml` is an environment: one object a topic under "
        f"`config: {NAMESPACE}:<topic>:`. The profile (`{NAMESPACE}:environment.profile`) supplies what the "
        "file leaves out; lists and scalars of the file replace the profile's, objects are merged. An "
        "unknown key is an error. Editors complete from `environments/schema.json`; `aiplatform explain KEY` "
        "prints what is known of a key, and `aiplatform new` writes a new file "
        "([operations/new-environment.md](operations/new-environment.md)).",
        "What several environments share is in `environments/shared/<name>.yaml`, under the key `shared` in "
        f"place of `config`; a file names it in `{NAMESPACE}:shared.files`, overrides it by stating the same "
        f"key, and leaves a part out by `{NAMESPACE}:shared.remove` "
        "([ADR 0024](adr/0024-shared-declarations.md)).",
        "*required*: there is no default. A dash: nothing, or what the meaning says.",
        *(_topic(name, field) for name, field in Settings.model_fields.items()),
    )


def _topic(name: str, field: FieldInfo) -> str:
    model, is_map = _model(field)
    if issubclass(model, ComponentTopic):
        return f"## {NAMESPACE}:{name}\n\n" + _component_topic(name, model, is_map=is_map)
    intro = (model.__doc__ or "").strip()
    return f"## {NAMESPACE}:{name}\n\n{intro}\n\n" + table(HEAD, _rows(name, model, "", []))


def _component_topic(name: str, model: type[ComponentTopic], *, is_map: bool) -> str:
    """A topic whose keys are described on the page of the component; here are the profiles' values of them,
    and the keys that only the file has."""
    component = model.argument_type.__name__.removesuffix("Args")
    entity = model.argument_type.__module__.split(".")[1]
    link = f"[{component}](components/{entity}.md#arguments)"
    arguments = model.argument_type.__annotations__
    missing = ", ".join(map(code, _missing(model)))
    presence = "One object each, by its name." if is_map else ""
    if name in OPTIONAL:
        presence = "Without the topic there is none."
    keys = f"Its keys are the arguments of {link}, except {missing}, which the platform sets."
    path = f"{EVERY}." if is_map else ""
    rows = [[code(f"{path}{key}"), *values] for key, values in _profile_values(name)]
    additional = [key for key in model.model_fields if key not in arguments]
    added = {key: field for key, field in model.model_fields.items() if key in additional}
    parts = [
        " ".join(filter(None, [" ".join((model.__doc__ or "").split()), presence, keys])),
        *([table(["key", *NAMES], rows)] if rows else []),
    ]
    if added:
        rows = [[code(key), types.words(one.annotation), one.description or ""] for key, one in added.items()]
        parts += ["Keys that only the file has:", table(["key", "type", "meaning"], rows)]
    return "\n\n".join(parts)


def _missing(model: type[ComponentTopic], path: str = "") -> Iterator[str]:
    """Dotted arguments of the component that a topic does not have."""
    for key in model.argument_type.__annotations__:
        field = model.model_fields.get(key)
        if field is None:
            yield f"{path}{key}"
        elif isinstance(field.annotation, type) and issubclass(field.annotation, ComponentTopic):
            yield from _missing(field.annotation, f"{path}{key}.")


def _profile_values(topic: str) -> Iterator[tuple[str, list[str]]]:
    """Dotted keys that a profile has a value for, and the value in each."""
    defaults = {
        (cloud, profile): dict(_leaves(_under(topics.get(topic, {}))))
        for cloud, profiles in PROFILES.items()
        for profile, topics in profiles.items()
    }
    for key in sorted({key for values in defaults.values() for key in values}):
        yield key, [_of_clouds(defaults, profile, key) for profile in NAMES]


def _under(topic: Mapping[str, Any]) -> Mapping[str, Any]:
    return topic.get(EVERY, topic)


def _leaves(node: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def _of_clouds(defaults: Mapping[tuple[str, str], Mapping[str, Any]], profile: str, key: str) -> str:
    """The value of a key in a profile; where the clouds differ, each with its name."""
    values = {cloud: defaults[cloud, profile].get(key) for cloud in PROFILES}
    # A block without keys is a value: the component's part exists, with its defaults.
    rendered = {cloud: code("{}") if value == {} else _rendered(value) for cloud, value in values.items()}
    if len(set(rendered.values())) == 1:
        return next(iter(rendered.values()))
    return "; ".join(f"{_CLOUD_NAMES[cloud]}: {value}" for cloud, value in rendered.items() if value)


def _rows(topic: str, model: type[BaseModel], path: str, above: list[FieldInfo]) -> Iterator[list[str]]:
    for name, field in model.model_fields.items():
        key = path + name
        defaults = [_default(profile, topic, key, field, above) for profile in NAMES]
        inner = _inner(field)
        kind = "object" if inner and not types.choices(field.annotation) else types.words(field.annotation)
        if inner and not types.choices(field.annotation) and not _in_list(field):
            # The object's own line would only repeat what its keys say.
            yield from _rows(topic, inner, f"{key}.", [*above, field])
            continue
        yield [code(key), kind, *defaults, field.description or ""]
        if inner:
            inside = f"{key}[]." if _in_list(field) else f"{key}."
            yield from ([code(inside + row[0].strip("`")), *row[1:]] for row in _nested(inner))


def _nested(model: type[BaseModel]) -> Iterator[list[str]]:
    """Keys of an object in a list: no profile has values of them."""
    for name, field in model.model_fields.items():
        rendered = _rendered(defaults.of_field(field))
        yield [code(name), types.words(field.annotation), *[rendered] * len(NAMES), field.description or ""]


def _model(field: FieldInfo) -> tuple[type[BaseModel], bool]:
    annotation = field.annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    if type(None) in get_args(annotation):
        return get_args(annotation)[0], False
    return get_args(annotation)[1], True


def _inner(field: FieldInfo) -> type[BaseModel] | None:
    models = list(types.models_in(field.annotation))
    return models[0] if models else None


def _in_list(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is list


def _default(profile: str, topic: str, key: str, field: FieldInfo, above: list[FieldInfo]) -> str:
    """A key's default in a profile; where the clouds differ, each with its name."""
    rendered = {cloud: _default_on(cloud, profile, topic, key, field, above) or "none" for cloud in PROFILES}
    if len(set(rendered.values())) == 1:
        return next(iter(rendered.values())).removesuffix("none")
    return "; ".join(f"{_CLOUD_NAMES[cloud]}: {value}" for cloud, value in rendered.items())


def _default_on(
    cloud: str, profile: str, topic: str, key: str, field: FieldInfo, above: list[FieldInfo]
) -> str:
    value = defaults.of_profile(cloud, profile, [topic, *key.split(".")])
    if value is not MISSING:
        return _rendered(value)
    # An object that may be left out altogether requires nothing.
    optional = [outer for outer in above if not outer.is_required() and outer.get_default() is None]
    return "" if optional and field.is_required() else _rendered(defaults.of_field(field))


def _rendered(value: Any) -> str:
    if value is MISSING:
        return "*required*"
    if value is None or value in ([], {}, ""):
        return ""
    if isinstance(value, list):
        return ", ".join(code(entry) for entry in value)
    return code(json.dumps(value).strip('"'))
