"""A small program whose deployment is interrupted: it takes seconds, where an environment takes a minute.

Its stack has the name of an environment, so that the command handles its locks and pending operations.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from cli import engine
from tests.end_to_end.harness import Twin
from tests.end_to_end.killing import created_resources, ids_of_stack, is_program
from tests.kill_campaign import VICTIMS, kill
from twin.tests.waiting import eventually

PROGRAMS: Final = Path(__file__).parent / "small_programs"
KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "aws": {
        "ec2/vpcs": "aws:ec2/vpc:Vpc",
        "ec2/subnets": "aws:ec2/subnet:Subnet",
        "ec2/internet_gateways": "aws:ec2/internetGateway:InternetGateway",
        "kms/keys": "aws:kms/key:Key",
        "logs/groups": "aws:cloudwatch/logGroup:LogGroup",
    },
    "gcp": {
        "compute.networks": "gcp:compute/network:Network",
        "compute.subnetworks": "gcp:compute/subnetwork:Subnetwork",
        "compute.routers": "gcp:compute/router:Router",
        "pubsub.topics": "gcp:pubsub/topic:Topic",
        "iam.serviceAccounts": "gcp:serviceaccount/account:Account",
    },
}
"""Cloud -> kinds of the inventory, and the types of the program's resources."""
FAILURE: Final = "failure"
HARM: Final[tuple[str, ...]] = (*sorted(VICTIMS), "program", "command", FAILURE)
"""What can happen to a command: the end of these processes, or failing calls of the cloud."""
CREATED: Final = 8
"""Resources in the cloud that the programs have at least."""
MATCHES: Final[Mapping[str, Callable[[psutil.Process], bool]]] = {**VICTIMS, "program": is_program}


@dataclass(frozen=True)
class Interruption:
    """What a seed does to a command. after: resources that exist by then. late: seconds after that."""

    harm: str
    after: int
    late: float

    @classmethod
    def of(cls, dice: random.Random) -> Interruption:
        """Draw one. One in four comes before the first resource: in the start of the processes."""
        after = dice.randrange(1, CREATED) if dice.random() < 0.75 else 0
        return cls(dice.choice(HARM), after, dice.uniform(0, 0.3) if after else dice.uniform(0, 6))


class Small:
    """The program on a twin of its cloud."""

    def __init__(self, cloud: str, home: Path) -> None:
        self.cloud = cloud
        self.twin = Twin(f"{cloud}-dev", home)

    def interrupt(self, interruption: Interruption, command: str = "up") -> None:
        """Run a command that is interrupted; it may end before."""
        if interruption.harm == FAILURE:
            self._with_failing_calls(command, interruption.after)
            return
        before, began = created_resources(self.twin), time.monotonic()
        running = self.twin.spawn(*self.line(command))
        reached = before + (interruption.after if command == "up" else 0)
        while (
            running.poll() is None
            and created_resources(self.twin) < reached
            and time.monotonic() - began < 120
        ):
            time.sleep(0.02)
        time.sleep(interruption.late)
        if interruption.harm == "command":
            running.kill()
        else:
            kill(running.pid, MATCHES[interruption.harm])
        running.wait(120)
        self.assert_no_process()

    def converge(self, command: str) -> None:
        """Run a command that must succeed, and assert that engine, cloud and processes agree."""
        self.twin.cli(*self.line(command))
        self.assert_no_process()
        name = self.twin.environment
        assert not engine.has_pending(self.twin.instance, name), "an operation is pending after a success"
        inventory = self.twin.inventory()
        if command == "destroy":
            assert inventory == {}, "what an interrupted command created is deleted, too"
            return
        owned = ids_of_stack(self.twin)
        for kind, token in KINDS[self.cloud].items():
            assert _names(inventory.get(kind, [])) == _names(owned[token]), (
                f"{kind}: the stack owns each, and there is no other"
            )

    def assert_unchanged(self) -> None:
        """Assert that the cloud is as the program describes it."""
        self.twin.cli(*self.line("preview"), "--refresh", "--expect-no-changes")

    def assert_no_process(self) -> None:
        """Assert that no engine, provider, language host or program is left."""
        home = str(self.twin.instance.folder / "pulumi")

        def left() -> list[str]:
            return [" ".join(process.cmdline()) for process in psutil.process_iter() if _uses(process, home)]

        eventually("no process of the engine is left", lambda: not left(), 30)

    def line(self, command: str) -> tuple[str, ...]:
        """Return the arguments of `aiplatform` for a Pulumi command on the program."""
        name = self.twin.environment
        options = () if command == "preview" else ("--yes", "--skip-preview")
        place = ("--stack", name, "--cwd", str(PROGRAMS / self.cloud))
        return ("twin", "run", "--name", name, "--", "pulumi", command, *options, *place)

    def _with_failing_calls(self, command: str, times: int) -> None:
        name = ("--name", self.twin.environment)
        code = ("--code", "InternalFailure") if self.cloud == "aws" else ("--code", "INTERNAL")
        # A client repeats a call that failed with 500: these are more than one call's attempts.
        self.twin.cli("twin", "fault", "fail", *name, *code, "--times", str(10 * (times + 1)))
        self.twin.cli(*self.line(command), check=False)
        self.twin.cli("twin", "fault", "clear", *name)


def campaign(small: Small, seeds: range, kills: int) -> None:
    """For each seed interrupt some commands one after the other, then converge by an `up` or a destroy."""
    for seed in seeds:
        dice = random.Random(f"{small.cloud}-{seed}")
        for _ in range(kills):
            interruption, command = Interruption.of(dice), dice.choice(("up", "up", "destroy"))
            print(json.dumps({"seed": seed, "command": command, **interruption.__dict__}), flush=True)  # noqa: T201
            small.interrupt(interruption, command)
        small.converge(dice.choice(("up", "destroy")))


def _uses(process: psutil.Process, home: str) -> bool:
    try:
        return process.environ().get("PULUMI_HOME") == home
    except (psutil.Error, OSError):
        return False


def _names(ids: list[Any]) -> list[str]:
    # Ids of one kind write the location in different forms; the last segment is the name.
    return sorted(str(id).rpartition("/")[2] for id in ids)
