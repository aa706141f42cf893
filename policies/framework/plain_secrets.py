"""Secrets in clear text: by the form of a value, by the name of a setting, and in commands and files.

The rules are few, and no library's: the pack needs pulumi alone. A problem names the setting and the kind of
the secret, never the value.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any, Final, cast

from .policy import Outcome, Violation, check_each
from .properties import Entry, Properties
from .secret_names import is_literal, is_secret
from .values import UNKNOWN, Hidden

_FORMS: Final = {
    "an access key of AWS": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----"),
    "an API key of Google": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "a client secret of Google": re.compile(r"\bGOCSPX-[0-9A-Za-z_-]{20,}"),
    "a token of GitHub": re.compile(r"\b(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{40,})\b"),
    "a token of GitLab": re.compile(r"\bglpat-[0-9A-Za-z_-]{20,}"),
    "a token of Slack": re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{10,}"),
    "a webhook of Slack": re.compile(r"hooks\.slack\.com/services/T\w+/B\w+/\w+"),
    "a token of Hugging Face": re.compile(r"\bhf_[0-9A-Za-z]{30,}\b"),
    "a key of OpenAI or Anthropic": re.compile(r"\bsk-(?:proj-|ant-)?[0-9A-Za-z_-]{20,}"),
    "a key of Stripe": re.compile(r"\b[rs]k_live_[0-9A-Za-z]{16,}"),
    "a token of npm": re.compile(r"\bnpm_[0-9A-Za-z]{36}\b"),
    "a token of PyPI": re.compile(r"\bpypi-AgEI[0-9A-Za-z_-]{30,}"),
    "a token of Docker Hub": re.compile(r"\bdckr_pat_[0-9A-Za-z_-]{20,}"),
    "a token of Databricks": re.compile(r"\bdapi[0-9a-f]{32}\b"),
    "a token of Vault": re.compile(r"\bhvs\.[0-9A-Za-z_-]{20,}"),
    "a signed token (JWT)": re.compile(r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}"),
    # What begins with `$`, `{`, `<`, `*` or `%(` is filled in later.
    "a password in an address": re.compile(
        r"\b[a-z][a-z0-9+.-]{1,30}://[^/\s:@\"']{0,80}:(?![$*<{]|%[({])[^/\s:@\"']{1,200}@"
    ),
}
"""The kind of a secret -> the form of its values."""

_HEADER: Final = re.compile(r"(?:bearer|basic|token) (?![$<{%])[\w+/.=-]{8,}", re.IGNORECASE)
_COMMANDS: Final = {
    "a password of a user": re.compile(
        r"\becho\s+[\"']?[\w.-]+:(?![$<{])[^\s\"'|]+[\"']?\s*\|\s*(?:sudo\s+)?chpasswd"
    ),
    "a password for sshpass": re.compile(r"\bsshpass\s+-p\s*[\"']?(?![\s$<{\"'])\S{3,}"),
    "a password for MySQL": re.compile(
        r"\b(?:mysql|mysqldump|mariadb)\s[^\n|;]{0,200}?\s-p[\"']?(?![\s$<{\"'])\S{3,}"
    ),
    "a password for Redis": re.compile(r"\bredis-cli\s[^\n|;]{0,200}?-a\s+[\"']?(?![\s$<{\"'])\S{3,}"),
    "a password for docker login": re.compile(
        r"\bdocker\s+login\s[^\n|;]{0,200}?\s-p\s+[\"']?(?![\s$<{\"'])\S{3,}"
    ),
    "a password for curl": re.compile(
        r"\bcurl\s[^\n|;]{0,200}?(?:-u|--user)\s+[\"']?[\w.@-]+:(?![$<{])[^\s\"']{3,}"
    ),
    "a password in a connection string": re.compile(r";\s*pwd\s*=\s*(?![$<{%])[^;\s\"']{3,}", re.IGNORECASE),
    "a password in a file of PostgreSQL": re.compile(
        r"^[\w.*-]{1,200}:543\d:[^:\s]{1,80}:[^:\s]{1,80}:(?![$<{])\S{3,}$", re.MULTILINE
    ),
    "a login of a registry": re.compile(r"\\?\"auth\\?\"\s*:\s*\\?\"[A-Za-z0-9+/=]{12,}\\?\""),
    "a password of cloud-init": re.compile(
        r"chpasswd:\s*\n(?:[^\n]{0,200}\n)?\s+list:\s*\|?\s*\n\s+-?\s*[\w-]+:(?![$<{]|R(?:ANDOM)?\b)\S{3,}"
    ),
    "a token in a header": re.compile(
        r"authorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic|token)\s+(?![$<{])[\w+/.=-]{16,}", re.IGNORECASE
    ),
}
"""The kind of a secret -> the command that has it."""

# `NAME=value`, `"name": "value"`, `name: value`, `--name value`. In a program only a value in quotes is one.
_ASSIGNMENT: Final = re.compile(
    r"(?<![\w$.{/-])(?P<flag>--?)?\\?[\"']?(?P<name>[A-Za-z_][\w.-]{1,60})\\?[\"']?"
    r"(?P<by>[ \t]{0,4}(?:=>|:=|[=:])[ \t]{0,4}|(?(flag)[ \t]{1,4}|(?!)))"
    r"(?:\\?\"(?P<double>[^\"\\\n]{3,200})|'(?P<single>[^'\n]{3,200})'|(?P<bare>[^\s\"'`;&,|(){}\[\]\\]{3,200})(?!\())"
)
_SHORTEST_ENCODED: Final = 16
_LONGEST: Final = 256 * 1024
"""How many characters of a text are searched."""
_PROGRAMS: Final = (".py", ".go", ".js", ".ts", ".java", ".rs", ".lua", ".md", ".rego", ".cel")
"""Endings of files in which `password = other` names another variable."""


def form_of(value: str) -> str | None:
    """Return the kind of secret that a value contains by its form; None where it contains none."""
    return next((kind for kind, form in _FORMS.items() if form.search(value)), None)


def setting_problem(name: Any, value: Any, *, secrets: bool = True) -> str | None:
    """Return the problem of a setting with this name and value, None where it is no secret.

    secrets: whether a value that the program treats as a secret is one. Not for properties that the provider
    always treats so.
    """
    if not isinstance(value, str) or not value:
        return None
    if secrets and isinstance(value, Hidden):
        return f"{name!r} contains a secret of the program"
    kind = form_of(value)
    if kind is not None:
        return f"{name!r} contains what looks like {kind}"
    if isinstance(name, str) and name.lower() == "authorization" and _HEADER.match(value):
        return f"{name!r} contains a token"
    if isinstance(name, str) and is_secret(name, value):
        return f"{name!r} contains a value, and is a secret by its name"
    return None


def text_problem(text: str, file: str = "") -> str | None:
    """Return the problem of a script, a file or a command, None where it contains no secret. file: its name,
    by which programs are distinguished from settings."""
    text = text[:_LONGEST]
    kind = form_of(text) or next((kind for kind, form in _COMMANDS.items() if form.search(text)), None)
    if kind is not None:
        return f"contains what looks like {kind}"
    program = file.endswith(_PROGRAMS)
    for match in _ASSIGNMENT.finditer(text):
        quoted = match["double"] or match["single"]
        if quoted is None and program:
            continue
        if is_secret(match["name"], quoted or match["bare"]) and is_literal(quoted or match["bare"]):
            return f"sets {match['name']!r} to a value, a secret by its name"
    return None


def check_setting(path: str, name: Any, value: Any) -> Iterator[Outcome]:
    """Check a setting, also the settings in its text. Raises Deferred where the value is unknown."""
    value = Entry(path, value).known()
    problem = setting_problem(name, value)
    if problem is None and isinstance(value, str):
        file = name if isinstance(name, str) else ""
        inner = text_problem(value, file) or text_problem(decoded(value) or "", file)
        problem = f"{name!r} {inner}" if inner else None
    if problem:
        yield Violation(path, problem)


def check_mapping(properties: Properties, path: str) -> Iterator[Outcome]:
    """Check a mapping of names to values."""
    where, mapping = properties.where(path), properties.mapping(path)
    if len(mapping) > 1 and all(isinstance(value, Hidden) for value in mapping.values()):
        # One secret among its sources makes the engine treat the whole mapping as one.
        yield Violation(where, "is a secret of the program as a whole")
        return
    yield from check_each(mapping, _check_entry, mapping, where)


def _check_entry(name: str, mapping: Any, where: str) -> Iterator[Outcome]:
    yield from check_setting(f"{where}[{name}]", name, mapping[name])


def check_variables(properties: Properties, path: str) -> Iterator[Outcome]:
    """Check a list of variables with `name` and `value`."""
    yield from check_each(properties.entries(path), _check_variable)


def _check_variable(variable: Entry) -> Iterator[Outcome]:
    yield from check_setting(variable.where("value"), variable.raw("name"), variable.raw("value"))
    variable.known("name")


def check_arguments(properties: Properties, path: str) -> Iterator[Outcome]:
    """Check the arguments of a command: `--password=VALUE`, `--password VALUE`, `sh -c TEXT`."""
    arguments = list(properties.entries(path))
    flags = ["", *(entry.raw() for entry in arguments)]
    yield from check_each(zip(arguments, flags, strict=False), _check_argument)


def _check_argument(pair: tuple[Entry, Any]) -> Iterator[Outcome]:
    entry, flag = pair
    value = entry.known()
    if not isinstance(value, str):
        return
    if isinstance(flag, str) and flag.startswith("-") and "=" not in flag:
        problem = setting_problem(flag, value)
    else:
        problem = "contains a secret of the program" if isinstance(value, Hidden) else None
    problem = problem or text_problem(value)
    if problem:
        yield Violation(entry.path, problem)
    elif flag is UNKNOWN:
        Entry(entry.path, flag).known()


def check_text(properties: Properties, path: str) -> Iterator[Outcome]:
    """Check a script that a machine runs at its start, as text or in base64."""
    where, text = properties.where(path), properties.known(path)
    if isinstance(text, Hidden):
        yield Violation(where, "contains a secret of the program")
    elif isinstance(text, str):
        problem = text_problem(decoded(text) or text)
        if problem:
            yield Violation(where, problem)


def decoded(text: str) -> str | None:
    """Return the text that is encoded in base64; None where it is not."""
    if len(text) < _SHORTEST_ENCODED:
        return None
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


def parsed(properties: Properties, path: str) -> Entry:
    """Return the JSON document at a path, as an entry. A document that the cloud refuses is empty. Raises
    Deferred where it is unknown."""
    document = properties.known(path)
    if isinstance(document, str):
        try:
            # str(): of a secret it is not the text.
            document = json.loads("".join(document))
        except ValueError:
            document = None
    return Entry(properties.where(path), cast("Any", document))
