"""Validators of the provider's schema, with the words of the Terraform SDK behind it.

A validator answers what is wrong with a value, or "". The words name the property as Pulumi shows it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from twin.core.schema_facts import at
from twin.provider_interface import UNKNOWN, Failure, Props

Validator = Callable[[str, Any], str]


def _validator(good: Callable[[Any], bool], words: str, **details: Any) -> Validator:
    """The validator with these words ({name}, {value}, {size}, details) for what is not good."""

    def check(name: str, value: Any) -> str:
        if good(value):
            return ""
        return words.format(name=name, value=value, size=len(str(value)), **details)

    return check


def one_of(*values: str) -> Validator:
    """One of these texts."""
    choices = " ".join(f'"{choice}"' for choice in values)
    words = "expected {name} to be one of [{choices}], got {value}"
    return _validator(lambda value: value in values, words, choices=choices)


def between(least: float, most: float) -> Validator:
    """A number in this range."""
    words = "expected {name} to be in the range ({least:g} - {most:g}), got {value}"
    return _validator(
        lambda value: isinstance(value, int | float) and least <= value <= most,
        words,
        least=least,
        most=most,
    )


def at_least(least: int) -> Validator:
    """A number no less than this."""
    words = "expected {name} to be at least ({least}), got {value}"
    return _validator(lambda value: isinstance(value, int | float) and value >= least, words, least=least)


def matches(pattern: str) -> Validator:
    """A text that the expression describes."""
    words = '"{name}" ("{value}") doesn\'t match regexp "{pattern}"'
    return _validator(
        lambda value: isinstance(value, str) and re.search(pattern, value) is not None, words, pattern=pattern
    )


def rfc1035(least: int, most: int) -> Validator:
    """A name by RFC 1035 of this length."""
    sized = _validator(
        lambda value: least <= len(str(value)) <= most,
        f'"{{name}}" ("{{value}}") must be between {least} and {most} characters long',
    )
    formed = _validator(
        lambda value: re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", str(value)) is not None,
        '"{name}" ("{value}") must match regex "^[a-z]([-a-z0-9]*[a-z0-9])?$"',
    )
    return lambda name, value: sized(name, value) or formed(name, value)


def length(least: int, most: int) -> Validator:
    """A text of this length."""
    return _validator(
        lambda value: isinstance(value, str) and least <= len(value) <= most,
        f"expected length of {{name}} to be in the range ({least} - {most}), got {{value}} ({{size}})",
    )


def cidr(name: str, value: Any) -> str:
    """An IP range."""
    try:
        ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        return f'"{name}" is not a valid IP CIDR range: invalid CIDR address: {value}'
    return (
        "" if "/" in str(value) else (f'"{name}" is not a valid IP CIDR range: invalid CIDR address: {value}')
    )


def cidr_of(least: int, most: int) -> Validator:
    """A network address with a prefix of this length."""

    def check(name: str, value: Any) -> str:
        if cidr(name, value):
            return f"expected {name} to be a valid CIDR Value, got {value}"
        network = ipaddress.ip_network(str(value), strict=False)
        if str(network) != str(value):
            return f"expected {name} to be a valid network Value, got {value}: expected {network}"
        if not least <= network.prefixlen <= most:
            return (
                f"expected {name!r} to contain a network Value with between {least} and {most} significant "
                f"bits, got: {network.prefixlen}"
            )
        return ""

    return check


def or_empty(check: Validator) -> Validator:
    """The empty text passes."""
    return lambda name, value: "" if value == "" else check(name, value)


def wrong_values(validators: Mapping[str, Validator], inputs: Props) -> Iterator[Failure]:
    """What these validators, by path without indices, refuse of the inputs; UNKNOWN passes."""
    for path, check in validators.items():
        for where, value in at(inputs, path.split(".")):
            if value is None or value is UNKNOWN:
                continue
            reason = check(path.rpartition(".")[2], value)
            if reason:
                yield Failure(where, reason)
