"""The steps of the story. Each returns what the report shows of it."""

from __future__ import annotations

import json
import os
import urllib.error
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import boto3
from ruamel.yaml import YAML
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from examples.recommender.demo.programs import EXAMPLE, Programs, free_port, request
from examples.recommender.demo.route import Backend, Route

TEAM, MODEL = "shop", "recommender"
REGISTERED: Final = f"{TEAM}.{MODEL}"
DAYS: Final = 14
BUCKET: Final = "monitor"
LOCAL: Final = "demo"
"""What the cloud states in images and digests: a laptop has none."""
_STORES: Final = str(EXAMPLE / "demo" / "local_stores.py")
_FEAST: Final = """\
project: shop
provider: local
registry: {folder}/registry.db
offline_store: {{type: file}}
online_store: {{type: sqlite, path: {folder}/online.db}}
entity_key_serialization_version: 3
"""


@dataclass
class Story:
    """The stores and servers of a run. first: the day 0. commit: of the code. visitors: the most users who
    send a request at a time. min_rows: requests that the monitor needs to compare a window."""

    programs: Programs
    first: datetime
    commit: str
    clicks: int = 50_000
    shifted_clicks: int = 12_000
    shift: float = 0.9
    visitors: int = 800
    min_rows: int = 500
    declared: dict[str, Any] = field(default_factory=dict[str, Any])
    serving: str = ""
    queue: str = ""
    sqs: Any = None
    s3: Any = None

    def __post_init__(self) -> None:
        self.route = Route(MODEL, TEAM, self.day(DAYS))

    @property
    def home(self) -> Path:
        """The folder of the stores."""
        return self.programs.home

    def day(self, number: float) -> datetime:
        """Return the begin of a day, or a time within it."""
        return self.first + timedelta(days=number)

    # Stores and tables.

    def set_up(self) -> None:
        """Create the stores that the platform has in a cloud."""
        text = YAML(typ="safe").load(EXAMPLE / "environment.yaml")["shared"]
        self.declared = {name.removeprefix("ai-platform:"): topic for name, topic in text.items()}
        home, port = self.home, free_port()
        self.programs.variables = {
            "PYICEBERG_CATALOG__DEFAULT__URI": f"sqlite:///{home}/catalog.db",
            "PYICEBERG_CATALOG__DEFAULT__WAREHOUSE": f"file://{home}/warehouse",
            "MLFLOW_TRACKING_URI": f"sqlite:///{home}/mlflow.db",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "1",
            "FEAST_USAGE": "False",
            "PLATFORM_TEAM": TEAM,
            "NAMESPACE": TEAM,
            "CLICKS_TABLE": "curated.clicks",
            "IMPRESSIONS_TABLE": "curated.impressions",
            "ACTIVITY_TABLE": "serving.user_activity",
            "EXAMPLES_TABLE": "curated.recommender_examples",
            "FEATURE_SOURCE": "file",
            "ACTIVITY_FILE": f"{home}/activity.parquet",
            "FEATURE_REPOSITORY": f"{home}/feast",
            "MODELS_FILE": f"{home}/models.json",
            "MONITORS_FILE": f"{home}/monitors.json",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "LOGS_URI": f"s3://{BUCKET}/logs/",
            "REPORTS_URI": f"s3://{BUCKET}/reports/",
        }
        (home / "tables.json").write_text(json.dumps(self.declared["lakehouse"]["tables"]))
        (home / "models.json").write_text(json.dumps({MODEL: self._model()}))
        (home / "monitors.json").write_text(json.dumps({MODEL: self._monitor()}))
        self.programs.run("ingestion", "python", _STORES, "tables", str(home / "tables.json"))
        words = ("python", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port))
        self.programs.serve("cloud", "model_monitor", *words, health=f"http://127.0.0.1:{port}/moto-api/")
        session = boto3.Session("local", "local", region_name="eu-central-1")
        clients = {
            name: session.client(name, endpoint_url=f"http://127.0.0.1:{port}") for name in ("s3", "sqs")
        }
        self.s3, self.sqs = clients["s3"], clients["sqs"]
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        self.queue = self.sqs.create_queue(QueueName=f"{TEAM}-training")["QueueUrl"]
        self.programs.variables["QUEUE"] = self.queue

    def _model(self) -> dict[str, Any]:
        """Return the declaration of the model as the platform's ConfigMap has it."""
        stated = self.declared["continuous_training"]["teams"][TEAM]["models"][MODEL]
        job = {"runtime": LOCAL, "image": LOCAL, "code_commit": self.commit, "nodes": 1, "priority_class": ""}
        evaluation = stated["evaluation"]
        return {
            "table": stated["table"],
            "feature_views": stated["feature_views"],
            "training": {**job, "args": stated["training"]["args"]},
            "evaluation": {
                "kind": "metrics",
                "job": {**job, "args": evaluation["args"]},
                "lower_is_better": False,
                **{name: evaluation[name] for name in ("metric", "margin", "thresholds")},
            },
        }

    def _monitor(self) -> dict[str, Any]:
        stated = self.declared["model_monitor"]["teams"][TEAM]["monitors"][MODEL]
        names = ("requests_table", "results_table", "columns", "cooldown_hours")
        return {
            **{name: stated[name] for name in names},
            "inference_services": [f"{MODEL}-blue", f"{MODEL}-green"],
            "baseline_table": self._model()["table"],
            "min_rows": self.min_rows,
            # The least, so that a run waits for a minute only.
            "join_minutes": 1,
        }

    # Data.

    def ingest(
        self, day: int, days: int, count: int, *, shift: float = 0.0, broken: int = 0
    ) -> Mapping[str, int]:
        """Simulate days of the shop, and register their files."""
        raw = self.home / "raw" / "files" / "incoming" / "clicks"
        words = [str(raw), "--first-day", f"{self.first:%Y-%m-%d}", "--day", str(day), "--days", str(days)]
        words += ["--count", str(count), "--shift", str(shift), "--broken", str(broken)]
        self.programs.run("training", "python", "-m", "shop", *words)
        keys = [f"files/incoming/clicks/day-{number:03d}.jsonl" for number in range(day, day + days)]
        return self.registered(keys)

    def registered(self, keys: Sequence[str]) -> Mapping[str, int]:
        """Register files of raw; return the sums of their rows."""
        results = self.programs.module("ingestion", "files", str(self.home / "raw"), *keys)
        return {
            name: sum(result[name] for result in results.values()) for name in ("rows", "known", "refused")
        }

    def features(self, until: datetime) -> Mapping[str, Any]:
        """Compute the activity until a time, and the examples whose next clicks are known by then."""
        return self.programs.module("features", "update", "--until", until.isoformat())

    def examples(self, until: datetime) -> Mapping[str, Any]:
        """Compute the examples whose next clicks are known by a time."""
        return self.programs.module("features", "examples", "--until", until.isoformat())

    def apply(self) -> None:
        """Register the feature view."""
        folder = self.home / "feast"
        folder.mkdir()
        (folder / "feature_store.yaml").write_text(_FEAST.format(folder=folder))
        self.programs.module("features", "apply")

    def materialize(self, until: datetime) -> None:
        """Write the newest features to the online store, as the platform's schedule does."""
        begin, end = self.first - timedelta(days=1), until + timedelta(seconds=1)
        words = (f"{begin:%Y-%m-%dT%H:%M:%S}", f"{end:%Y-%m-%dT%H:%M:%S}")
        self.programs.run("features", "feast", "--chdir", str(self.home / "feast"), "materialize", *words)

    # The model.

    def train(self, name: str, *more: str) -> Mapping[str, Any]:
        """Run the steps of continuous training; return the version, whether it is better, and its
        description."""
        steps, outputs = self.programs, self.home / "outputs" / name
        where = {"OUTPUTS": str(outputs)}

        def step(*words: str) -> None:
            steps.run("training_steps", "python", "-m", "training_steps", *words, **where)

        def output(key: str) -> str:
            return (outputs / key).read_text()

        step("pin", MODEL)
        step("features", MODEL, "--snapshot", output("snapshot"))
        declared = self._model()
        values = {
            "TABLE": declared["table"],
            "SNAPSHOT": output("snapshot"),
            "RUN_NAME": name,
            "MODEL": MODEL,
        }
        self._job(declared["training"]["args"], values, *more)
        step("candidate", MODEL, "--name", name)
        champion = output("champion")
        values |= {
            "RUN_ID": output("run"),
            "CANDIDATE": f"runs:/{output('run')}/model",
            "CHAMPION": f"models:/{REGISTERED}/{champion}" if champion else "",
        }
        self._job(declared["evaluation"]["job"]["args"], values)
        pinned = ("--snapshots", output("snapshots"), "--feature-views", output("feature_views"))
        step("register", MODEL, *pinned, "--run", output("run"), "--champion", champion)
        described = self.stores("describe", REGISTERED, output("version"))
        return {**described, "better": json.loads(output("better")), "champion": champion}

    def _job(self, arguments: Sequence[str], values: Mapping[str, str], *more: str) -> None:
        """Run the program of the team with a job's arguments, of which the platform fills the
        placeholders."""
        words = []
        for argument in arguments:
            for name, value in values.items():
                argument = argument.replace(f"${{{name}}}", value)
            words.append(argument)
        self.programs.run("training", "python", "-m", "training", *words, *more)

    def stores(self, *words: str) -> Any:
        """Run a command of local_stores.py; return what it prints."""
        return json.loads(self.programs.run("training_steps", "python", _STORES, *words).splitlines()[-1])

    def promote(self, version: str) -> Path:
        """Make a version the champion; return the folder of its files."""
        folder = self.home / "releases" / MODEL / version
        self.stores("promote", REGISTERED, version, str(folder))
        return folder

    def start_predictor(self, color: str, version: str, folder: Path) -> None:
        """Start the platform's server with the files of a version."""
        port = free_port()
        options = {
            "framework": "sklearn",
            "model_name": MODEL,
            "model_dir": str(folder),
            "http_port": str(port),
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        words += ["--enable_grpc=false"]
        address = f"http://127.0.0.1:{port}"
        self.programs.serve(
            color,
            "model_server",
            "python",
            "-m",
            "model_server",
            *words,
            health=f"{address}/v2/models/{MODEL}/ready",
        )
        self.route.backends[color] = Backend(address, version)

    def start_serving(self) -> None:
        """Start Feast's server and the service of recommendations."""
        features, serving = free_port(), free_port()
        words = (
            "feast",
            "--chdir",
            str(self.home / "feast"),
            "serve",
            "--host",
            "127.0.0.1",
            "--port",
            str(features),
            # By default its only worker ends after 1000 requests, and the next one needs seconds to start.
            "--max-requests",
            "0",
        )
        address = f"http://127.0.0.1:{features}"
        self.programs.serve("feature-server", "features", *words, health=f"{address}/health")
        self.serving = f"http://127.0.0.1:{serving}"
        variables = {"FEATURE_SERVER_URL": address, "PREDICTOR_URL": self.route.address, "MODEL": MODEL}
        self.programs.serve(
            "serving",
            "serving",
            "python",
            "-m",
            "serving",
            health=f"{self.serving}/healthz",
            PORT=str(serving),
            **variables,
        )

    # Requests.

    def ask(self, users: Sequence[str], at: datetime, k: int = 10) -> list[dict[str, Any]]:
        """Request recommendations for users over HTTP, and send what was shown as impressions."""
        self.route.clock = at
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda user: self._recommended(user, k), users))
        for key, content in self.route.taken().items():
            self.s3.put_object(Bucket=BUCKET, Key=f"logs/{key}", Body=content)
        versions = {color: backend.version for color, backend in self.route.backends.items()}
        shown = [
            {
                "request_id": answer["request_id"],
                "user_id": answer["user_id"],
                "version": versions[answer["served_by"]],
                "items": [item["item_id"] for item in answer["items"]],
                "happened_at": at.isoformat(),
            }
            for answer in answers
        ]
        key = f"files/incoming/impressions/{at:%Y%m%dT%H%M%S}-{shown[0]['request_id'][:8]}.jsonl"
        file = self.home / "raw" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(json.dumps(row) for row in shown))
        self.registered([key])
        return answers

    # A server that is slow on a busy machine.
    @retry(
        retry=retry_if_exception_type((urllib.error.HTTPError, TimeoutError)),
        stop=stop_after_attempt(5),
        wait=wait_exponential(max=10),
        reraise=True,
    )
    def _recommended(self, user: str, k: int) -> Any:
        return request(f"{self.serving}/recommendations/{user}?k={k}")

    def quality(self, end: datetime, hours: int) -> Mapping[str, Any]:
        """Measure what was recommended in a window."""
        words = ("--end", end.isoformat(), "--hours", str(hours))
        return self.programs.module("monitoring", *words, expected=(0, 1))

    def compare(self, end: datetime) -> Mapping[str, Any]:
        """Store the logged requests, and compare a window with the data of the version; return the result."""
        self.programs.run("model_monitor", "python", "-m", "model_monitor", "compact", MODEL)
        self.programs.run(
            "model_monitor", "python", "-m", "model_monitor", "compare", MODEL, "--end", end.isoformat()
        )
        result = json.loads(
            self.programs.run("model_monitor", "python", "-m", "model_monitor", "report", MODEL)
        )
        if result["report"]:
            key = result["report"].removeprefix(f"s3://{BUCKET}/")
            content = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            (self.home / f"drift-{result['run_id']}.html").write_bytes(content)
        return result

    def message(self) -> Mapping[str, Any] | None:
        """Return a message of the team's queue, which is deleted; None without one."""
        received = self.sqs.receive_message(QueueUrl=self.queue, WaitTimeSeconds=1).get("Messages", [])
        for entry in received:
            self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=entry["ReceiptHandle"])
            return json.loads(entry["Body"])
        return None

    def close(self) -> None:
        """End all servers."""
        self.route.close()
        self.programs.close()


def today(days_before: int) -> datetime:
    """Return the begin of a day before today, in UTC."""
    now = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return now - timedelta(days=days_before)
