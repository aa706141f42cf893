"""What kind of statement a text is, and the parts of those that sqlglot does not take apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from sqlglot import exp

from twin.aws.services.athena.queries import translate
from twin.aws.services.athena.queries.errors import SYNTAX, QueryFailed, untranslated

DML: Final = "DML"
DDL: Final = "DDL"
UTILITY: Final = "UTILITY"


@dataclass(frozen=True)
class Statement:
    """kind: Athena's SubstatementType. type: DML, DDL or UTILITY. place: where UNLOAD writes, or the database
    that SHOW TABLES names."""

    kind: str
    type: str
    tree: Any = None
    place: str = ""


_FLAGS: Final = re.IGNORECASE | re.DOTALL
_SHOW: Final = re.compile(r"SHOW\s+TABLES(?:\s+(?:IN|FROM)\s+([`\"\w-]+))?", _FLAGS)
_UNLOAD: Final = re.compile(r"UNLOAD\s*\((.*)\)\s*TO\s*'([^']*)'\s*(?:WITH\s*\((.*)\))?", _FLAGS)
_NOT_DONE: Final = {
    "OPTIMIZE": "OPTIMIZE: the twin compacts no files",
    "VACUUM": "VACUUM: the twin expires no snapshots",
    "EXPLAIN": "EXPLAIN: the twin has no plans of Trino's",
    **{word: word for word in ("ANALYZE", "PREPARE", "EXECUTE", "DEALLOCATE", "CALL", "MSCK", "VALUES")},
    **dict.fromkeys(("DESCRIBE", "DESC"), "DESCRIBE"),
    "SHOW": "this SHOW",
}
_KINDS: Final[tuple[tuple[Any, str], ...]] = (
    (exp.Insert, "INSERT"),
    (exp.Update, "UPDATE"),
    (exp.Delete, "DELETE"),
    (exp.Merge, "MERGE"),
    (exp.Query, "SELECT"),
)


def read(sql: str) -> Statement:
    """Take a statement apart. Raises QueryFailed for one that cannot be read or is not in the twin."""
    text = _bare(sql)
    if match := _SHOW.fullmatch(text):
        return Statement("SHOW_TABLES", UTILITY, None, (match[1] or "").strip('`"').lower())
    if match := _UNLOAD.fullmatch(text):
        # Its properties are those of CREATE TABLE AS, and sqlglot only reads that.
        properties = f"WITH ({match[3]})" if match[3] else ""
        created = read(f"CREATE TABLE unloaded {properties} AS {match[1]}")
        return Statement("UNLOAD", DML, created.tree, match[2])
    first = (re.match(r"\w+", text) or [""])[0].upper()
    if first in _NOT_DONE:
        raise untranslated(_NOT_DONE[first])
    _unfit(first, text)
    return _parsed(text, translate.parse(text))


_QUERIES: Final = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE")


def _unfit(first: str, text: str) -> None:
    if first in _QUERIES and "`" in re.sub(r"'(?:[^']|'')*'", "", text):
        raise QueryFailed(
            "SYNTAX_ERROR: backquoted identifiers are not supported; use double quotes to quote identifiers",
            SYNTAX,
        )
    if first == "CREATE" and re.match(r"CREATE\s+EXTERNAL\s+TABLE\s+\S+\s+IF\s+NOT", text, re.IGNORECASE):
        raise QueryFailed("mismatched input 'IF' expecting {'(', 'PARTITIONED', ...}", SYNTAX)


def _parsed(text: str, tree: Any) -> Statement:
    created = isinstance(tree, exp.Create)
    of_query = created and isinstance(tree.expression, exp.Query)
    if of_query or not isinstance(tree, exp.Create | exp.Drop | exp.Alter):
        translate.written(text)
        translate.name_functions(tree, text)
    for pattern, kind in _KINDS:
        if isinstance(tree, pattern):
            return Statement(kind, DML, tree)
    what = str(tree.args.get("kind")).upper()
    if of_query and what == "TABLE":
        return Statement("CREATE_TABLE_AS_SELECT", DDL, tree)
    if isinstance(tree, exp.Create | exp.Drop) and what in ("TABLE", "VIEW"):
        return Statement(f"{'CREATE' if created else 'DROP'}_{what}", DDL, tree)
    if isinstance(tree, exp.Alter) and isinstance(tree.args["actions"][0], exp.Schema):
        return Statement("ALTER_TABLE_ADD_COLUMNS", DDL, tree)
    raise untranslated(text[:200])


def _bare(sql: str) -> str:
    """The text without comments before it, and without a semicolon after it."""
    text = re.sub(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", "", sql, flags=re.DOTALL)
    return text.strip().removesuffix(";").strip()
