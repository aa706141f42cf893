"""The images of serving."""

from __future__ import annotations

from typing import Any

from aiplatform._shared.images import images
from aiplatform.serving.llm_logs import ENGINE as MEASURED
from aiplatform.serving.request_logs import IMAGE as AGENT
from stacks.settings import Settings
from stacks.settings.generated import stated


def release_image(settings: Settings) -> str | None:
    """Return the image that copies releases: that of promotions; None where the file states none."""
    store = stated(settings.model_store) if settings.model_store is not None else {}
    return store.get("image")


def rollout_image(settings: Settings) -> str | None:
    """Return the image of rollouts; None where the file states none."""
    args = stated(settings.serving) if settings.serving is not None else {}
    return args.get("rollouts", {}).get("image")


def agent_image(settings: Settings) -> str | None:
    """Return the image that stores requests and answers; None where no service does."""
    engines = _logged_engines(settings)
    return images()[AGENT].reference if engines - {MEASURED} else None


def logger_image(settings: Settings) -> str | None:
    """Return the image that measures requests to language models; None where those of no service are."""
    args = stated(settings.serving) if settings.serving is not None else {}
    return args.get("llm_logger", {}).get("image") if MEASURED in _logged_engines(settings) else None


def engine_of(settings: Settings, served: dict[str, Any]) -> str:
    """Return the engine of a service; that of a pool's default runtime for a runtime that is not stated."""
    args = stated(settings.serving) if settings.serving is not None else {}
    return args.get("runtimes", {}).get(served["runtime"], {}).get("engine", MEASURED)


def _logged_engines(settings: Settings) -> set[str]:
    """Return the engines of the services that log requests."""
    args = stated(settings.serving) if settings.serving is not None else {}
    teams: dict[str, dict[str, Any]] = args.get("teams", {})
    services = (served for team in teams.values() for served in team.get("services", {}).values())
    return {engine_of(settings, served) for served in services if "request_log" in served}


def images_of(settings: Settings) -> dict[str, str]:
    """Return the images of serving that the file states, but for those of runtimes."""
    if settings.serving is None:
        return {}
    args = stated(settings.serving)
    users: dict[str, str] = {}
    if image := release_image(settings):
        users["the copies of releases"] = image
    if args.get("server_image"):
        users["the servers of small models"] = args["server_image"]
    if image := rollout_image(settings):
        users["the rollouts of releases"] = image
    if image := agent_image(settings):
        users["the logs of requests"] = image
    if image := logger_image(settings):
        users["the loggers of language models"] = image
    return users


def runtime_images(settings: Settings) -> dict[str, str]:
    """Return `runtimes of serving (vllm)` -> the image, of those that the file states and the default."""
    if settings.serving is None:
        return {}
    args = stated(settings.serving)
    runtimes: dict[str, dict[str, Any]] = args.get("runtimes", {})
    users = {
        f"runtimes.{name} of serving": runtime["image"]
        for name, runtime in runtimes.items()
        if "image" in runtime
    }
    by_default = args.get("default_runtimes") is None or bool(args["default_runtimes"])
    if (by_default and settings.gpu_pools) or any(entry["engine"] == "vllm" for entry in runtimes.values()):
        users["runtimes of serving (vllm)"] = images()["vllm"].reference
    return users


def next_to_users(settings: Settings) -> list[str]:
    """Return the images that serving runs in the namespaces of teams."""
    if settings.serving is None:
        return []
    server = stated(settings.serving).get("server_image")
    copies = release_image(settings)
    stated_images = [
        copies,
        server,
        rollout_image(settings),
        agent_image(settings),
        logger_image(settings),
    ]
    return [image for image in (*stated_images, *runtime_images(settings).values()) if image]
