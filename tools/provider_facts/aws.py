"""Write facts of the AWS provider about the twin's resource types to twin/aws/facts.json.

    git clone --branch v6.58.0 https://github.com/lonegunmanb/terraform-provider-aws-index index
    python -m tools.provider_facts.aws index --ref v6.58.0

The index has a file for each function of hashicorp/terraform-provider-aws. Use the version that the locked
pulumi-aws wraps.
"""

from __future__ import annotations

import argparse
import functools
import io
import json
import re
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Final

from tools.provider_facts.framework import older
from tools.provider_facts.golang import Function, Literal, Package, Parser, returned
from tools.provider_facts.google import git, stated, write
from tools.provider_facts.schemas import Facts, Resolver, merged
from twin.aws.resources.table import table
from twin.checks.sdk import sdk

OUT: Final = Path(__file__).resolve().parents[2] / "twin" / "aws" / "facts.json"
_ALIASES: Final = {"tftags": "tags"}
_NAMES: Final = {
    "aws:autoscaling/tag:Tag": "aws_autoscaling_group_tag",
    "aws:bcmdata/export:Export": "aws_bcmdataexports_export",
    "aws:costexplorer/anomalyMonitor:AnomalyMonitor": "aws_ce_anomaly_monitor",
    "aws:costexplorer/anomalySubscription:AnomalySubscription": "aws_ce_anomaly_subscription",
    "aws:ec2/launchTemplate:LaunchTemplate": "aws_launch_template",
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": "aws_iam_openid_connect_provider",
    "aws:rds/instance:Instance": "aws_db_instance",
    "aws:rds/parameterGroup:ParameterGroup": "aws_db_parameter_group",
    "aws:rds/subnetGroup:SubnetGroup": "aws_db_subnet_group",
    "aws:s3/bucketObjectv2:BucketObjectv2": "aws_s3_object",
}
"""Types of Pulumi's whose names do not follow from Terraform's."""


_STRUCTS: Final = {"aws_vpc_security_group_egress_rule": "securityGroupEgressRuleResource"}
"""Where the index knows no struct."""


class Index(Package):
    """A Go package with one file for each function and variable."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def body(self, function: str) -> str:
        text = self._text(f"func.{function}") or self._text(f"method.{function}")
        start = re.search(r"^func .*\{\n", text, re.MULTILINE)
        return text[start.end() :] if start else ""

    def value(self, name: str) -> Any:
        if name.startswith("Attr"):
            return _attribute(name)
        for kind in ("var", "const"):
            text = self._text(f"{kind}.{name}")
            start = re.search(rf"^\s*(?:{kind}\s+)?{re.escape(name)}\b[^=\n]*=\s*", text, re.MULTILINE)
            if start:
                return Parser(text, start.end()).expression()
        return returned(self.body(name))

    def embedded(self, struct: str) -> list[str]:
        """The structs that a struct embeds."""
        return re.findall(r"^\t(\w+)$", self._text(f"type.{struct}"), re.MULTILINE)

    def _text(self, name: str) -> str:
        file = self._folder / f"{name}.goindex"
        return file.read_text(encoding="utf-8") if file.is_file() else ""


def _attribute(name: str) -> str:
    """The field's name that a constant of the package `names` stands for: `AttrVPCID` is `vpc_id`."""
    plain = re.sub(r"(ID|ARN|IP|CIDR)s(?=[A-Z]|$)", lambda match: f"{match[1].title()}s", name[4:])
    split = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", plain)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", split).replace("VPCID", "VPC_ID").lower()


class Provider:
    """The provider's source by its index."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "index"
        self._package = functools.cache(Index)
        self.names = {file.stem for file in (self._folder / "resources").glob("*.json")}

    def _other(self, name: str) -> Package | None:
        folder = self._folder / ("names" if name == "names" else f"internal/{_ALIASES.get(name, name)}")
        return self._package(folder)

    def facts(self, name: str, token: str) -> tuple[dict[str, Any], list[str]]:
        """The facts about a type and the fields that Pulumi's type does not have."""
        entry = json.loads((self._folder / "resources" / f"{name}.json").read_text())
        service = entry["namespace"].partition("/internal/")[2]
        package = self._package(self._folder / "internal" / service)
        known = sdk("pulumi_aws").resource(token)
        if known is None:
            raise LookupError(token)
        resolver = Resolver(package, self._other)
        facts = Facts(resolver, sdk("pulumi_aws"), merged(known.inputs, known.outputs))
        known_facts = facts.read(resolver.fields(_schema(package, entry, resolver), {}))
        if "region" in known.inputs:
            # The provider adds it to each regional type. Source: internal/provider/sdkv2/region.go
            known_facts["immutable"] = sorted({*known_facts.get("immutable", ()), "region"})
            known_facts["server"] = sorted({*known_facts.get("server", ()), "region"})
        return {"source": service, "name": name, **known_facts}, facts.unmatched


def _schema(package: Index, entry: dict[str, str], resolver: Resolver) -> Any:
    if entry["sdk_type"] == "aws_framework":
        struct = entry["struct_type"] or _STRUCTS.get(entry["terraform_type"], "")
        names = [struct, *package.embedded(struct)]
        body = next((body for name in names if (body := package.body(f"{name}.Schema"))), "")
        start = re.search(r"schema\.Schema(?=\{)", body)
        literal = Parser(body, start.start()).expression() if start else None
        return older(literal) if isinstance(literal, Literal) else None
    create = entry["create_index"].removeprefix("func.").removesuffix(".goindex")
    plain = re.sub(r"(Create|Put|Upsert)$", "", create)
    for function in (plain, plain[:1].upper() + plain[1:], entry["schema_index"].split(".")[1]):
        resource = resolver.value(package.value(function))
        if isinstance(resource, Literal):
            schema = resource.get("Schema") or resource.get("SchemaFunc")
            return _last(schema.body) if isinstance(schema, Function) else schema
    return None


def _last(body: str) -> Any:
    """The map that a function returns at its end; functions inside of it return before."""
    *_, start = [None, *re.finditer(r"\breturn (?=map\[string\]\*schema\.Schema\{)", body)]
    return Parser(body, start.end()).expression() if start else returned(body)


def terraform(token: str, names: set[str]) -> str:
    """Terraform's name of a type of Pulumi's, "" where none is like it."""
    module, _, name = token.split(":")[1].partition("/")
    flat = {other.replace("_", ""): other for other in names}
    for guess in (f"aws{module}{name}", f"aws{name}"):
        if guess.lower() in flat:
            return flat[guess.lower()]
    return _NAMES.get(token, "")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.provider_facts.aws", description=__doc__)
    parser.add_argument("index", type=Path, help="git directory of terraform-provider-aws-index")
    parser.add_argument("--ref", default="HEAD", help="tag or commit")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(git(options.index, "archive", options.ref, "index"))) as archive:
            archive.extractall(folder, filter="data")
        provider = Provider(Path(folder))
        types: dict[str, Any] = {}
        for token in sorted(table()):
            name = _NAMES.get(token) or terraform(token, provider.names)
            types[token], unmatched = provider.facts(name, token) if name in provider.names else ({}, [name])
            if unmatched or len(types[token]) < 4:
                sys.stderr.write(f"{token} ({name}): not in the SDK: {', '.join(unmatched)}\n")
    sources = {
        "lonegunmanb/terraform-provider-aws-index": {**stated(options.index, options.ref), "ref": options.ref}
    }
    OUT.write_text(write({"sources": sources, "types": types}), encoding="utf-8")
    sys.stdout.write(f"wrote twin/aws/facts.json: {len(types)} types\n")


if __name__ == "__main__":
    main()
