"""What a table entry says of a resource type of Google Cloud."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from twin.core.schema_facts import Facts, FromSchema
from twin.gcp.resources import stated
from twin.gcp.resources.change import Change
from twin.gcp.resources.fields import Fields
from twin.gcp.resources.validators import Validator, matches, one_of

SDK: Final = "pulumi_gcp"
FACTS: Final = Path(__file__).parents[1] / "facts.json"


class Entry(FromSchema):
    """The attributes of a resource type; twin/gcp/resources/base.py does what they say.

    What the real provider's schemas state (twin/gcp/facts.json) is added to each.
    """

    completed = (*FromSchema.completed, "validators")
    facts_file = FACTS
    package = SDK

    def __init_subclass__(cls, **options: Any) -> None:
        token = vars(cls).get("token")
        if token:
            table = stated.of_class(cls.__module__, token)
            for name in ("fields", "validators"):
                if name in table or name in vars(cls):
                    table[name] = {**table.get(name, {}), **vars(cls).get(name, {})}
            last = token.rpartition(":")[2]
            table |= {
                name: last for name in ("title", "schema") if name not in table and not hasattr(cls, name)
            }
            for name, value in table.items():
                setattr(cls, name, value)
        super().__init_subclass__(**options)

    @classmethod
    def complete(cls, facts: Facts) -> None:
        super().complete(facts)
        from_schema = {path: matches(pattern) for path, pattern in facts.get("patterns", {}).items()}
        from_schema |= {path: one_of(*values) for path, values in facts.get("enums", {}).items()}
        cls.validators = {**from_schema, **cls.validators}

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
    """Paths of properties that name another resource, with what a bare name is for
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
    demands: ClassVar[tuple[Mapping[str, Any], ...]] = ()
    """Refusals: `when` (twin.gcp.conditions), `words`, and the `path`, by default the first of `when`."""
    check_as: ClassVar[str | None] = None
    """The schema that a body is checked by without what the create method requires; "" where none is."""
    whole_id: ClassVar[str] = ""
    """The property that is the id as a whole."""
    deletes_by_policy: ClassVar[bool] = True
    """Whether `deletionPolicy` of the SDK's type (DELETE, PREVENT, ABANDON) decides what a delete does."""
    default_policy: ClassVar[str] = ""
    """The type's own `deletionPolicy` where the program says none; "": the provider's."""
    named_by_service: ClassVar[bool] = False
    """Whether the service makes the name, which is the id."""
    protected: ClassVar[str] = ""
    """What `deletionProtection` keeps, in words (`table {id}`)."""
    refused: ClassVar[Mapping[str, str]] = {}
    """Properties that the twin does not have, with the reason."""
    minutes: ClassVar[float] = 20
    """How long the provider waits for an operation unless customTimeouts says."""
    paths: ClassVar[Mapping[str, str]] = {}
    """The property concerned, by a part of Google's message."""
