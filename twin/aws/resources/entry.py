"""What a table entry says of a resource type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from twin.aws.resources import entries
from twin.aws.resources.calls import Call, Change, Update, Wait
from twin.aws.resources.fields import Fields
from twin.aws.resources.refusals import Refused
from twin.aws.resources.tags import Tagging
from twin.core.schema_facts import FromSchema
from twin.provider_interface import AutoName

FACTS: Final = Path(__file__).parents[1] / "facts.json"


class Entry(FromSchema):
    """The attributes of a resource type of AWS; twin/aws/resources/base.py does what they say."""

    facts_file = FACTS
    package = "pulumi_aws"
    # moto fills in what AWS leaves out.
    strict = False
    service: ClassVar[str]
    """botocore's name of the service (`ec2`)."""
    title: ClassVar[str]
    """As the provider's errors call it (`EC2 Subnet`)."""
    called: ClassVar[str] = ""
    """What is in brackets behind the title while there is no id (`{clusterName}`); empty: the name."""
    fields: ClassVar[Fields] = {}
    create_call: ClassVar[Call]
    """Its parameters next to those that `fields` give."""
    id_path: ClassVar[str] = ""
    """jmespath of the id in the create call's answer."""
    id_form: ClassVar[str] = ""
    """`{clusterName}:{addonName}`, where the id is made of properties."""
    arn_form: ClassVar[str] = ""
    """For services whose answers do not hold the arn."""
    templates: ClassVar[Mapping[str, str]] = {}
    """Outputs that are made of others and of the place (`{bucket}.s3.{url_suffix}`)."""
    read_call: ClassVar[Call]
    item: ClassVar[str] = "@"
    """jmespath of the resource in the read call's answer."""
    gone: ClassVar[str] = ""
    """jmespath that is true for a resource that is still reported of, but deleted."""
    not_found: ClassVar[frozenset[str]] = frozenset()
    updates: ClassVar[tuple[Update, ...]] = ()
    change_call: ClassVar[Change | None] = None
    delete_call: ClassVar[Call | None] = None
    busy: ClassVar[frozenset[str]] = frozenset()
    """Codes of a delete that may succeed a little later (`DependencyViolation`)."""
    created: ClassVar[Wait | None] = None
    updated: ClassVar[Wait | None] = None
    deleted_seconds: ClassVar[float] = 0.0
    """A delete goes on after its call: wait until it is gone, at most this long. 0: it is gone at once."""
    tagging: ClassVar[Tagging | None] = None
    regional: ClassVar[bool] = True
    documents: ClassVar[frozenset[str]] = frozenset()
    """Paths of JSON documents, compared by meaning."""
    declared: ClassVar[frozenset[str]] = frozenset()
    """Read only where the program declares them, or on import: other resource types manage the same
    things (routes, rules, attached policies), and would show up here as drift."""
    others_change: ClassVar[frozenset[str]] = frozenset()
    """Outputs that other resources change in the ordinary course (an address's association): the state's
    value stays while it is known."""
    paths: ClassVar[Mapping[str, str]] = {}
    """The wrong property by AWS's error code."""
    references: ClassVar[Mapping[str, str]] = {}
    """Properties that name something that must exist, with the prefix of its id (`vpcId`: `vpc-`)."""
    name_prefix: ClassVar[tuple[str, str, int]] = ("", "", 255)
    """The property that holds a prefix, the one that holds the name, and the name's greatest length."""

    ranges: ClassVar[Mapping[str, Sequence[float]]] = {}
    """Properties with the least and the greatest number that they may be, or the least alone."""
    choices: ClassVar[Mapping[str, Sequence[Any]]] = {}
    """Properties with the values that they may have, where no published model states them."""
    policies: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Properties that are policy documents, with the arguments of document_failures."""
    refused: ClassVar[tuple[Refused, ...]] = ()

    autoname: AutoName | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        for name, value in entries.attributes(cls.__module__, cls.__name__).items():
            setattr(cls, name, value)
        super().__init_subclass__(**options)
