"""What kind of statement a text is, and the parts of those that sqlglot does not take apart."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from sqlglot import exp

from twin.aws.services.athena.queries import translate
from twin.aws.services.athena.queries.errors import SYNTAX, QueryFailed, untranslated

DML: Final = "DML"
DDL: Final = "DDL"
UTILITY: Final = "UTILITY"


@dataclass(frozen=True)
class Statement:
    """kind: Athena's SubstatementType. type: DML, DDL or UTILITY. parts: what a pattern found."""

    kind: str
    type: str
    tree: exp.Expr | None = None
    parts: dict[str, str] = field(default_factory=dict[str, str])


_NAME: Final = r"(?P<table>(?:`[^`]+`|\"[^\"]+\"|[\w$]+)(?:\.(?:`[^`]+`|\"[^\"]+\"|[\w$]+))*)"
_OF: Final = r"(?P<database>`[^`]+`|\"[^\"]+\"|[\w-]+)"
_PATTERNS: Final = tuple(
    (kind, type, re.compile(pattern + r"\s*;?\s*", re.IGNORECASE | re.DOTALL))
    for kind, type, pattern in (
        ("MSCK", DDL, rf"MSCK\s+REPAIR\s+TABLE\s+{_NAME}"),
        (
            "SHOW_TABLES",
            UTILITY,
            rf"SHOW\s+TABLES(?:\s+(?:IN|FROM)\s+{_OF})?(?:\s+(?:LIKE\s+)?'(?P<like>[^']*)')?",
        ),
        (
            "SHOW_VIEWS",
            UTILITY,
            rf"SHOW\s+VIEWS(?:\s+(?:IN|FROM)\s+{_OF})?(?:\s+(?:LIKE\s+)?'(?P<like>[^']*)')?",
        ),
        ("SHOW_DATABASES", UTILITY, r"SHOW\s+(?:DATABASES|SCHEMAS)(?:\s+LIKE\s+'(?P<like>[^']*)')?"),
        ("SHOW_COLUMNS", UTILITY, rf"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+{_NAME}(?:\s+(?:IN|FROM)\s+{_OF})?"),
        ("SHOW_PARTITIONS", UTILITY, rf"SHOW\s+PARTITIONS\s+{_NAME}"),
        ("SHOW_CREATE_TABLE", UTILITY, rf"SHOW\s+CREATE\s+TABLE\s+{_NAME}"),
        (
            "SHOW_TBLPROPERTIES",
            UTILITY,
            rf"SHOW\s+TBLPROPERTIES\s+{_NAME}(?:\s*\(\s*'(?P<property>[^']*)'\s*\))?",
        ),
        ("DESCRIBE", UTILITY, rf"(?:DESCRIBE|DESC)\s+(?:EXTENDED\s+|FORMATTED\s+)?{_NAME}"),
        (
            "UNLOAD",
            DML,
            r"UNLOAD\s*\((?P<query>.*)\)\s*TO\s*'(?P<to>[^']*)'\s*(?:WITH\s*\((?P<with>[^)]*(?:\[[^\]]*\][^)]*)?)\))?",
        ),
        ("EXECUTE", DML, r"EXECUTE\s+(?P<name>\w+)(?:\s+USING\s+(?P<using>.*?))?"),
        (
            "ALTER_TABLE_DROP_PARTITION",
            DDL,
            rf"ALTER\s+TABLE\s+{_NAME}\s+DROP\s+(?P<exists>IF\s+EXISTS\s+)?(?P<partitions>PARTITION\s*\(.*\))",
        ),
        (
            "ALTER_TABLE_ADD_PARTITION",
            DDL,
            rf"ALTER\s+TABLE\s+{_NAME}\s+ADD\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<partitions>PARTITION\s*\(.*)",
        ),
        ("ALTER_TABLE_ADD_COLUMNS", DDL, rf"ALTER\s+TABLE\s+{_NAME}\s+ADD\s+COLUMNS\s*\((?P<columns>.*)\)"),
        ("ALTER_TABLE_DROP_COLUMN", DDL, rf"ALTER\s+TABLE\s+{_NAME}\s+DROP\s+COLUMN\s+(?P<column>[\w`\"]+)"),
        (
            "ALTER_TABLE_SET_TBLPROPERTIES",
            DDL,
            rf"ALTER\s+TABLE\s+{_NAME}\s+SET\s+TBLPROPERTIES\s*\((?P<properties>.*)\)",
        ),
    )
)
_NOT_DONE: Final = {
    "OPTIMIZE": "OPTIMIZE: the twin compacts no files",
    "VACUUM": "VACUUM: the twin expires no snapshots",
    "EXPLAIN": "EXPLAIN: the twin has no plans of Trino's",
    "ANALYZE": "ANALYZE",
    "PREPARE": "PREPARE: CreatePreparedStatement makes one",
    "DEALLOCATE": "DEALLOCATE: DeletePreparedStatement removes one",
    "CALL": "CALL",
    "ALTER": "this ALTER",
    "SHOW": "this SHOW",
}
_CREATED: Final = {
    "TABLE": "CREATE_TABLE",
    "VIEW": "CREATE_VIEW",
    "SCHEMA": "CREATE_DATABASE",
    "DATABASE": "CREATE_DATABASE",
}
_DROPPED: Final = {
    "TABLE": "DROP_TABLE",
    "VIEW": "DROP_VIEW",
    "SCHEMA": "DROP_DATABASE",
    "DATABASE": "DROP_DATABASE",
}


def read(sql: str) -> Statement:
    """Take a statement apart. Raises QueryFailed for one that cannot be read or is not in the twin."""
    text = _bare(sql)
    for kind, type, pattern in _PATTERNS:
        match = pattern.fullmatch(text)
        if match:
            return Statement(kind, type, None, {k: v for k, v in match.groupdict().items() if v is not None})
    first = (re.match(r"\w+", text) or [""])[0].upper()
    if first in _NOT_DONE:
        raise untranslated(_NOT_DONE[first])
    _unfit(first, text)
    return _parsed(text, translate.parse(text))


_QUERIES: Final = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES")


def _unfit(first: str, text: str) -> None:
    if first in _QUERIES and "`" in re.sub(r"'(?:[^']|'')*'", "", text):
        raise QueryFailed(
            "SYNTAX_ERROR: backquoted identifiers are not supported; use double quotes to quote identifiers",
            SYNTAX,
        )
    if first == "CREATE" and re.match(r"CREATE\s+EXTERNAL\s+TABLE\s+\S+\s+IF\s+NOT", text, re.IGNORECASE):
        raise QueryFailed("mismatched input 'IF' expecting {'(', 'PARTITIONED', ...}", SYNTAX)


def _parsed(text: str, tree: exp.Expr) -> Statement:
    query = not _hive(tree)
    translate.written(text, query=query)
    if query:
        translate.name_functions(tree, text)
    if isinstance(tree, exp.Query):
        return Statement("SELECT", DML, tree)
    if isinstance(tree, exp.Create):
        kind = _CREATED.get(str(tree.kind).upper())
        if kind == "CREATE_TABLE" and isinstance(tree.expression, exp.Query):
            return Statement("CREATE_TABLE_AS_SELECT", DDL, tree)
        if kind:
            return Statement(kind, DDL, tree)
    if isinstance(tree, exp.Drop) and str(tree.args.get("kind")).upper() in _DROPPED:
        return Statement(_DROPPED[str(tree.args["kind"]).upper()], DDL, tree)
    for pattern, kind in _CHANGES:
        if isinstance(tree, pattern):
            return Statement(kind, DML, tree)
    if isinstance(tree, exp.Values):
        width = len(tree.expressions[0].expressions) if isinstance(tree.expressions[0], exp.Tuple) else 1
        names = [exp.to_identifier(f"_col{at}", quoted=True) for at in range(width)]
        alias = exp.TableAlias(this=exp.to_identifier("rows", quoted=True), columns=names)
        return Statement("SELECT", DML, exp.select("*").from_(exp.Subquery(this=tree, alias=alias)))
    raise untranslated(text[:200])


_CHANGES: Final[tuple[tuple[Any, str], ...]] = (
    (exp.Insert, "INSERT"),
    (exp.Update, "UPDATE"),
    (exp.Delete, "DELETE"),
    (exp.Merge, "MERGE"),
)


def _hive(tree: exp.Expr) -> bool:
    if isinstance(tree, exp.Create):
        return not isinstance(tree.expression, exp.Query)
    return isinstance(tree, exp.Drop | exp.Alter)


def _bare(sql: str) -> str:
    """The text without comments before it, and without a semicolon after it."""
    text = re.sub(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", "", sql, flags=re.DOTALL)
    return text.strip().removesuffix(";").strip()


def unquoted(name: str) -> str:
    """A name without its quotes, in lower case."""
    return name.replace("`", "").replace('"', "").lower()


def table(text: str) -> exp.Table:
    """The table that a pattern found."""
    parts = [unquoted(part) for part in re.findall(r"`[^`]+`|\"[^\"]+\"|[^.]+", text)]
    return exp.table_(*reversed(parts[-3:]), quoted=True)


_PROPERTY: Final = re.compile(
    r"""['"]?([\w.\-]+)['"]?\s*=\s*(?:'([^']*)'|"([^"]*)"|(ARRAY\s*\[[^\]]*\])|([\w.]+))""", re.IGNORECASE
)


def properties(text: str) -> dict[str, str]:
    """`a = 'x', b = ARRAY['y', 'z']` by name; an array's members are joined by newlines."""
    properties: dict[str, str] = {}
    for match in _PROPERTY.finditer(text):
        name, single, double, array, bare = match.groups()
        value = single if single is not None else double if double is not None else bare
        if array:
            value = "\n".join(re.findall(r"'([^']*)'", array))
        properties[name.lower()] = value or ""
    return properties


_PARTITION: Final = re.compile(r"PARTITION\s*\(([^)]*)\)(?:\s*LOCATION\s*'([^']*)')?", re.IGNORECASE)


def partitions(text: str) -> list[tuple[dict[str, str], str]]:
    """The keys and the location of each `PARTITION (day = '...') LOCATION '...'`."""
    return [(properties(keys), location) for keys, location in _PARTITION.findall(text)]
