"""Arguments of a function in parts: its package, the objects that it reads, writes and gets events of, and
its URL."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from pulumi import Input

from aiplatform._shared.args import Problem, distinct, got, length, matches, one_of
from aiplatform.function import limits
from aiplatform.lakehouse.tables import Zone

FILES: Final = "files/"
"""The folder of a zone's bucket for what is not part of a table."""
_OBJECT: Final = matches(r"[^\s*?]+", "a key without wildcards")
_PREFIX: Final = matches(r"[^\s*?\"\\$]*", "a prefix without wildcards, quotes and variables")
"""It is part of policies."""


@dataclass(frozen=True)
class FunctionPackage:
    """AWS: code as a zip archive, with its dependencies. Either `path`, or `bucket` and `key`."""

    runtime: Annotated[str, one_of(limits.RUNTIMES)]
    """The runtime: `python3.12` to `python3.14`, `nodejs22.x` or `nodejs24.x`."""
    handler: Annotated[str, limits.HANDLER]
    """What Lambda calls: a module and its function, `ingest.handler.handle`."""
    path: str | None = None
    """A folder or a zip file on the machine that runs the program: at most 50 MB zipped, 250 MB unzipped."""
    bucket: Input[str] | None = None
    """The bucket of a zip file, in the function's region."""
    key: Annotated[Input[str], _OBJECT] | None = None
    """The key of the zip file there."""
    version: Input[str] | None = None
    """The version of that object. Required with `bucket`: Lambda reads it once, and a new object at the same
    key changes nothing."""

    def check(self) -> Iterator[Problem]:
        """Return problems of the place of the package, and of one on this machine."""
        if (self.path is None) == (self.bucket is None):
            both = "got both" if self.path is not None else "got none"
            yield Problem("path", f"{both} `path` and `bucket`; expected one of the two")
            return
        for key in ("key", "version"):
            if (getattr(self, key) is None) != (self.bucket is None):
                expected = (
                    f"expected the object's {key}" if self.bucket is not None else "expected it with `bucket`"
                )
                yield Problem(key, f"{'missing' if self.bucket is not None else 'got one'}; {expected}")
        if self.path is not None:
            yield from limits.package_problems(self.path, self.runtime, self.handler)


@dataclass(frozen=True)
class FunctionObjects:
    """Objects of a bucket: of a zone of `lakehouse`, or of another bucket."""

    zone: Zone | None = None
    """The zone of the lakehouse, `raw`. Either this or `bucket`."""
    bucket: Input[str] | None = None
    """The bucket's name."""
    prefix: Annotated[str, _PREFIX] = ""
    """Only objects whose key begins so, `files/incoming/`. Required with `zone`, below `files/`. Default
    all."""
    kms_key: Input[str] | None = None
    """AWS: the arn of the key that encrypts the bucket. Default: that of the lakehouse with `zone`, else S3's
    managed key."""

    def check(self) -> Iterator[Problem]:
        """Return missing and contradicting keys."""
        yield from _source(self.zone, self.bucket, self.prefix)


def _source(zone: Zone | None, bucket: Input[str] | None, prefix: str) -> Iterator[Problem]:
    if (zone is None) == (bucket is None):
        both = "got both" if zone is not None else "got none"
        yield Problem("zone", f"{both} `zone` and `bucket`; expected one of the two")
    if zone is not None and not prefix.startswith(FILES):
        yield Problem(
            "prefix", f"{got(prefix)}; expected one below `{FILES}`: a table of a zone changes by commits"
        )


@dataclass(frozen=True)
class FunctionEvent:
    """Objects whose creation calls the function, at least once each and in no order. Calls that fail are
    repeated; what fails then becomes a dead letter."""

    zone: Zone | None = None
    """The zone of the lakehouse, `raw`. Either this or `bucket`."""
    bucket: Input[str] | None = None
    """The bucket's name, in the function's account or project. On AWS it sends its events to EventBridge.
    State a bucket of the same program as its output: a name is looked up before anything is created."""
    prefix: Annotated[str, _PREFIX] = ""
    """Only objects whose key begins so, `files/incoming/`. Required with `zone`, below `files/`. Default
    all."""
    suffix: Annotated[str, _PREFIX] = ""
    """AWS: only objects whose key ends so, `.json`. Default all."""

    def check(self) -> Iterator[Problem]:
        """Return missing and contradicting keys."""
        yield from _source(self.zone, self.bucket, self.prefix)


@dataclass(frozen=True)
class FunctionHttp:
    """A URL at which the cloud authenticates every caller."""

    callers: Annotated[list[Input[str]], length(1, 20, "callers"), distinct]
    """Principals that may call it. AWS: arns of IAM roles; requests have their signature.
    Google Cloud: members such as `serviceAccount:EMAIL` or `group:EMAIL`; requests have their identity token.
    Never all users."""
    from_internet: bool = False
    """Google Cloud: whether requests from the internet reach it, which the policies of staging and prod
    refuse. Default false: from networks and services of the project alone."""
