"""The inventory of a recording, and the message for a difference."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi_aws import ec2, iam, lambda_, s3, ssm

from tests.components.recording import record
from tests.inventories import files
from tests.inventories.rendering import render

_DASHBOARD: dict[str, Any] = {"title": "Queues", "schemaVersion": 42, "panels": [{"type": "row"}]}
_SETTINGS = "[settings.kubernetes]\ncluster-name = 'acme-dev'\n"


class _Group(pulumi.ComponentResource):
    def __init__(self, name: str) -> None:
        super().__init__("test:index:Group", name)
        ec2.Eip("first", opts=pulumi.ResourceOptions(parent=self))
        ec2.Eip("second", opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


def _program() -> None:
    vpc = ec2.Vpc("vpc", cidr_block="10.0.0.0/16")
    group = _Group("group")
    ec2.Subnet(
        "subnet",
        vpc_id=vpc.id,
        cidr_block="10.0.0.0/24",
        opts=pulumi.ResourceOptions(
            depends_on=[group],
            protect=True,
            ignore_changes=["tags"],
            aliases=[pulumi.Alias(name="old")],
            custom_timeouts=pulumi.CustomTimeouts(create="5m"),
        ),
    )
    bucket = s3.Bucket("bucket", bucket="acme")
    policy = bucket.arn.apply(lambda arn: json.dumps({"Statement": [{"Resource": f"{arn}/*"}]}))
    iam.RolePolicy("policy", role="reader", policy=policy)
    ssm.Parameter("dashboard", type="String", insecure_value=json.dumps(_DASHBOARD))
    ssm.Parameter("secret", type="SecureString", value=pulumi.Output.secret("hunter2-hunter2"))
    ec2.LaunchTemplate("template", user_data=base64.b64encode(_SETTINGS.encode()).decode())
    code = files.ROOT / "components" / "aiplatform" / "lakehouse" / "table_keeper" / "handler.py"
    asset = pulumi.AssetArchive({"handler.py": pulumi.StringAsset(code.read_text())})
    lambda_.Function("function", role="role", code=asset)


class _Loader(yaml.SafeLoader):
    pass


def _tagged(loader: Any, suffix: str, node: Any) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {f"!{suffix}": loader.construct_mapping(node, deep=True)}
    return {f"!{suffix}": node.value}


_Loader.add_multi_constructor("!", _tagged)


@pytest.fixture(scope="module")
def text() -> str:
    return render(record(_program))


@pytest.fixture(scope="module")
def resources(text: str) -> dict[str, Any]:
    return yaml.load(text, Loader=_Loader)["resources"]  # noqa: S506 - a safe loader with tags


def test_a_value_that_another_resource_computes_is_a_reference(resources: dict[str, Any]) -> None:
    subnet = resources["aws:ec2/subnet:Subnet subnet"]
    assert subnet["inputs"]["vpcId"] == "${aws:ec2/vpc:Vpc vpc.id}"
    assert subnet["inputs"]["cidrBlock"] == "10.0.0.0/24", "no other resource computes it"


def test_options_are_listed_and_a_component_stands_for_what_is_in_it(resources: dict[str, Any]) -> None:
    subnet = resources["aws:ec2/subnet:Subnet subnet"]
    assert subnet["depends_on"] == ["test:index:Group group"], "the VPC is in the inputs already"
    assert (subnet["protect"], subnet["ignore_changes"]) == (True, ["tags"])
    assert subnet["timeouts"] == {"create": "5m"}
    assert subnet["aliases"] == ["name=old"]
    assert resources["aws:ec2/eip:Eip first"]["parent"] == "test:index:Group group"
    assert set(resources["aws:ec2/eip:Eip second"]) == {"inputs", "parent"}, (
        "options that are not set are left out"
    )


def test_documents_and_encoded_text_can_be_read(resources: dict[str, Any]) -> None:
    policy = resources["aws:iam/rolePolicy:RolePolicy policy"]["inputs"]["policy"]
    assert policy == {"!json": {"Statement": [{"Resource": "${aws:s3/bucket:Bucket bucket.arn}/*"}]}}
    template = resources["aws:ec2/launchTemplate:LaunchTemplate template"]["inputs"]
    assert template["userData"] == {"!base64": _SETTINGS}
    code = resources["aws:lambda/function:Function function"]["inputs"]["code"]
    file = "components/aiplatform/lakehouse/table_keeper/handler.py"
    assert code == {"!archive": {"handler.py": {"!file": file}}}, "its changes are in the file's own diff"


def test_a_dashboard_is_its_title_and_digest(resources: dict[str, Any]) -> None:
    dashboard = resources["aws:ssm/parameter:Parameter dashboard"]["inputs"]["insecureValue"]
    digest = hashlib.sha256(json.dumps(_DASHBOARD).encode()).hexdigest()[:12]
    assert dashboard == {"!dashboard": {"title": "Queues", "sha256": digest}}, (
        "its panels would hide what else changes"
    )


def test_a_secret_is_not_in_the_inventory(text: str, resources: dict[str, Any]) -> None:
    assert "hunter2" not in text
    assert resources["aws:ssm/parameter:Parameter secret"]["inputs"]["value"] == {"!secret": ""}


def test_a_difference_names_what_is_replaced_and_how_to_renew() -> None:
    path = Path("tests/inventories/environments/x.yaml")
    there = "resources:\n  aws:ec2/vpc:Vpc vpc:\n    inputs:\n      a: 1\n"
    message = files.explain(path, there, there.replace("Vpc vpc", "Vpc network").replace("1", "2"))
    assert "new logical name (unless it has an alias): aws:ec2/vpc:Vpc vpc\n" in message
    assert "Created: aws:ec2/vpc:Vpc network\n" in message
    assert "-      a: 1\n+      a: 2\n" in message
    assert message.endswith(files.RENEW)


def test_a_long_difference_is_cut() -> None:
    there = "".join(f"line {number}\n" for number in range(1000))
    message = files.explain(Path("x.yaml"), there, "")
    assert "more lines" in message
    assert len(message.splitlines()) < 200
