"""Databases and tables as the rest of a lakehouse on AWS knows them, whichever store they are in."""

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True)
class Database:
    """A zone's database."""

    made: pulumi.Resource
    name: pulumi.Input[str]


@dataclass(frozen=True)
class Entry:
    """A table."""

    made: pulumi.Resource
    database_name: pulumi.Input[str]
    name: pulumi.Input[str]
    location: pulumi.Input[str]
