"""The recording engine itself: what it sees, and what it refuses."""

import pulumi
import pytest
from pulumi_aws import ec2

from tests.components.recording import record, value


class _Box(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("test:index:Box", name, {}, opts)
        vpc = ec2.Vpc(f"{name}-vpc", cidr_block="10.0.0.0/16", opts=pulumi.ResourceOptions(parent=self))
        self.gateway = ec2.InternetGateway(
            f"{name}-gateway",
            vpc_id=vpc.id,
            opts=pulumi.ResourceOptions(parent=self, deleted_with=vpc, ignore_changes=["tags"]),
        )
        self.register_outputs({"vpc_id": vpc.id})


def test_a_recording_sees_parents_options_and_registered_outputs():
    recorded = record(lambda: _Box("box", pulumi.ResourceOptions(protect=True)))
    box, vpc = recorded.one("test:index:Box"), recorded.one("aws:ec2/vpc:Vpc")
    gateway = recorded.named("box-gateway")
    assert vpc.parent == box.urn
    assert vpc.protect is True, "protect is inherited from the component"
    assert gateway.deleted_with == vpc.urn
    assert gateway.ignore_changes == ("tags",)
    assert recorded.depends(gateway, vpc)
    assert not recorded.depends(vpc, gateway)
    assert gateway.property_dependencies["vpcId"] == {vpc.urn}
    assert box.outputs == {"vpc_id": gateway.inputs["vpcId"]}, "the id has arrived, so the work was drained"
    assert value(recorded.result.gateway.vpc_id) == gateway.inputs["vpcId"]


def test_a_urn_that_is_registered_twice_is_refused():
    def program() -> None:
        ec2.Vpc("same", cidr_block="10.0.0.0/16")
        ec2.Vpc("same", cidr_block="10.1.0.0/16")

    with pytest.raises(Exception, match="duplicate URN"):
        record(program)


def test_recordings_do_not_leak_into_each_other():
    first = record(lambda: ec2.Vpc("vpc", cidr_block="10.0.0.0/16"))
    second = record(lambda: ec2.Vpc("vpc", cidr_block="10.0.0.0/16"))
    assert first.names() == second.names() == ["aws:ec2/vpc:Vpc vpc"]


def test_a_function_without_an_answer_is_named():
    from pulumi_aws import sqs

    with pytest.raises(Exception, match="getQueue"):
        record(lambda: sqs.get_queue(name="missing"))
