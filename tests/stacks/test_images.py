"""What nodes may run: the platform's own images are admitted wherever an environment admits only some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aiplatform._shared.images import images
from aiplatform.addons.catalog import selected
from stacks import arguments
from stacks.arguments import runnable_images
from stacks.images import addons_of, admitted, of_workloads, repositories
from stacks.loading import SettingsError, load_file
from stacks.validation import placeholders
from tests.stacks.environments import STACKS, settings_of
from tests.stacks.test_google_files import changed

FEAST = images()["feast-feature-server"]
MLFLOW = images()["mlflow"]
OWN = "us-central1-docker.pkg.dev/acme-ml-prod/**"
DIGEST = f"sha256:{'0f' * 32}"


def runnable(folder: Path, stack: str = "gcp-prod", **change: Any) -> list[str] | None:
    keys = {key.replace("__", "/"): value for key, value in change.items()}
    settings = load_file(changed(folder, keys, stack))
    # Those of add-ons, training and observability are the subject of test_addons.py, test_training.py and
    # test_image_list.py, those of pools of a test below.
    without = {"addons": None, "training": None, "observability": None, "gpu_pools": {}}
    return runnable_images(settings.model_copy(update=without))


def test_prod_admits_its_own_registries_and_exactly_the_images_of_the_platform(tmp_path: Path) -> None:
    assert runnable(tmp_path) == [
        OWN,
        FEAST.reference,
        MLFLOW.reference,
        f"{MLFLOW.repository}@{MLFLOW.digest}",
    ], "without them the cluster refuses the Pods that the program itself makes"


@pytest.mark.parametrize("stack", STACKS)
def test_the_add_ons_whose_images_are_known_are_those_that_are_installed(stack: str) -> None:
    settings = settings_of(stack)
    args: Any = arguments.addons(settings, placeholders.of(settings).cluster)
    enabled = {name: option.get("enabled") for name, option in args.get("options", {}).items()}
    installed = selected(settings.environment.cloud, enabled, has_zones=bool(args.get("dns_zones")))
    assert addons_of(settings) == installed, "others are neither admitted nor mirrored"


def test_what_an_environment_does_not_install_is_not_admitted(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, {}, "gcp-prod"))
    nothing = {
        "addons": None,
        "training": None,
        "observability": None,
        "feature_store": None,
        "model_registry": None,
        "gpu_pools": {},
    }
    without = settings.model_copy(update=nothing)
    assert of_workloads(without) == {}
    assert runnable_images(without) == [OWN]


def test_images_at_a_mirror_that_is_admitted_get_no_pattern_of_their_own(tmp_path: Path) -> None:
    mirrors = {
        "quay.io": "us-central1-docker.pkg.dev/acme-ml-prod/quay",
        "ghcr.io": "europe-docker.pkg.dev/acme-shared/ghcr",
    }
    patterns = runnable(tmp_path, images__mirrors=mirrors)
    assert patterns is not None
    assert patterns[1:] == [
        f"europe-docker.pkg.dev/acme-shared/ghcr/mlflow/mlflow{MLFLOW.version}",
        f"europe-docker.pkg.dev/acme-shared/ghcr/mlflow/mlflow@{MLFLOW.digest}",
    ]


@pytest.mark.parametrize(
    ("pool", "names"),
    [
        ({}, {"gpudirect-tcpx-daemon", "gpudirect-tcpx-installer", "nri-device-injector"}),
        ({"gpudirect_installers": False}, {"gpudirect-tcpx-daemon"}),
        ({"gpudirect": False}, set[str]()),
        ({"accelerator": "h200", "capacity": ["spot"]}, {"gpudirect-rdma-installer"}),
        ({"accelerator": "l4", "count": 1}, set[str]()),
        ({"accelerator": "h10"}, set[str]()),
    ],
)
def test_prod_admits_what_its_pools_with_gpudirect_run(
    tmp_path: Path, pool: dict[str, Any], names: set[str]
) -> None:
    training = {"accelerator": "h100", "count": 8, "capacity": ["spot"], "max": 4, **pool}
    file = changed(tmp_path, {"gpu_pools": {"training": training}, "queues": None}, "gcp-prod")
    try:
        settings = load_file(file)
    except SettingsError:
        assert pool["accelerator"] == "h10", "an unknown accelerator is refused elsewhere"
        return
    others = ("addons", "feature_store", "model_registry", "observability", "training")
    only = settings.model_copy(update=dict.fromkeys(others))
    assert set(of_workloads(only).values()) == {images()[name].reference for name in names}
    sidecars = {images()[name].repository for name in names if name.endswith("-daemon")}
    assert set(repositories(only)) == sidecars, "the guardrails admit it in the namespaces of teams"


def test_prod_admits_opencost_where_the_file_has_it(tmp_path: Path) -> None:
    image = images()["opencost"].reference
    settings = settings_of("gcp-prod")
    assert image in admitted(settings, []), "the shared file has it"
    observability = settings.observability
    assert observability is not None
    without = observability.model_copy(update={"opencost": None})
    assert image not in admitted(settings.model_copy(update={"observability": without}), [])


def test_a_files_own_patterns_and_images_count(tmp_path: Path) -> None:
    image = f"us-docker.pkg.dev/acme/ml/mlflow:v3.15.2-Full@{DIGEST}"
    patterns = runnable(
        tmp_path,
        "gcp-staging",
        cluster__gke__binary_authorization=["quay.io/**"],
        model_registry__image=image,
    )
    assert patterns == ["quay.io/**", image, f"us-docker.pkg.dev/acme/ml/mlflow@{DIGEST}"]


@pytest.mark.parametrize(("stack", "change"), [("gcp-dev", {}), ("gcp-prod", {"binary_authorization": []})])
def test_an_environment_that_admits_all_stays_so(tmp_path: Path, stack: str, change: dict[str, Any]) -> None:
    patterns = runnable(tmp_path, stack, **{f"cluster__gke__{key}": value for key, value in change.items()})
    assert not patterns, "one pattern would refuse all others"


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("quay.io/feastdev/**", True),
        ("quay.io/feastdev/*", True),
        ("quay.io/feastdev/feature-server*", True),
        ("quay.io/*", False),
        ("quay.io/feastdev/feature-server", False),
        ("quay.io/feastdev/feature-server-dev*", False),
    ],
)
def test_patterns_match_as_binary_authorization_does(tmp_path: Path, pattern: str, fits: bool) -> None:
    settings = load_file(changed(tmp_path, {}, "gcp-prod"))
    assert (FEAST.reference not in admitted(settings, [pattern])) == fits
