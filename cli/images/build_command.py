"""`aiplatform image`: build a folder into an image on the base of its pool, and push it by its digest."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.images import bases, builders, containerfile, description, files, locks, signing
from cli.images.description import Description
from cli.images.revision import Revision, revision_of
from cli.output import CommandError, note, say
from cli.program_answers import answer_of
from cli.stacks import ENVIRONMENT

if TYPE_CHECKING:
    from cli.images.layouts import Layout
    from cli.images.push import Destination
    from cli.images.registry import Registry

app = typer.Typer(no_args_is_help=True, help="Build a folder into an image, and push it.")

_ROOT: Final = Path(__file__).resolve().parents[2]
_OUTPUT: Final = ".image"
_IGNORED: Final = "# Written by `aiplatform image build`, which deletes what is here.\n*\n"
_SHOWN: Final = 12
_OF_CONTENTS: Final = 8
"""Hexadecimal digits of commit and contents in a tag."""
FOLDER: Final = typer.Argument(metavar="FOLDER", help="A folder with image.toml.", show_default=False)
LAYOUT: Final = typer.Argument(
    metavar="LAYOUT", help="An OCI image layout: a folder or a tar archive.", show_default=False
)
OUTPUT: Final = typer.Option(
    "--output", metavar="FOLDER", help="Where definition and image are written. Default: .image in FOLDER."
)
SIGN: Final = typer.Option(False, "--sign", help="Sign the pushed image by cosign.")
KEY: Final = typer.Option(
    "",
    "--key",
    metavar="KMS",
    help="Sign by this key, awskms:///... or gcpkms://..., in place of an identity.",
)


@dataclass(frozen=True)
class Target:
    """What is known of an environment."""

    name: str
    cloud: str
    profile: str
    repositories: dict[str, str]
    """Repository -> its address."""
    pools: dict[str, bases.Hardware]


@app.command()
def build(
    folder: Path = FOLDER,
    environment: str = ENVIRONMENT,
    base: str = typer.Option("", "--base", metavar="NAME@sha256:DIGEST", help="Build on this image instead."),
    output: Annotated[Path | None, OUTPUT] = None,
    definition_only: bool = typer.Option(False, "--definition-only", help="Write the definition, and stop."),
    push: bool = typer.Option(False, "--push", help="Push the image into the environment's registry."),
    sign: bool = SIGN,
    key: str = typer.Option(
        "", "--key", metavar="KMS", help="Sign by this key, awskms:///... or gcpkms://..."
    ),
    allow_dirty: bool = typer.Option(
        False, "--allow-dirty", help="Build changes that no commit has; not for prod."
    ),
) -> None:
    """Build FOLDER into an image for its pool in ENVIRONMENT.

    image.toml in the folder states framework, pool, repository and entrypoint. The base is pinned by its
    digest and has what the network of the pool needs. Python packages are those of uv.lock, files those that
    git tracks. Prints the reference with its digest, and only that, on stdout.
    """
    if sign and not push:
        raise CommandError("--sign: got it without --push; expected both: a registry stores the signature")
    if sign:
        signing.refuse_without_cosign()
    target = target_of(environment)
    described = description.load(folder)
    if described.environments and environment not in described.environments:
        raise described.error(
            "environments",
            f"{environment} is none of them; expected one of {', '.join(described.environments)}",
        )
    revision = _clean_revision(folder, target, allow_dirty=allow_dirty)
    hardware = _hardware(described, target)
    name = _repository(described, target)
    reference, entry = bases.choose(described.framework, target.cloud, hardware, base)
    paths = files.files_of(folder, untracked=allow_dirty)
    locks.check(folder, paths, entry)
    installed = locks.installed_by_base(folder, described.framework, entry)
    place = _emptied(output or folder / _OUTPUT)
    contents = containerfile.Contents(
        folder=folder,
        files=paths,
        base=reference,
        with_packages_of_base=bool(entry.packages),
        installed=installed,
        entrypoint=described.entrypoint,
        title=described.name,
        uv=uv_requirement(),
    )
    definition = containerfile.write(contents, revision, place / "definition")
    full = _named(name, described.name, _tag(revision, definition), target.cloud)
    note(f"{definition.containerfile}: builds {full} on {reference}")
    if definition_only:
        return
    # A writer of the repository can know the tag before. What is signed is built here, and compared with what
    # is there.
    if push and not sign:
        pushed = _already_pushed(full)
        if pushed:
            _finish(pushed, full, sign=False, key="")
            return
    layout = place / "image.tar"
    builders.build(builders.builder(), definition, hardware.architecture, revision.seconds, layout)
    if not push:
        note(f"{layout}: push it by `aiplatform image push {layout} {full}`")
        return
    _finish(_push(layout, full), full, sign=sign, key=key)


@app.command("push")
def push_layout(
    layout: Path = LAYOUT,
    name: str = typer.Argument(metavar="HOST/REPOSITORY:TAG", help="Where to push it.", show_default=False),
    sign: bool = SIGN,
    key: str = typer.Option(
        "", "--key", metavar="KMS", help="Sign by this key, awskms:///... or gcpkms://..."
    ),
) -> None:
    """Push an image that a builder wrote as an OCI image layout.

    Logs in as `docker login` did, to ECR and Artifact Registry by the credentials of this machine. Prints the
    reference with its digest, and only that, on stdout.
    """
    if sign:
        signing.refuse_without_cosign()
    _finish(_push(layout, name), name, sign=sign, key=key)


def target_of(environment: str) -> Target:
    """Return what the program of the environment knows of it."""
    document: dict[str, Any] = answer_of("image_target", environment)
    pools = {name: bases.Hardware(**nodes) for name, nodes in document.pop("pools").items()}
    return Target(name=environment, pools=pools, **document)


def uv_requirement() -> str:
    """Return a requirements file with the pinned uv and the hashes of its archives, as pip checks them."""
    versions = tomllib.loads((_ROOT / "twin" / "toolchain" / "versions.toml").read_text())["uv"]
    hashes = [f"--hash=sha256:{digest}" for digest in versions["sha256"]]
    return " \\\n    ".join([f"uv=={versions['version']}", *hashes]) + "\n"


def _clean_revision(folder: Path, target: Target, *, allow_dirty: bool) -> Revision:
    revision = revision_of(folder)
    if revision.dirty and (not allow_dirty or target.profile == "prod"):
        way = "" if target.profile == "prod" else ", or --allow-dirty"
        raise CommandError(f"{folder}: has changes that no commit has; expected a commit{way}")
    return revision


def _hardware(described: Description, target: Target) -> bases.Hardware:
    if described.pool is None:
        return bases.Hardware()
    if described.pool not in target.pools:
        known = ", ".join(sorted(target.pools))
        raise described.error(
            "pool", f"{target.name} has no pool {described.pool!r}; expected one of {known}"
        )
    return target.pools[described.pool]


def _repository(described: Description, target: Target) -> str:
    name = target.repositories.get(described.repository)
    if name is None:
        known = ", ".join(sorted(target.repositories)) or "none: container_registry.repositories is empty"
        raise described.error(
            "repository",
            f"{target.name} has no repository {described.repository!r}; expected one of {known}",
        )
    return name


def _emptied(place: Path) -> Path:
    """Return a folder for results of this run only. Git ignores it, so that the next run finds no change."""
    place.mkdir(parents=True, exist_ok=True)
    ignored = place / ".gitignore"
    if any(place.iterdir()) and not (ignored.is_file() and ignored.read_text() == _IGNORED):
        raise CommandError(f"{place}: has other files; expected an empty folder, or one of an earlier build")
    ignored.write_text(_IGNORED)
    shutil.rmtree(place / "definition", ignore_errors=True)
    (place / "image.tar").unlink(missing_ok=True)
    return place


def _tag(revision: Revision, definition: containerfile.Definition) -> str:
    """Return a tag that another commit or another content does not have."""
    kind = "-dirty" if revision.dirty else ""
    return f"{revision.commit[:_SHOWN]}{kind}-{definition.digest[:_OF_CONTENTS]}"


def _named(repository: str, name: str, tag: str, cloud: str) -> str:
    """A repository of Artifact Registry contains images by name; one of ECR is an image."""
    return f"{repository}/{name}:{tag}" if cloud == "gcp" else f"{repository}:{name}-{tag}"


def _registry(name: str) -> tuple[Registry, Destination]:
    from cli.images.push import destination
    from cli.images.registry import Registry  # requests takes a fifth of a second to load

    to = destination(name)
    return Registry(to.host), to


def _already_pushed(name: str) -> str | None:
    from cli.images.registry import RegistryError

    registry, to = _registry(name)
    try:
        digest = registry.digest_of_tag(to.repository, to.tag)
    except RegistryError as error:
        raise CommandError(str(error)) from error
    if digest:
        note(f"{name} is there: the same commit with the same contents is not built again")
    return digest


def _push(path: Path, name: str) -> str:
    from cli.images.layouts import layout_at
    from cli.images.push import push
    from cli.images.registry import RegistryError

    registry, to = _registry(name)
    with layout_at(path) as layout:
        _check_platforms(layout)
        try:
            return push(layout, to, registry)
        except RegistryError as error:
            raise CommandError(str(error)) from error


def _check_platforms(layout: Layout) -> None:
    if not layout.manifest.is_index and "layers" not in layout.manifest.document:
        raise CommandError(f"{layout.folder}: {layout.manifest.digest}: is no image; expected layers")


def _finish(digest: str, name: str, *, sign: bool, key: str) -> None:
    reference = f"{name}@{digest}"
    if sign:
        from cli.images.registry import credentials

        repository = name.rpartition(":")[0]
        signing.sign(f"{repository}@{digest}", name.partition("/")[0], credentials, key)
    say(reference)
