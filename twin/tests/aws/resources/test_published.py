"""What AWS publishes of EKS: the functions, any SDK and the EKS service return the same."""

from __future__ import annotations

import json

import pytest

from twin.aws.services.eks.data import ADDONS
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.test_functions import ask

IMAGES = "/aws/service/eks/optimized-ami/1.35/amazon-linux-2023/x86_64/nvidia/recommended"


def test_every_sdk_gets_the_newest_image_which_exists(clients: Clients) -> None:
    ssm, ec2 = clients("ssm"), clients("ec2")
    parameter = ssm.get_parameter(Name=f"{IMAGES}/release_version")["Parameter"]
    assert parameter["Value"].startswith("1.35.")
    assert parameter["ARN"] == f"arn:aws:ssm:us-west-2::parameter{IMAGES}/release_version"
    token = "aws:ssm/getParameter:getParameter"
    assert ask(clients.context(), token, name=f"{IMAGES}/release_version")["value"] == parameter["Value"]
    whole = json.loads(ssm.get_parameter(Name=IMAGES)["Parameter"]["Value"])
    image = ec2.describe_images(ImageIds=[whole["image_id"]])["Images"][0]
    assert image["Name"] == whole["image_name"]
    assert image["Architecture"] == "x86_64"


@pytest.mark.parametrize(
    "name",
    [
        "/aws/service/bottlerocket/aws-k8s-1.35-nvidia/x86_64/latest/image_id",
        "/aws/service/bottlerocket/aws-k8s-1.36/arm64/latest/image_id",
        "/aws/service/eks/optimized-ami/1.32/amazon-linux-2-gpu/recommended/image_id",
        "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/arm64/standard/recommended/image_id",
    ],
)
def test_each_kind_of_image_has_a_parameter(clients: Clients, name: str) -> None:
    image = clients("ssm").get_parameters(Names=[name, "/aws/service/nothing"])
    assert image["InvalidParameters"] == ["/aws/service/nothing"]
    images = clients("ec2").describe_images(ImageIds=[image["Parameters"][0]["Value"]])["Images"]
    assert len(images) == 1


def test_an_image_that_does_not_exist_has_none(clients: Clients) -> None:
    for name in (IMAGES.replace("1.35", "1.99"), IMAGES.replace("-2023/x86_64/nvidia", "-2")):
        with pytest.raises(Exception, match="ParameterNotFound"):
            clients("ssm").get_parameter(Name=name)


@pytest.mark.parametrize("name", sorted(ADDONS))
def test_the_function_and_the_service_agree_on_an_add_ons_versions(clients: Clients, name: str) -> None:
    token = "aws:eks/getAddonVersion:getAddonVersion"
    addon = clients("eks").describe_addon_versions(addonName=name, kubernetesVersion="1.35")["addons"][0]
    versions = [addon_version["addonVersion"] for addon_version in addon["addonVersions"]]
    default = [
        addon_version["addonVersion"]
        for addon_version in addon["addonVersions"]
        if addon_version["compatibilities"][0]["defaultVersion"]
    ]
    context = clients.context()
    newest = ask(context, token, addonName=name, kubernetesVersion="1.35", mostRecent=True)
    assert newest["version"] == versions[0]
    assert [ask(context, token, addonName=name, kubernetesVersion="1.35")["version"]] == default


def test_roles_are_found_by_their_names_and_passwords_are_random(clients: Clients) -> None:
    context = clients.context()
    response = ask(context, "aws:iam/getRoles:getRoles", nameRegex="^AWSServiceRoleForAmazonEKS$")
    assert response["names"] == ["AWSServiceRoleForAmazonEKS"]
    assert ask(context, "aws:iam/getRoles:getRoles", nameRegex="^dms-vpc-role$")["names"] == []
    token = "aws:secretsmanager/getRandomPassword:getRandomPassword"
    one, two = (ask(context, token, passwordLength=48, excludePunctuation=True) for _ in "ab")
    assert len(one["randomPassword"]) == 48
    assert one["randomPassword"].isalnum()
    assert one["randomPassword"] != two["randomPassword"]
