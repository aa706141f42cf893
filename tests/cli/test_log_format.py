"""The engine's output as a log."""

from __future__ import annotations

import pytest

from cli.log_format import condense, is_relevant


@pytest.mark.parametrize(
    "line",
    [
        " +  aws:ec2:Vpc network-vpc creating (0s) \n",
        " -  pulumi:providers:aws aws deleting (0s) \n",
        "++  aws:eks:NodeGroup cluster-system creating replacement (2s) \n",
        "    aws:eks:Cluster cluster-cluster refreshing (0s) \n",
        " +  kubernetes:core/v1:ServiceAccount of-x creating (1s) \n",
        " +  kubernetes:apps/v1:DaemonSet d creating (0s) DaemonSet status.observedGeneration not found\n",
        " +  kubernetes:apps/v1:Deployment d creating (0s) warning: [MinimumReplicasUnavailable] not yet\n",
        " +  aws:eks:NodeGroup cluster-system creating (180s) \n",
        " +  aws:eks:NodeGroup t4-spot creating (0s) error: creating EKS Node Group: boom\n",
        "    pulumi:pulumi:Stack ai-platform-aws-dev  \n",
        "    pulumi:pulumi:Stack ai-platform-aws-dev running \n",
        "@ previewing update....\n",
        "If you want to remove the stack completely, run `pulumi stack rm aws-dev`.\n",
    ],
)
def test_line_about_a_step_in_progress_is_dropped(line: str) -> None:
    assert not is_relevant(line)


@pytest.mark.parametrize(
    "line",
    [
        "Updating (aws-dev):\n",
        " +  aws:ec2:Vpc network-vpc created (2s) \n",
        " ~  aws:kms:Key cluster-key updated (0.29s) [diff: ~description,policy]\n",
        " +  aws:eks:NodeGroup t4-spot **creating failed** error: creating EKS Node Group: boom\n",
        "  pulumi:pulumi:Stack (ai-platform-aws-dev):\n",
        " +  kubernetes:apps/v1:Deployment d creating (31s) Waiting for it (0/1 Pods available)\n",
        "    pulumi:pulumi:Stack ai-platform-aws-dev running error: Pulumi.aws-dev.yaml: 2 faults\n",
        "    pulumi:pulumi:Stack ai-platform-aws-dev  warning: something\n",
        "    pulumi:pulumi:Stack ai-platform-aws-dev running what the program prints\n",
        "Policies:\n",
        "    error: creating EKS Node Group: waiting (10s) for it\n",
        '    "aws:ec2:Vpc": "creating (0s)"\n',
        "Duration: 19s\n",
    ],
)
def test_result_of_a_step_and_output_of_the_program_are_kept(line: str) -> None:
    assert is_relevant(line)


def test_empty_lines_are_kept_once_and_only_between_lines() -> None:
    step = " +  a:b:C c created (1s) \n"
    lines = [
        "\n",
        "Updating (dev):\n",
        "\n",
        " +  a:b:C c creating (0s) \n",
        "\n",
        step,
        "Resources:\n",
        "\n",
    ]
    assert list(condense(lines)) == ["Updating (dev):\n", "\n", step, "\n", "Resources:\n"]
