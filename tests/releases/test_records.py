"""URNs, former URNs and inputs of a recording, as a record has them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pulumi
import pytest
from pulumi_aws import ec2, iam

from tests.components.recording import record
from tests.releases import records
from tests.releases.__main__ import main
from tests.releases.records import Resource, resources


class _Box(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("test:index:Box", name, {}, opts)
        self.register_outputs({})


def _below(parent: pulumi.Resource, *former: str) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(parent=parent, aliases=[pulumi.Alias(name=name) for name in former] or None)


def _network() -> None:
    outer = _Box("outer")
    inner = _Box("inner", _below(outer, "box"))
    vpc = ec2.Vpc("inner-vpc", cidr_block="10.0.0.0/16", tags={"a": "b"}, opts=_below(inner))
    ec2.Subnet("private", vpc_id=vpc.id, cidr_block="10.0.1.0/24", opts=_below(inner, "first", "second"))
    ignored = pulumi.ResourceOptions(ignore_changes=["name"])
    iam.Role("deployer", name="deployer", assume_role_policy="{}", opts=ignored)


@pytest.fixture(scope="module")
def network() -> dict[str, Resource]:
    return {resource.urn: resource for resource in resources(record(_network))}


def test_a_urn_has_the_types_of_all_ancestors_without_stack_and_project(network: dict[str, Resource]) -> None:
    assert "test:index:Box::outer" in network
    assert "test:index:Box$test:index:Box$aws:ec2/vpc:Vpc::inner-vpc" in network


def test_former_urns_come_from_aliases_and_from_those_of_the_parent(network: dict[str, Resource]) -> None:
    prefix = "test:index:Box$test:index:Box"
    assert network[f"{prefix}::inner"].former == {f"{prefix}::box"}
    assert network[f"{prefix}$aws:ec2/vpc:Vpc::inner-vpc"].former == {f"{prefix}$aws:ec2/vpc:Vpc::box-vpc"}, (
        "the name of a child begins with that of its parent, which had another one"
    )
    subnet = f"{prefix}$aws:ec2/subnet:Subnet"
    assert network[f"{subnet}::private"].former == {f"{subnet}::first", f"{subnet}::second"}


def test_inputs_whose_change_replaces_are_recorded_with_references(network: dict[str, Resource]) -> None:
    by_reference = {resource.reference: resource.fixed for resource in network.values()}
    vpc = by_reference["aws:ec2/vpc:Vpc inner-vpc"]
    assert vpc["cidrBlock"] == "[10.0.0.0/16]"
    assert "tags" not in vpc, "it changes in place"
    subnet = by_reference["aws:ec2/subnet:Subnet private"]
    assert subnet["vpcId"] == "['${aws:ec2/vpc:Vpc inner-vpc.id}']"
    assert "name" not in by_reference["aws:iam/role:Role deployer"], "a change of it is ignored"


def test_a_record_is_written_once_for_one_content_and_read_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: dict[str, Resource]
) -> None:
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    monkeypatch.setattr(records, "STACKS", ["aws-dev"])
    monkeypatch.setattr(records, "registered", lambda stack: list(network.values()))
    assert main(["1.2.0", "--check"]) == 1, "there is no record"
    assert main(["1.2.0"]) == 0
    file = tmp_path / "1.2.0" / "aws-dev.json.gz"
    content = file.read_bytes()
    assert main(["1.2.0"]) == 0
    assert file.read_bytes() == content
    assert records.versions() == ["1.2.0"]
    read = records.recorded("1.2.0", "aws-dev")
    assert read is not None
    assert [(entry.urn, entry.fixed) for entry in read] == [(r.urn, r.fixed) for r in network.values()]
    assert records.recorded("1.2.0", "gcp-dev") is None
    assert main(["1.2.0", "--check"]) == 0
    file.write_bytes(gzip.compress(json.dumps([]).encode()))
    assert main(["1.2.0", "--check"]) == 1, "the record of another program"


def test_a_version_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["v1.2.0"])
    assert "the version is 'v1.2.0'; expected one such as 1.2.0" in capsys.readouterr().err
