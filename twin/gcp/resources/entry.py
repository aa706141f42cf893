"""What a table entry says of a resource type of Google Cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from twin.gcp.resources import facts
from twin.gcp.resources.fields import Fields
from twin.gcp.resources.validators import Validator
from twin.resource import AutoName, ResourceType

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


class Entry(ResourceType):
    """The attributes of a resource type; twin/gcp/resources/base.py does what they say.

    What the real provider's schemas state (twin/gcp/facts.json) is added to each.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "token" in vars(cls):
            facts.completed(cls)

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
    sets: ClassVar[frozenset[str]] = frozenset()
    """Paths of lists whose order means nothing."""
    declared: ClassVar[frozenset[str]] = frozenset()
    """Read only where the program declares them: others write there too."""
    labels: ClassVar[str] = ""
    """The property with the labels (`labels`, `resourceLabels`), where the type has some."""
    labels_after: ClassVar[bool] = False
    """Creating takes no labels: they are set right after it."""
    label_call: ClassVar[str] = ""
    """The method that changes labels alone (`setLabels`); "": they change with the rest."""
    changes: ClassVar[tuple[Change, ...]] = ()
    nested_defaults: ClassVar[Mapping[str, Any]] = {}
    """Defaults of the provider's schema inside of objects, by path; `defaults` has those of the top."""
    validators: ClassVar[Mapping[str, Validator]] = {}
    conflicts: ClassVar[tuple[tuple[str, ...], ...]] = ()
    exactly_one: ClassVar[tuple[tuple[str, ...], ...]] = ()
    deletes_by_policy: ClassVar[bool] = True
    """Whether `deletionPolicy` of the SDK's type (DELETE, PREVENT, ABANDON) decides what a delete does."""
    default_policy: ClassVar[str] = ""
    """The type's own `deletionPolicy` where the program says none; "": the provider's."""
    minutes: ClassVar[float] = 20
    """How long the provider waits for an operation unless customTimeouts says."""
    at_least_one: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Groups of which one at least must be there, where the object is that they are in."""
    together: ClassVar[Mapping[str, list[str]]] = {}
    """Properties that need others."""
    immutable_blocks: ClassVar[frozenset[str]] = frozenset()
    """Objects that cannot be added or removed in place, though something in them can change."""
    server: ClassVar[frozenset[str]] = frozenset()
    """Paths of inputs that the cloud fills in where the program leaves them out."""
    suppressed: ClassVar[Mapping[str, str]] = {}
    """Paths whose differences a function of the provider decides on, or that only the cloud writes: no value
    from the program is no difference."""
    paths: ClassVar[Mapping[str, str]] = {}
    """The property at fault by a part of Google's message."""
