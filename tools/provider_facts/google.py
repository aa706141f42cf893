"""Write facts of the Google provider about the twin's resource types to twin/gcp/facts.json.

    git clone --branch v7.45.0 https://github.com/hashicorp/terraform-provider-google-beta provider
    git clone --branch v10.2.0 https://github.com/pulumi/pulumi-gcp bridge
    python -m tools.provider_facts.google provider bridge --ref v7.45.0

The provider is generated from GoogleCloudPlatform/magic-modules (its YAML and its hand-written Go), and
pulumi-gcp wraps it: use the tag of the pulumi-gcp that uv.lock names, and the version that it wraps. Both
arguments are git directories, bare or not; HEAD of the second is read. Descriptions are not written.
"""

from __future__ import annotations

import argparse
import functools
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Final

from tools.provider_facts.framework import older
from tools.provider_facts.golang import Call, Literal, Name, Package, Parser
from tools.provider_facts.schemas import Facts, Field, Resolver, merged
from twin.checks.sdk import sdk
from twin.gcp.resources.table import table

ROOT: Final = Path(__file__).resolve().parents[2]
OUT: Final = ROOT / "twin" / "gcp" / "facts.json"
_BRIDGE: Final = "provider/cmd/pulumi-resource-gcp/bridge-metadata.json"
_REGISTERED: Final = re.compile(
    r"registry\.Schema\{\s*Name:\s*\"(?P<name>\w+)\",\s*ProductName:\s*\"\w*\",\s*"
    r"Type:\s*registry\.SchemaType(?:Resource|IAMResource),\s*Schema:\s*"
)
_IAM: Final = {
    "ResourceIamMember": ("role", "member", "condition"),
    "ResourceIamAuditConfig": ("service",),
}
_WAITS: Final = (
    (
        re.compile(r"OperationWait|WaitOperation|SqlAdminOperationWaitTime|ServiceNetworkingOperation"),
        "operation",
    ),
    (re.compile(r"PollingWaitTime|retry\.StateChangeConf|WaitForState|RetryContext|\.Wait\(ctx"), "poll"),
)
_FRAMEWORK: Final = re.compile(r"registry\.FrameworkResource\{\s*Name:\s*\"(?P<name>\w+)\"")
_SCHEMA: Final = re.compile(r"\.Schema = (?=schema\.Schema\{)")


def git(repository: Path, *arguments: str) -> bytes:
    """What git answers."""
    return subprocess.run(["git", "-C", str(repository), *arguments], check=True, capture_output=True).stdout  # noqa: S607


def stated(repository: Path, ref: str) -> dict[str, str]:
    """Commit and date of a ref."""
    commit, date = git(repository, "log", "-1", "--format=%H %cs", ref).decode().split()
    return {"commit": commit, "date": date}


class Provider:
    """The provider's source."""

    def __init__(self, folder: Path) -> None:
        self._services = folder / "google-beta" / "services"
        self._folder = folder / "google-beta"
        self._package = functools.cache(Package)
        self.places: dict[str, tuple[Path, Any]] = {}
        for service in sorted(self._services.iterdir()):
            self._register(service)

    def _register(self, service: Path) -> None:
        for file in service.glob("*.go"):
            text = file.read_text(encoding="utf-8")
            for match in _REGISTERED.finditer(text):
                self.places[match["name"]] = (service, Parser(text, match.end()).expression())
            for match in _FRAMEWORK.finditer(text):
                # A resource of Terraform's newer framework: its schema is in the same file.
                start = _SCHEMA.search(text)
                if start:
                    schema = Parser(text, start.end()).expression()
                    self.places[match["name"]] = (service, Literal("Resource", {"Schema": older(schema)}))

    def _other(self, name: str) -> Package | None:
        for folder in (self._services / name, self._folder / name):
            if folder.is_dir():
                return self._package(folder)
        return None

    def facts(self, name: str, token: str, bridged: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The facts about a type and the fields that Pulumi's type does not have."""
        service, schema = self.places[name]
        package = self._package(service)
        resolver = Resolver(package, self._other)
        known = sdk("pulumi_gcp").resource(token)
        if known is None:
            raise LookupError(token)
        facts = Facts(resolver, sdk("pulumi_gcp"), merged(known.inputs, known.outputs))
        singles = bridged.get("fields") or {}
        while isinstance(schema, Call) and not _iam(schema) and "." not in schema.name:
            inner = package.value(schema.name)
            if not isinstance(inner, Call):
                break
            schema = inner
        iam = _iam(schema)
        if iam:
            call, names = iam
            fields = resolver.fields(call.arguments[0], singles) + tuple(_of_iam(item) for item in names)
            return {"source": service.name, **facts.read(fields)}, facts.unmatched
        resource = resolver.value(schema)
        if not isinstance(resource, Literal):
            raise TypeError(f"{name}: no schema found")
        schemas = [resource.get("Schema"), *_added(package, schema), *_parents(schema)]
        fields = tuple(field for item in schemas for field in resolver.fields(item, singles))
        type_facts = facts.read(fields)
        type_facts |= _calls(package, resource)
        type_facts |= _custom(facts, resource)
        return {"source": service.name, **type_facts}, facts.unmatched


def _iam(schema: Any) -> tuple[Call, tuple[str, ...]] | None:
    if isinstance(schema, Call):
        last = schema.name.rpartition(".")[2]
        if last in _IAM:
            return schema, _IAM[last]
    return None


def _added(package: Package, schema: Any) -> list[Literal]:
    """Fields that a function adds to the schema of another (`schm.Schema["project"] = ...`)."""
    body = package.body(schema.name) if isinstance(schema, Call) else ""
    return [
        Literal("map", {match[1]: Parser(body, match.end()).expression()})
        for match in re.finditer(r"\.Schema\[\"(\w+)\"\] = ", body)
    ]


def _parents(schema: Any) -> list[Name]:
    """Schemas that are handed over to a function (`ResourceLoggingExclusion(ProjectLoggingSchema)`)."""
    arguments = schema.arguments if isinstance(schema, Call) else ()
    return [
        argument for argument in arguments if isinstance(argument, Name) and argument.text.endswith("Schema")
    ]


def _of_iam(name: str) -> Field:
    """A field of every IAM resource: all are immutable. Source: tpgiamresource/resource_iam_member.go."""
    spec = Literal("", {"ForceNew": True, "Type": Name("schema.TypeString")})
    spec.keyed["Optional" if name == "condition" else "Required"] = True
    return Field(name, spec, (), one=True)


def _calls(package: Package, resource: Literal) -> dict[str, Any]:
    """How create, update and delete wait."""
    waits: dict[str, str] = {}
    for word in ("Create", "Update", "Delete"):
        function = resource.get(word) or resource.get(f"{word}Context")
        body = package.body(function.text) if isinstance(function, Name) else ""
        # A function that only hands over to another one.
        body += "".join(
            package.body(function_name) for function_name in re.findall(r"\breturn (\w+)\(d, ", body)
        )
        kind = next((kind for pattern, kind in _WAITS if pattern.search(body)), "")
        if kind:
            waits[word.lower()] = kind
    return {"waits": waits} if waits else {}


def _custom(facts: Facts, resource: Literal) -> dict[str, Any]:
    """Where values decide on a replacement."""
    customization = resource.get("CustomizeDiff")
    calls = customization.arguments if isinstance(customization, Call) else (customization,)
    replacements: dict[str, str] = {}
    for call in calls:
        if isinstance(call, Call) and call.name.endswith(("ForceNewIfChange", "ForceNewIf")):
            path = facts.path(str(call.arguments[0]))
            how = call.arguments[1]
            if path:
                replacements[path] = how.text if isinstance(how, Name) else "function"
    return {"replaced_if": dict(sorted(replacements.items()))} if replacements else {}


def write(document: dict[str, Any]) -> str:
    """JSON with one fact a line."""
    out = io.StringIO()
    out.write('{\n "sources": ' + json.dumps(document["sources"], sort_keys=True) + ',\n "types": {\n')
    types = document["types"]
    for position, (token, facts) in enumerate(sorted(types.items())):
        lines = ",\n".join(
            f"   {json.dumps(kind)}: {json.dumps(value)}" for kind, value in sorted(facts.items())
        )
        end = "," if position < len(types) - 1 else ""
        out.write(f"  {json.dumps(token)}: {{\n{lines}\n  }}{end}\n")
    out.write(" }\n}\n")
    return out.getvalue()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.provider_facts.google", description=__doc__)
    parser.add_argument("provider", type=Path, help="git directory of terraform-provider-google-beta")
    parser.add_argument("bridge", type=Path, help="git directory of pulumi-gcp")
    parser.add_argument("--ref", default="HEAD", help="tag or commit of the provider")
    options = parser.parse_args()
    bridged: dict[str, Any] = json.loads(git(options.bridge, "show", f"HEAD:{_BRIDGE}"))["auto-aliasing"][
        "resources"
    ]
    by_token = {entry["current"]: name for name, entry in bridged.items()}
    with tempfile.TemporaryDirectory() as folder:
        packed = git(options.provider, "archive", options.ref, "google-beta")
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        provider = Provider(Path(folder))
        types: dict[str, Any] = {}
        for token in sorted(table()):
            name = by_token.get(token)
            if name is None or name not in provider.places:
                sys.stderr.write(f"{token}: the provider registers no {name}\n")
                continue
            types[token], unmatched = provider.facts(name, token, bridged[name])
            types[token]["name"] = name
            if unmatched:
                sys.stderr.write(f"{token}: not in the SDK: {', '.join(unmatched)}\n")
    sources = {
        "hashicorp/terraform-provider-google-beta": {
            **stated(options.provider, options.ref),
            "ref": options.ref,
        },
        "pulumi/pulumi-gcp": stated(options.bridge, "HEAD"),
    }
    OUT.write_text(write({"sources": sources, "types": types}), encoding="utf-8")
    sys.stdout.write(f"wrote {OUT.relative_to(ROOT)}: {len(types)} types\n")


if __name__ == "__main__":
    main()
