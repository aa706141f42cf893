"""Add the team `shop` to an environment of either cloud, and write what the team creates in its cluster.

    python -m examples.recommender.deploy aws-prod --registry REGISTRY --owners PRINCIPAL --commit COMMIT
    --role ARN
    make preview up ENV=aws-prod
    kubectl apply -f environments/recommender/aws-prod.yaml

It writes environments/shared/recommender-aws-prod.yaml and names it in the environment's file, where it also
states what differs between clouds. Run again it changes nothing. The digests in environment.yaml and
kubernetes.yaml are placeholders: replace them by those that the builds print (docs/images.md).
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
OBJECTS: Final = Path(__file__).with_name("kubernetes.yaml")
NAME: Final = "recommender"
SERVICES: Final = ("ingestion", "features", "training", "serving", "monitoring")
VIEW: Final = "user_activity"
POOL: Final = "general"
"""The pool of the team's Pods, without accelerators."""
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_NAME: Final = re.compile(r"<([a-z]+)>")
_yaml = YAML(typ="rt")
_yaml.width = 110
_yaml.preserve_quotes = True


@dataclass(frozen=True)
class Names:
    """What an account has. registry: of images: ACCOUNT.dkr.ecr.REGION.amazonaws.com/PREFIX, or
    REGION-docker.pkg.dev/PROJECT/PREFIX-training. owners: the principal that owns the team.
    commit: of the training's code. role: AWS: the role of the function, which trusts lambda.amazonaws.com."""

    registry: str
    owners: str
    commit: str
    role: str | None = None


class WrongError(Exception):
    """Names that do not fit the environment."""


def compose(stack: str, names: Names, environments: Path = ENVIRONMENTS) -> list[Path]:
    """Write the shared file and the objects, and change the environment's file; return the three. Raises
    WrongError before anything is written."""
    file = environments / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        known = sorted(path.stem.removeprefix("Pulumi.") for path in environments.glob("Pulumi.*.yaml"))
        raise WrongError(f"{file}: no such file; expected one of {', '.join(known)}")
    document: Any = _yaml.load(file)
    config, cloud = document["config"], document["config"]["ai-platform:environment"]["cloud"]
    _check(names, cloud)
    values = {"registry": names.registry, "owners": names.owners, "commit": names.commit}
    # Names that `aiplatform image build` gives: on AWS a repository has images of several names as tags.
    images = {name: "training" if cloud == "aws" else f"{NAME}-{name}" for name in SERVICES}
    values |= {name: f"{names.registry}/{image}" for name, image in images.items()}
    values |= {"queue": _queue(file, config), **_sources(config["ai-platform:environment"])}
    name = f"{NAME}-{stack}"
    _add(config, name, names.role)
    texts = {
        environments / "shared" / f"{name}.yaml": TEMPLATE.read_text().replace("../../environments/", "../"),
        environments / NAME / f"{stack}.yaml": OBJECTS.read_text(),
    }
    for path, text in texts.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(_NAME.sub(lambda name: values[name[1]], text))
    with file.open("w") as opened:
        _yaml.dump(document, opened)
    return [*texts, file]


def _check(names: Names, cloud: str) -> None:
    if not _COMMIT.fullmatch(names.commit):
        raise WrongError(f"--commit: got {names.commit!r}; expected 40 hexadecimal digits")
    if cloud == "aws" and not (names.role or "").startswith("arn:"):
        raise WrongError(f"--role: got {names.role!r}; expected the arn of the role of the function")
    if cloud == "gcp" and names.role is not None:
        raise WrongError(f"--role: got {names.role!r}; expected none: the function has an account")


def _queue(file: Path, config: Any) -> str:
    """Return the first queue with a quota of the pool of the team's Pods."""
    for queue in config.get("ai-platform:queues", {}).get("queues", ()):
        if any(quota["pool"] == POOL for quota in queue["quotas"]):
            return str(queue["name"])
    raise WrongError(
        f"{file}: queues: none has a quota of the pool {POOL!r}; expected one, for the team's Pods"
    )


def _sources(environment: Mapping[str, Any]) -> dict[str, str]:
    """Return the beginning of the names of databases, and by what and under which name Feast queries the
    view."""
    name = f"{environment['org']}-{environment['name']}"
    prefix = name.replace("-", "_")
    view = f"{prefix}_serving.{VIEW}"
    if environment["cloud"] == "aws":
        return {"prefix": prefix, "engine": "athena", "view": view}
    # BigQuery's name of a table in a catalog of BigLake.
    view = f"{environment['project_id']}.{name}-lakehouse.{view}"
    return {"prefix": prefix, "engine": "bigquery", "view": view}


def _add(config: Any, name: str, role: str | None) -> None:
    """Add to an environment's file what a shared file cannot state for both clouds, or not twice."""
    views = config.setdefault("ai-platform:feature_store", {}).setdefault("feature_views", ["driver_stats"])
    additions = [(config["ai-platform:shared"]["files"], name), (views, VIEW)]
    if role is not None:
        config.setdefault("ai-platform:functions", {}).setdefault("ingestion", {})["role"] = role
        lake = config.setdefault("ai-platform:lakehouse", {})
        tables = ["curated.clicks", "curated.impressions"]
        grant = {"name": "shop-ingestion", "principal": role, "actions": ["read", "write"], "tables": tables}
        additions += [(lake.setdefault("file_readers", []), role), (lake.setdefault("grants", []), grant)]
    for entries, entry in additions:
        if entry not in entries:
            entries.append(entry)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="deploy", description="Add the team `shop` to an environment.")
    parser.add_argument("stack", help="aws-dev and its like")
    for name in ("registry", "owners", "commit", "role"):
        parser.add_argument(f"--{name}", required=name != "role")
    try:
        options = vars(parser.parse_args(words))
        files = compose(options.pop("stack"), Names(**options))
    except WrongError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write("".join(f"{file}\n" for file in files))
    return 0


if __name__ == "__main__":
    sys.exit(main())
