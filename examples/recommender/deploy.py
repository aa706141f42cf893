"""Add the team `shop` to an environment's file, for either cloud: then `make preview up ENV=aws-dev`.

    python -m examples.recommender.deploy aws-dev --registry REGISTRY --owners PRINCIPAL --commit COMMIT
    --role ARN

It writes environments/shared/recommender.yaml, names it in the environment's file, and adds there what
differs between clouds: the function of the ingestion, and the view of the feature store. Run again it changes
nothing. The digests in environment.yaml are placeholders: replace them by those that the builds print
(docs/images.md).
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

ENVIRONMENTS: Final = Path(__file__).resolve().parents[2] / "environments"
TEMPLATE: Final = Path(__file__).with_name("environment.yaml")
NAME: Final = "recommender"
VIEW: Final = "user_activity"
TABLES: Final = ("clicks", "impressions")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_NAME: Final = re.compile(r"<([a-z]+)>")
_DIGEST: Final = "sha256:" + "7" * 64
_yaml = YAML(typ="rt")
_yaml.width = 110
_yaml.preserve_quotes = True


@dataclass(frozen=True)
class Names:
    """What an account has. registry: of the images, with its path. owners: the principal that owns the team.
    commit: of the training's code. role: AWS: the role of the function, which trusts lambda.amazonaws.com."""

    registry: str
    owners: str
    commit: str
    role: str | None = None


class WrongError(Exception):
    """Names that do not fit the environment."""


def compose(stack: str, names: Names, environments: Path = ENVIRONMENTS) -> list[Path]:
    """Write the shared file and change the environment's; return both. Raises WrongError before anything is
    written."""
    file = environments / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        known = sorted(path.stem.removeprefix("Pulumi.") for path in environments.glob("Pulumi.*.yaml"))
        raise WrongError(f"{file}: no such file; expected one of {', '.join(known)}")
    document: Any = _yaml.load(file)
    config, cloud = document["config"], document["config"]["ai-platform:environment"]["cloud"]
    _check(names, cloud)
    _add(config, cloud, names)
    values = {"registry": names.registry, "owners": names.owners, "commit": names.commit}
    shared = environments / "shared" / f"{NAME}.yaml"
    template = TEMPLATE.read_text().replace("../../environments/", "../")
    shared.write_text(_NAME.sub(lambda name: values[name[1]], template))
    with file.open("w") as opened:
        _yaml.dump(document, opened)
    return [shared, file]


def _check(names: Names, cloud: str) -> None:
    if not _COMMIT.fullmatch(names.commit):
        raise WrongError(f"--commit: got {names.commit!r}; expected 40 hexadecimal digits")
    if cloud == "aws" and not (names.role or "").startswith("arn:"):
        raise WrongError(f"--role: got {names.role!r}; expected the arn of the role of the function")
    if cloud == "gcp" and names.role is not None:
        raise WrongError(f"--role: got {names.role!r}; expected none: the function has an account")


def _add(config: Any, cloud: str, names: Names) -> None:
    """Add to the keys of an environment's file what a shared file cannot state for both clouds."""
    files = config["ai-platform:shared"]["files"]
    if NAME not in files:
        files.append(NAME)
    store = config.setdefault("ai-platform:feature_store", {})
    # A list replaces that of the shared file, so that it names the other view, too.
    views = store.setdefault("feature_views", ["driver_stats"])
    if VIEW not in views:
        views.append(VIEW)
    store.setdefault("readers", ["shop"])
    config.setdefault("ai-platform:functions", {})["ingestion"] = _function(cloud, config, names)
    if cloud == "aws":
        lake = config.setdefault("ai-platform:lakehouse", {})
        readers = lake.setdefault("file_readers", [])
        if names.role not in readers:
            readers.append(names.role)
        _grant(lake.setdefault("grants", []), names.role)


def _grant(grants: list[Any], role: str | None) -> None:
    """Grant the tables of the ingestion to the role of the function."""
    if all(grant["name"] != "shop-ingestion" for grant in grants):
        tables = [f"curated.{name}" for name in TABLES]
        grants.append(
            {"name": "shop-ingestion", "principal": role, "actions": ["read", "write"], "tables": tables}
        )


def _function(cloud: str, config: Mapping[str, Any], names: Names) -> dict[str, Any]:
    environment = config["ai-platform:environment"]
    prefix = f"{environment['org']}-{environment['name']}".replace("-", "_")
    function: dict[str, Any] = {
        "owner": "shop",
        "image": f"{names.registry}/training@{_DIGEST}",
        "memory_mib": 2048,
        "timeout_seconds": 300,
        "event": {"zone": "raw", "prefix": "files/incoming/"},
        "reads": [{"zone": "raw", "prefix": "files/incoming/"}],
        "writes": [{"zone": "raw", "prefix": "files/quarantine/"}],
        "environment": {f"{name.upper()}_TABLE": f"{prefix}_curated.{name}" for name in TABLES},
    }
    return {**function, "role": names.role} if cloud == "aws" else function


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="deploy", description="Add the team `shop` to an environment.")
    parser.add_argument("stack", help="aws-dev and its like")
    for name in ("registry", "owners", "commit"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--role")
    options = parser.parse_args(words)
    try:
        files = compose(options.stack, Names(options.registry, options.owners, options.commit, options.role))
    except WrongError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write("".join(f"{file}\n" for file in files))
    return 0


if __name__ == "__main__":
    sys.exit(main())
