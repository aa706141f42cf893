"""What the provider core asks of a cloud: the contract between twin/provider.py and twin/<cloud>/.

Properties are Pulumi's camelCase names with plain Python values. In a preview a value that is not known
yet is `UNKNOWN`, wherever it is; a check must pass over it.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Props = dict[str, Any]


class _Unknown:
    """The value of an output that only the cloud knows, in a preview."""

    _instance: _Unknown | None = None

    def __new__(cls) -> _Unknown:
        cls._instance = cls._instance or super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()


@dataclass(frozen=True)
class Failure:
    """A property that is refused: `path` as Pulumi writes it (`vpcConfig.subnetIds[0]`), and why."""

    path: str
    reason: str


class CloudError(Exception):
    """The cloud refused. The text reads like the cloud's; `path`, if set, is the property that is wrong."""

    def __init__(self, message: str, *, code: str = "", path: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.path = path


class HalfMade(CloudError):  # noqa: N818 - the cloud's refusal, not a defect
    """A create or an update that failed midway, with something left in the cloud.

    The engine keeps the id and the outputs, shows the resource as failed, and reads and updates it in place
    next time, by `finish` and `update`. A create that raises a plain CloudError says by it that nothing is
    left: undo, or raise this.

    complete: every call of the create was made, and the resource itself failed (a node group that got no
    machine): nothing is left to finish, and a read says what became of it.
    """

    def __init__(
        self, message: str, id: str, state: Props, *, code: str = "", path: str = "", complete: bool = False
    ) -> None:
        super().__init__(message, code=code, path=path)
        self.id = id
        self.state = state
        self.complete = complete


class Cancelled(Exception):  # noqa: N818 - as asyncio's
    """The engine cancelled while something waited; what was begun is resumed by the next run."""


class Unreachable(Cancelled):
    """No answer came: whether the call was executed is not known, and the next run resumes it."""


CANCELLED: Final = threading.Event()
"""Set when the engine cancels or the provider is stopped."""


_WAITED: Final = threading.local()


def pause(seconds: float) -> None:
    """Sleep, as everything that waits for the cloud must; raise Cancelled as soon as the engine cancels."""
    _WAITED.seconds = waited() + seconds
    if CANCELLED.wait(seconds):
        raise Cancelled("cancelled while waiting for the cloud")


def waited() -> float:
    """Return how many seconds this thread has slept in `pause`: what the cloud needs, and no work of ours."""
    return getattr(_WAITED, "seconds", 0.0)


@dataclass(frozen=True)
class AutoName:
    """How Check fills a name that the program leaves out, as the real provider's autonaming does."""

    property: str = "name"
    max_length: int = 255
    separator: str = "-"
    lower: bool = False
    """The real provider lower-cases a few types' names (S3 buckets)."""


class Context(ABC):
    """One configured provider: where its calls go and what is common to all of its resources."""

    region: str
    account: str

    @abstractmethod
    def with_intent(self, intent: str) -> Context:
        """The same, with every mutating call keyed by this intent: repeated, it answers what it answered."""

    def with_timeout(self, seconds: float | None) -> Context:
        """The same, with the resource's customTimeouts: how long a wait may take; None for the type's own."""
        return self


class ResourceType(ABC):
    """One resource type. Nothing here may keep state: the store and the cloud's API server do."""

    token: str
    """`aws:ec2/vpc:Vpc`."""
    computed: frozenset[str] = frozenset()
    """Outputs that only the cloud knows: unknown in a preview of Create. So is every output of the SDK's
    type that is no input."""
    immutable: frozenset[str] = frozenset()
    """Property paths without indices (`name`, `vpcConfig.subnetIds`) whose change is a replacement."""
    nested_computed: frozenset[str] = frozenset()
    """Paths of outputs inside an input object (`vpcConfig.clusterSecurityGroupId`) that only the cloud knows:
    unknown in a preview of Create, the state's in one of Update."""
    volatile: frozenset[str] = frozenset()
    """Outputs that an update may change (`latestVersion`): unknown in a preview of Update."""
    secrets: frozenset[str] = frozenset()
    """Outputs that are secret."""
    autoname: AutoName | None = None
    delete_before_replace: bool = False
    defaults: Mapping[str, Any] = {}
    """What Check fills in where the program says nothing, as the real provider's schema does."""

    @abstractmethod
    def check(self, context: Context, inputs: Props) -> Sequence[Failure]:
        """Validate by the service's published model and by rules that need no state. UNKNOWN passes."""

    def same(self, path: str, old: Any, new: Any) -> bool:
        """Whether two values of a property mean the same (JSON documents, order of a set...)."""
        return bool(old == new)

    def replaces(self, path: str, old: Props, new: Props) -> bool:
        """Whether a change at this path (without indices) is a replacement; override where values decide."""
        return any(path == p or path.startswith((p + ".", p + "[")) for p in self.immutable)

    def unasked(self, state: Props, inputs: Props) -> Iterable[tuple[str | int, ...]]:
        """Paths where the cloud has what these inputs do not ask for, and the real provider would take away.

        An input that its schema calls optional and not computed must be what the program says: a value that
        the service fills in by itself there is a change in every preview.
        """
        return ()

    @abstractmethod
    def create(self, context: Context, inputs: Props) -> tuple[str, Props]:
        """Make it; answer the id and all outputs. May raise CloudError. Repeatable under one intent."""

    @abstractmethod
    def read(self, context: Context, id: str, state: Props) -> Props | None:
        """All outputs as the cloud has them now, or None where it is gone. `state` is what was known
        (empty on import): what the API does not return is taken from it."""

    @abstractmethod
    def update(self, context: Context, id: str, old: Props, new: Props) -> Props:
        """Change it in place from the old outputs to the new inputs; answer all outputs."""

    def finish(self, context: Context, id: str, inputs: Props) -> None:  # noqa: B027 - most have nothing
        """Make what a create that failed midway (HalfMade) did not come to, before it is updated.

        A read does not show all of it: a default rule that the create takes away is none of the inputs.
        """

    @abstractmethod
    def delete(self, context: Context, id: str, state: Props) -> None:
        """Delete it; one that is gone already is no error."""

    def inputs(self, state: Props) -> Props:
        """The inputs that would give this state (for refresh and import): by default, the SDK's Args
        properties that stand in it."""
        raise NotImplementedError  # the core overlays its default, made from the SDK's types


class FunctionType(ABC):
    """One function (`aws:index/getCallerIdentity:getCallerIdentity`)."""

    token: str

    @abstractmethod
    def invoke(self, context: Context, arguments: Props) -> Props:
        """Answer, or raise CloudError."""


class Cloud(ABC):
    """A cloud as the provider core sees it."""

    name: str
    """`aws`, the package's name."""
    sdk: str
    """The Python package that carries the types: `pulumi_aws`."""
    identity: frozenset[str] = frozenset({"region"})
    """Provider configuration whose change means another place: the provider and all in it are replaced."""

    @abstractmethod
    def check_config(self, config: Props) -> Sequence[Failure]:
        """Validate a provider's configuration without a call."""

    @abstractmethod
    def configure(self, config: Props) -> Context:
        """A context for this configuration; CloudError where the cloud refuses it (wrong account...)."""

    def moves(self, old: Props, new: Props) -> Sequence[str]:
        """The keys of a provider's configuration whose change means another place or another account."""
        return sorted(key for key in self.identity if key in old and old.get(key) != new.get(key))

    @abstractmethod
    def resource(self, token: str) -> ResourceType | None:
        """The table entry of a token, or None."""

    @abstractmethod
    def function(self, token: str) -> FunctionType | None:
        """The function of a token, or None."""

    @abstractmethod
    def where_to_add(self, token: str) -> str:
        """The file, relative to the repository, where an entry for this token belongs."""

    def prepare(self, context: Context, token: str, inputs: Props) -> Props:
        """What the provider adds to every resource's inputs after Check and before Diff or Create: on AWS
        nothing is added to the inputs; `tagsAll` becomes default_tags merged with tags.

        The core hands the answer to ResourceType.create and update, and shows what was added as known in a
        preview; Diff compares it with the outputs of that name, so that a change of default_tags shows. Add a
        property only to a type whose SDK has it: `schema` in twin/checks/sdk.py shows it."""
        return inputs
