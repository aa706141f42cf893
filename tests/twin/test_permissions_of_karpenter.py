"""Which launches IAM permits: resource by resource, with the tags of the request and of what exists.

The role has the platform's policy for Karpenter: what it allows must work, and nothing else.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from aiplatform._shared.aws.account import Account
from aiplatform.addons.permissions.karpenter import Scope, policy
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.iam.test_authorization import refused, role, session

CLUSTER = "demo"
OWNED = {
    f"kubernetes.io/cluster/{CLUSTER}": "owned",
    "eks:eks-cluster-name": CLUSTER,
    "karpenter.sh/nodepool": "gpu",
}


def tags(**more: str) -> list[dict[str, str]]:
    """The tags of what Karpenter creates."""
    return [{"Key": key, "Value": value} for key, value in {**OWNED, **more}.items()]


@pytest.fixture(scope="module")
def node_role(clients: Clients) -> str:
    arn = role(clients, "nodes", service="ec2.amazonaws.com")
    iam = clients("iam")
    for name, profiled in (("nodes", "nodes"), ("others", role(clients, "others").rpartition("/")[2])):
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=profiled)
    return arn


@pytest.fixture(scope="module")
def key(clients: Clients) -> str:
    """The key of the controller's messages."""
    return clients("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.fixture(scope="module")
def karpenter(clients: Clients, node_role: str, key: str) -> Clients:
    """The clients of a session of the controller's role."""
    instance = clients.server.instance
    account = Account(instance.account, instance.region, "aws", "amazonaws.com", "")
    queue = f"arn:aws:sqs:{instance.region}:{instance.account}:interruptions"
    text = policy(account, Scope(CLUSTER, node_role, queue, key))
    return session(clients, role(clients, "karpenter", *json.loads(text)["Statement"]))


@pytest.fixture(scope="module")
def data(clients: Clients) -> dict[str, Any]:
    ec2 = clients("ec2")
    image = ec2.describe_images(Owners=["602401143452"])["Images"][0]["ImageId"]
    group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    card = [{"ResourceType": "network-interface", "Tags": tags()}]
    return {
        "ImageId": image,
        "SecurityGroupIds": [group],
        "IamInstanceProfile": {"Name": "nodes"},
        "TagSpecifications": card,
    }


@pytest.fixture(scope="module")
def template(karpenter: Clients, data: dict[str, Any]) -> str:
    """A launch template of Karpenter's."""
    create_template(karpenter, "own", data)
    return "own"


def create_template(caller: Clients, name: str, data: dict[str, Any], *, tagged: bool = True) -> None:
    specification = [{"ResourceType": "launch-template", "Tags": tags()}] if tagged else []
    caller("ec2").create_launch_template(
        LaunchTemplateName=name, LaunchTemplateData=data, TagSpecifications=specification
    )


def fleet(template: str, *, kinds: tuple[str, ...] = ("fleet", "instance", "volume"), **more: str) -> Any:
    """The parameters of a fleet of Karpenter's."""
    return {
        "Type": "instant",
        "LaunchTemplateConfigs": [
            {
                "LaunchTemplateSpecification": {"LaunchTemplateName": template, "Version": "$Latest"},
                "Overrides": [{"InstanceType": "m7i.large"}],
            }
        ],
        "TargetCapacitySpecification": {"TotalTargetCapacity": 1, "DefaultTargetCapacityType": "on-demand"},
        "TagSpecifications": [{"ResourceType": kind, "Tags": tags(**more)} for kind in kinds],
    }


def test_controller_launches_tags_and_terminates_its_instances(karpenter: Clients, template: str) -> None:
    ec2 = karpenter("ec2")
    (instance,) = ec2.create_fleet(**fleet(template))["Instances"][0]["InstanceIds"]
    ec2.create_tags(Resources=[instance], Tags=[{"Key": "Name", "Value": "node"}])
    code, _ = refused(ec2.create_tags, Resources=[instance], Tags=[{"Key": "team", "Value": "a"}])
    assert code == "UnauthorizedOperation", "only these three tags may change later"
    ec2.terminate_instances(InstanceIds=[instance])


@pytest.mark.parametrize(
    "change",
    [
        {"kinds": ("fleet", "volume")},
        {"kinds": ("instance", "volume")},
        {"kinds": ("fleet", "instance")},
        {f"kubernetes.io/cluster/{CLUSTER}": "shared"},
        {"eks:eks-cluster-name": "other"},
    ],
    ids=["instance", "fleet", "volume", "not owned", "other cluster"],
)
def test_launch_without_a_required_tag_is_refused(
    karpenter: Clients, template: str, change: dict[str, Any]
) -> None:
    code, _ = refused(karpenter("ec2").create_fleet, **fleet(template, **change))
    assert code == "UnauthorizedOperation"


def test_launch_from_a_template_of_others_is_refused(
    clients: Clients, karpenter: Clients, data: dict[str, Any]
) -> None:
    create_template(clients, "foreign", data, tagged=False)
    code, message = refused(karpenter("ec2").create_fleet, **fleet("foreign"))
    assert code == "UnauthorizedOperation"
    assert "launch-template/lt-" in message
    code, _ = refused(karpenter("ec2").delete_launch_template, LaunchTemplateName="foreign")
    assert code == "UnauthorizedOperation"


def test_launch_with_another_role_is_refused(karpenter: Clients, data: dict[str, Any]) -> None:
    create_template(karpenter, "other-role", {**data, "IamInstanceProfile": {"Name": "others"}})
    code, message = refused(karpenter("ec2").create_fleet, **fleet("other-role"))
    assert (code, "iam:PassRole" in message) == ("UnauthorizedOperation", True)


def test_template_without_tags_is_refused(karpenter: Clients, data: dict[str, Any]) -> None:
    code, _ = refused(lambda: create_template(karpenter, "untagged", data, tagged=False))
    assert code == "UnauthorizedOperation"


def test_instance_of_others_cannot_be_terminated(
    clients: Clients, karpenter: Clients, data: dict[str, Any]
) -> None:
    launched = clients("ec2").run_instances(
        MinCount=1, MaxCount=1, InstanceType="m7i.large", ImageId=data["ImageId"]
    )
    code, _ = refused(
        karpenter("ec2").terminate_instances, InstanceIds=[launched["Instances"][0]["InstanceId"]]
    )
    assert code == "UnauthorizedOperation"


def test_dry_run_is_answered_by_rights(karpenter: Clients, template: str) -> None:
    code, _ = refused(karpenter("ec2").create_fleet, **fleet(template), DryRun=True)
    assert code == "DryRunOperation"
    code, _ = refused(karpenter("ec2").create_fleet, **fleet(template, kinds=()), DryRun=True)
    assert code == "UnauthorizedOperation"


def test_controller_has_no_right_to_create_profiles_and_reads_them(karpenter: Clients) -> None:
    iam = karpenter("iam")
    assert iam.get_instance_profile(InstanceProfileName="nodes")
    assert refused(iam.create_instance_profile, InstanceProfileName="more")[0] == "AccessDenied"


def test_controller_reads_its_queue_and_no_other(clients: Clients, karpenter: Clients) -> None:
    for name in ("interruptions", "orders"):
        clients("sqs").create_queue(QueueName=name)
    url = karpenter("sqs").get_queue_url(QueueName="interruptions")["QueueUrl"]
    assert not karpenter("sqs").receive_message(QueueUrl=url).get("Messages")
    code, _ = refused(karpenter("sqs").receive_message, QueueUrl=url.replace("interruptions", "orders"))
    assert "AccessDenied" in code


def test_policy_of_a_queue_lets_a_principal_of_its_account_send(clients: Clients) -> None:
    sqs, arn = clients("sqs"), role(clients, "sender")
    sender = session(clients, arn)("sqs")
    url = sqs.create_queue(QueueName="answers")["QueueUrl"]
    refused(sender.send_message, QueueUrl=url, MessageBody="early")
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sqs:SendMessage", "Resource": queue}
    text = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": text})
    assert sender.send_message(QueueUrl=url, MessageBody="late")["MessageId"]
    code, _ = refused(sender.receive_message, QueueUrl=url)
    assert code == "AccessDeniedException", "it allows nothing else"


def test_messages_are_read_only_with_the_right_on_their_key(
    clients: Clients, karpenter: Clients, key: str
) -> None:
    sqs = clients("sqs")
    url = sqs.create_queue(QueueName="interruptions")["QueueUrl"]
    other = clients("kms").create_key()["KeyMetadata"]["Arn"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": other})
    code, message = refused(karpenter("sqs").receive_message, QueueUrl=url)
    assert "AccessDenied" in code
    assert "kms:Decrypt" in message
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key})
    assert not karpenter("sqs").receive_message(QueueUrl=url).get("Messages")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": ""})


def test_queue_is_waited_at_only_as_long_as_a_message_does_not_come(
    clients: Clients, karpenter: Clients
) -> None:
    url = clients("sqs").create_queue(QueueName="interruptions")["QueueUrl"]
    clients("sqs").send_message(QueueUrl=url, MessageBody="first")
    messages = karpenter("sqs").receive_message(
        QueueUrl=url, WaitTimeSeconds=20, AttributeNames=["SentTimestamp"]
    )["Messages"]
    assert [message["Body"] for message in messages] == ["first"]
    assert messages[0]["Attributes"]["SentTimestamp"], "as Karpenter asks for it"
    karpenter("sqs").delete_message(QueueUrl=url, ReceiptHandle=messages[0]["ReceiptHandle"])
    journal = len(clients.server.journal)
    assert not karpenter("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages")
    assert len(clients.server.journal) == journal, "an empty answer changes nothing that must be remembered"


def test_controller_reads_public_parameters_alone(clients: Clients, karpenter: Clients) -> None:
    name = "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/x86_64/standard/recommended/image_id"
    assert karpenter("ssm").get_parameter(Name=name)["Parameter"]["Value"].startswith("ami-")
    clients("ssm").put_parameter(Name="/team/secret", Value="a", Type="String")
    assert refused(karpenter("ssm").get_parameter, Name="/team/secret")[0] == "AccessDeniedException"
