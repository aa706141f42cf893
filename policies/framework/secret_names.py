"""Names of settings whose values are secrets, and values that only name a secret: a reference, a path,
another variable."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PASSWORDS: Final = ("password", "passwd", "passphrase")
_STRONG: Final = (
    "db pass",
    "user pass",
    "root pass",
    "admin pass",
    "pwd",
    "api key",
    "apikey",
    "access key",
    "account key",
    "auth token",
    "access token",
    "bearer token",
    "bot token",
    "refresh token",
    "client secret",
    "encryption key",
    "master key",
    "private key",
    "secret key",
    "signing key",
)
"""Ends of names whose values are secrets, whatever they look like."""
_WEAK: Final = ("secret", "token", "credential", "credentials", "pass")
"""Ends of names whose values are secrets, or the names of such."""
_VARIANTS: Final = frozenset(
    (
        "dev",
        "test",
        "stage",
        "staging",
        "prod",
        "production",
        "old",
        "new",
        "primary",
        "secondary",
        "default",
        "value",
        "plain",
        "plaintext",
        "v",
    )
)
"""Last words of a name that do not change what it is: `DB_PASSWORD_PROD`."""
_ABOUT: Final = frozenset(
    (
        "arn",
        "command",
        "count",
        "days",
        "env",
        "expiry",
        "field",
        "file",
        "files",
        "folder",
        "hash",
        "header",
        "id",
        "key",
        "length",
        "max",
        "min",
        "name",
        "names",
        "path",
        "policy",
        "prompt",
        "ref",
        "reset",
        "rotation",
        "secret",
        "stdin",
        "store",
        "ttl",
        "type",
        "url",
        "uri",
        "var",
        "version",
    )
)
"""Last words of a name that is about a password: `PASSWORD_FILE`."""

_REFERENCE: Final = re.compile(
    r"^[$`<{%*]|^arn:|^projects/|^[.~]?/|://|\.(?:json|pem|key|crt|txt|ya?ml)$"
    r"|^(?:vault|ssm|sm|secretsmanager|secretmanager|file|env|op|ref|secret|k8s)[:/]"
    r"|^(?:true|false|yes|no|none|null|required|optional|enabled|disabled|auto|str|string|bytes|any)$",
    re.IGNORECASE,
)
_FOLDERS: Final = re.compile(r"[\w.@-]+(?:/[\w.@-]+)+")
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:[-._][a-z0-9]{1,24})*")
_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_SHORTEST: Final = 3
_RANDOM: Final = 20


@lru_cache(4096)
def _words(name: str) -> tuple[str, ...]:
    """Return the words of a name, in lower case. Cached: the names of a file repeat."""
    words = [word.lower() for word in _WORD.findall(name)]
    while len(words) > 1 and (words[-1] in _VARIANTS or words[-1].isdigit()):
        words.pop()
    return tuple(words)


def is_secret(name: str, value: str) -> bool:
    """Return whether a setting with this name and value is a secret in clear text. A value that names where
    the secret is (an ARN, a path, another variable, the name of a Secret) is none."""
    words = list(_words(name))
    if not words or len(value) < _SHORTEST or is_reference(value):
        return False
    last = " ".join(words[-2:])
    of_password = words[-1].endswith(_PASSWORDS) or (words[0] in _PASSWORDS and words[-1] not in _ABOUT)
    strong = of_password or any(
        f" {last}".endswith(f" {end}") for end in _STRONG if len(words) > 1 or end == "apikey"
    )
    if strong or " ".join(words[-3:]) == "secret access key":
        return not _names_a_secret(value)
    return words[-1] in _WEAK and len(words) + len(value) > _SHORTEST + 1 and not _is_name(value)


def is_reference(value: str) -> bool:
    """Return whether a value states where a secret is, and contains none."""
    if _REFERENCE.search(value):
        return True
    return bool(_FOLDERS.fullmatch(value)) and not _is_random(value)


def is_literal(value: str) -> bool:
    """Return whether a value in a text is more than the name of another setting."""
    return not (_VARIABLE.fullmatch(value) or re.fullmatch(r"[a-z_]+(?:\.[a-z_]+)+", value))


def _is_name(value: str) -> bool:
    """Return whether a value is the name of something: `mlflow-db`, `GITHUB_TOKEN`, `3600`."""
    if value.isdigit() or _VARIABLE.fullmatch(value):
        return True
    mixed = any(char.isdigit() for char in value) and not re.search("[-._]", value)
    return bool(_NAME.fullmatch(value)) and not mixed


def _names_a_secret(value: str) -> bool:
    """Return whether a value is the name of a Secret: `mlflow-db-password`."""
    words = _words(value)
    return _is_name(value) and len(words) > 1 and words[-1] in (*_PASSWORDS, *_WEAK)


def _is_random(value: str) -> bool:
    kinds = (str.isupper, str.islower, str.isdigit)
    return len(value) >= _RANDOM and all(any(map(kind, value)) for kind in kinds)
