"""A table's columns as they are, and as they are declared: what they become, or why that is refused.

Rules: Iceberg table spec, "Schema Evolution" (which types may be widened, what needs a default) and "Column
Projection" (columns are known by their ids, so that a name may change).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")


@dataclass
class Merge:
    """A merge in progress. seen: field id -> type (and `!` where required), as declared when the keeper last
    looked; what is not in it was added by a client."""

    seen: Mapping[str, str]
    last_id: int
    problems: list[str] = field(default_factory=list[str])
    steps: list[str] = field(default_factory=list[str])

    def next_id(self) -> int:
        """An id that no column had before."""
        self.last_id += 1
        return self.last_id

    def fields(self, there: Sequence[Json], wanted: Sequence[Json], within: str = "") -> list[dict[str, Any]]:
        """The columns, or a struct's fields: those there in their order, then new ones."""
        names = {str(each["name"]) for each in there}
        by_name = {str(each["name"]): each for each in wanted}
        renamed = self._renamed(there, wanted, names, within)
        result: list[dict[str, Any]] = []
        for each in there:
            name = str(each["name"])
            declared = by_name.get(name) or renamed.get(name)
            if declared is None:
                self._kept(each, within, [w for w in wanted if w["name"] not in names])
                result.append(dict(each))
            else:
                result.append(self._field(each, declared, within))
        taken = names | {str(each["name"]) for each in renamed.values()}
        result.extend(self._added(each, within) for each in wanted if each["name"] not in taken)
        return result

    def _renamed(
        self, there: Sequence[Json], wanted: Sequence[Json], names: set[str], within: str
    ) -> dict[str, Json]:
        """Name that there is -> the declaration that it becomes."""
        found: dict[str, Json] = {}
        for each in wanted:
            was = each.get("was")
            if was is None:
                continue
            path = within + str(each["name"])
            if each["name"] in names:
                if was in names and self._declared_before(there, str(was)):
                    self.problems.append(
                        f"column {path}: it was {was}, and the table has both; drop one of them with a client"
                    )
            elif was in names:
                found[str(was)] = each
                self.steps.append(f"rename {within}{was} to {each['name']}")
            else:
                self.problems.append(
                    f"column {path}: it was {was}, and the table has neither; leave `was` out for a new one"
                )
        return found

    def _declared_before(self, there: Sequence[Json], name: str) -> bool:
        return any(each["name"] == name and str(each["id"]) in self.seen for each in there)

    def _kept(self, there: Json, within: str, new: Sequence[Json]) -> None:
        """One that is not declared: a client's stays, a declared one must not go."""
        if str(there["id"]) not in self.seen:
            return
        path = within + str(there["name"])
        same = [str(each["name"]) for each in new if shape(each["type"]) == shape(there["type"])]
        hint = f"; if it is {' or '.join(same)} now, say `was: {there['name']}` there" if same else ""
        self.problems.append(
            f"column {path}: declared no more, and dropping it would lose its data; declare it, or drop it "
            f"with a client first{hint}"
        )

    def _field(self, there: Json, wanted: Json, within: str) -> dict[str, Any]:
        path = within + str(wanted["name"])
        required = bool(there["required"])
        if required and not wanted["required"]:
            required = False
            self.steps.append(f"make {path} optional")
        elif not required and wanted["required"] and not self.seen.get(str(there["id"]), "").endswith("!"):
            self.problems.append(
                f"column {path}: optional in the table, and rows without it may be there; declare it without "
                "`required`"
            )
        made = {**there, "name": wanted["name"], "required": required}
        made["type"] = self._type(there["type"], wanted["type"], path, str(there["id"]))
        doc = wanted.get("doc")
        if doc is not None and doc != there.get("doc"):
            made["doc"] = doc
            self.steps.append(f"describe {path}")
        return made

    def _added(self, wanted: Json, within: str) -> dict[str, Any]:
        path = within + str(wanted["name"])
        if wanted["required"]:
            self.problems.append(
                f"column {path}: new and required, and rows that are there have no value; declare it without "
                "`required`"
            )
        self.steps.append(f"add {path}")
        return self._new_field(wanted)

    def _type(self, there: Any, wanted: Any, path: str, field_id: str) -> Any:
        if isinstance(there, str) or isinstance(wanted, str) or there["type"] != wanted["type"]:
            return self._primitive(there, wanted, path, field_id)
        if there["type"] == "struct":
            return {**there, "fields": self.fields(there["fields"], wanted["fields"], f"{path}.")}
        part = "element" if there["type"] == "list" else "value"
        if part == "value" and shape(there["key"]) != shape(wanted["key"]):
            self.problems.append(
                f"column {path}: its keys are {words(there['key'])} and declared {words(wanted['key'])}, and "
                "Iceberg does not change a map's keys; add a column of another name instead"
            )
        inner = {
            "id": there[f"{part}-id"],
            "name": part,
            "required": there[f"{part}-required"],
            "type": there[part],
        }
        asked = {"name": part, "required": wanted[f"{part}-required"], "type": wanted[part]}
        made = self._field(inner, asked, f"{path}.")
        return {**there, part: made["type"], f"{part}-required": made["required"]}

    def _primitive(self, there: Any, wanted: Any, path: str, field_id: str) -> Any:
        if shape(there) == shape(wanted):
            return there
        if widens(there, wanted):
            self.steps.append(f"widen {path} from {there} to {wanted}")
            return wanted
        before = self.seen.get(field_id, "").rstrip("!")
        if widens(wanted, there) and before == wanted:
            return there  # a client has widened what is declared as before
        self.problems.append(
            f"column {path}: {words(there)} in the table and declared {words(wanted)}; Iceberg widens int to "
            "long, float to double and a decimal's digits alone; add a column of another name instead"
        )
        return there

    def _new_field(self, wanted: Json) -> dict[str, Any]:
        [made] = self._new_fields([wanted])
        return made

    def _new_fields(self, wanted: Sequence[Json]) -> list[dict[str, Any]]:
        """Ids as Iceberg's libraries give them: of all fields first, then of what is in each."""
        ids = [self.next_id() for _ in wanted]
        return [
            {
                "id": number,
                "name": each["name"],
                "required": bool(each["required"]),
                "type": self._new_type(each["type"]),
                **({"doc": each["doc"]} if each.get("doc") else {}),
            }
            for number, each in zip(ids, wanted, strict=True)
        ]

    def _new_type(self, wanted: Any) -> Any:
        if isinstance(wanted, str):
            return wanted
        if wanted["type"] == "struct":
            return {"type": "struct", "fields": self._new_fields(wanted["fields"])}
        parts = ("element",) if wanted["type"] == "list" else ("key", "value")
        ids = {f"{part}-id": self.next_id() for part in parts}
        types = {part: self._new_type(wanted[part]) for part in parts}
        required = {f"{parts[-1]}-required": wanted[f"{parts[-1]}-required"]}
        return {"type": wanted["type"], **ids, **types, **required}


def widens(there: Any, wanted: Any) -> bool:
    """Whether every value of one type is one of the other, by Iceberg's promotions."""
    if not isinstance(there, str) or not isinstance(wanted, str):
        return False
    if (there, wanted) in (("int", "long"), ("float", "double")):
        return True
    narrow, wide = _DECIMAL.fullmatch(there), _DECIMAL.fullmatch(wanted)
    return bool(narrow and wide and narrow[2] == wide[2] and int(narrow[1]) < int(wide[1]))


def shape(kind: Any) -> Any:
    """A type without ids and descriptions, so that two can be compared."""
    if isinstance(kind, str):
        return kind.replace(" ", "")
    if kind["type"] == "struct":
        return (
            "struct",
            *((each["name"], bool(each["required"]), shape(each["type"])) for each in kind["fields"]),
        )
    if kind["type"] == "list":
        return ("list", shape(kind["element"]), bool(kind["element-required"]))
    return ("map", shape(kind["key"]), shape(kind["value"]), bool(kind["value-required"]))


def words(kind: Any) -> str:
    """A type as people write it."""
    if isinstance(kind, str):
        return kind
    if kind["type"] == "struct":
        members = (f"{each['name']}: {words(each['type'])}" for each in kind["fields"])
        return f"struct<{', '.join(members)}>"
    if kind["type"] == "list":
        return f"list<{words(kind['element'])}>"
    return f"map<{words(kind['key'])}, {words(kind['value'])}>"


def declared(fields: Sequence[Json], wanted: Sequence[Json]) -> dict[str, str]:
    """What is noted of a declaration beside its table: field id -> its type, `!` where it is required."""
    return dict(_declared(fields, wanted))


def _declared(fields: Sequence[Json], wanted: Sequence[Json]) -> Iterator[tuple[str, str]]:
    ids = {str(each["name"]): each for each in fields}
    for each in wanted:
        there = ids[str(each["name"])]
        kind = each["type"]
        label = kind if isinstance(kind, str) else str(kind["type"])
        yield str(there["id"]), label + ("!" if each["required"] else "")
        yield from _inside(there["type"], kind)


def _inside(there: Any, kind: Any) -> Iterator[tuple[str, str]]:
    if isinstance(kind, str):
        return
    if kind["type"] == "struct":
        yield from _declared(there["fields"], kind["fields"])
        return
    part = "element" if kind["type"] == "list" else "value"
    inner = kind[part]
    label = inner if isinstance(inner, str) else str(inner["type"])
    yield str(there[f"{part}-id"]), label + ("!" if kind[f"{part}-required"] else "")
    yield from _inside(there[part], inner)


def find(fields: Sequence[Json], path: str) -> int:
    """The id of the column, or of the field of a struct, at a dotted path."""
    name, _, rest = path.partition(".")
    found = next(each for each in fields if each["name"] == name)
    return find(found["type"]["fields"], rest) if rest else int(found["id"])
