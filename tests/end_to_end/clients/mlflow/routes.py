"""List the routes of MLflow's server: {"folder": a scratch folder} on stdin.

Prints {"flask": endpoint -> its methods and paths, "native": methods and paths that FastAPI serves itself},
both of routes that change something; "all": methods and paths of Flask; "unevaluated": endpoints with a
path for which MLflow evaluates no rights.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SAFE = {"GET", "HEAD", "OPTIONS"}


def native(routes: Any, prefix: str = "") -> Iterator[str]:
    """Yield the routes of FastAPI. Newer releases represent an included router as one route."""
    for route in routes:
        router = getattr(route, "original_router", None)
        if router is not None:
            yield from native(router.routes, prefix + route.include_context.prefix)
        for method in set(getattr(route, "methods", None) or ()) - SAFE:
            yield f"{method} {prefix}{route.path}"


def unevaluated(app: Any, auth: Any, rule: Any, method: str) -> bool:
    """Return whether MLflow's rights have no entry for a route."""
    path = re.sub(r"<[^>]+>", "1", rule.rule)
    with app.test_request_context(path, method=method) as context:
        evaluated = auth._find_validator(context.request) or auth._is_proxy_artifact_path(path)
    return not evaluated


def main() -> None:
    """Build the server's app as uvicorn does, and list its routes."""
    folder = Path(json.load(sys.stdin)["folder"])
    settings = folder / "accounts.ini"
    settings.write_text(
        "[mlflow]\ndefault_permission = NO_PERMISSIONS\n"
        "admin_username = admin\nadmin_password = not-used-by-the-test\n"
        f"database_uri = sqlite:///{folder}/accounts.db\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    os.environ["MLFLOW_AUTH_CONFIG_PATH"] = str(settings)
    os.environ["MLFLOW_FLASK_SERVER_SECRET_KEY"] = "signs nothing"
    os.environ["_MLFLOW_SGI_NAME"] = "uvicorn"
    from mlflow.server import app, auth

    served = auth.create_app(app)
    flask: dict[str, list[str]] = defaultdict(list)
    everything: list[str] = []
    without: set[str] = set()
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            everything.append(f"{method} {rule.rule}")
            if method not in SAFE:
                flask[rule.endpoint].append(f"{method} {rule.rule}")
            if unevaluated(app, auth, rule, method):
                without.add(rule.endpoint)
    sys.stdout.write("\n")
    answer = {"flask": flask, "native": sorted(native(served.routes)), "all": sorted(everything)}
    json.dump({**answer, "unevaluated": sorted(without)}, sys.stdout)


if __name__ == "__main__":
    main()
