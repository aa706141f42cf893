"""What a table entry says of a resource type of Google Cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

from twin.core.schema_facts import Facts, FromSchema
from twin.gcp.resources.fields import Fields
from twin.gcp.resources.validators import Validator, matches, one_of
from twin.provider_interface import AutoName

SDK: Final = "pulumi_gcp"
FACTS: Final = Path(__file__).parents[1] / "facts.json"
COMPUTE_NAME = AutoName("name", max_length=63, lower=True)


@dataclass(frozen=True)
class Change:
    """A call that carries a change.

    when: properties; the call is made when one of them changed. method: below the entry's collection, or a
    whole id. send: the properties that its body holds; None: those of `when` that changed. whole: all
    properties. mask: whether the query names the fields that change (`updateMask`). body: more of the body,
    with `{name}` for values. fingerprint: the field that must come from a read right before.
    """

    when: tuple[str, ...]
    method: str = "patch"
    send: tuple[str, ...] | None = None
    whole: bool = False
    mask: bool = False
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    fingerprint: str = ""


class Entry(FromSchema):
    """The attributes of a resource type; twin/gcp/resources/base.py does what they say.

    What the real provider's schemas state (twin/gcp/facts.json) is added to each.
    """

    completed = (*FromSchema.completed, "validators")
    facts_file = FACTS
    package = SDK

    @classmethod
    def complete(cls, facts: Facts) -> None:
        super().complete(facts)
        stated = {path: matches(pattern) for path, pattern in facts.get("patterns", {}).items()}
        stated |= {path: one_of(*values) for path, values in facts.get("enums", {}).items()}
        cls.validators = {**stated, **cls.validators}

    title: ClassVar[str]
    """As the provider's errors call it (`Subnetwork`)."""
    collection: ClassVar[str]
    """The methods' ids without the last word (`compute.subnetworks`)."""
    schema: ClassVar[str]
    """The API's schema of the resource (`Subnetwork`)."""
    request: ClassVar[str] = ""
    """The schema of what creating sends where it is another (`CreateServiceAccountRequest`)."""
    params: ClassVar[Mapping[str, str]] = {}
    """Parameters of all methods, with `{name}` for values."""
    create_params: ClassVar[Mapping[str, str]] = {}
    """Of creating alone (`parent`, `keyRingId`)."""
    create_method: ClassVar[str] = "insert"
    read_method: ClassVar[str] = "get"
    delete_method: ClassVar[str] = "delete"
    """"" where the API has no delete."""
    id_form: ClassVar[str]
    """`projects/{project}/global/networks/{name}`."""
    place: ClassVar[str] = ""
    """The property that says where it is (`region`, `zone`, `location`), which the provider may know."""
    has_project: ClassVar[bool] = True
    importable: ClassVar[bool] = True
    """Whether the provider can take over a resource by its id alone."""
    fields: ClassVar[Fields] = {}
    links: ClassVar[Mapping[str, str]] = {}
    """Paths of properties that name another resource, with what a bare name stands for
    (`projects/{project}/global/networks/{value}`; "" where the API takes the name)."""
    names: ClassVar[frozenset[str]] = frozenset()
    """Properties that the API answers as links and that are names here (`region`)."""
    declared: ClassVar[frozenset[str]] = frozenset()
    """Read only where the program declares them: others write there too."""
    labels: ClassVar[str] = ""
    """The property with the labels (`labels`, `resourceLabels`), where the type has some."""
    labels_after: ClassVar[bool] = False
    """Creating takes no labels: they are set right after it."""
    label_call: ClassVar[str] = ""
    """The method that changes labels alone (`setLabels`); "": they change with the rest."""
    changes: ClassVar[tuple[Change, ...]] = ()
    validators: ClassVar[Mapping[str, Validator]] = {}
    deletes_by_policy: ClassVar[bool] = True
    """Whether `deletionPolicy` of the SDK's type (DELETE, PREVENT, ABANDON) decides what a delete does."""
    default_policy: ClassVar[str] = ""
    """The type's own `deletionPolicy` where the program says none; "": the provider's."""
    minutes: ClassVar[float] = 20
    """How long the provider waits for an operation unless customTimeouts says."""
    paths: ClassVar[Mapping[str, str]] = {}
    """The property at fault by a part of Google's message."""
