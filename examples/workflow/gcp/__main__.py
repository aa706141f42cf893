"""A chain of two functions and a job on Google Cloud, as a team's program has it: the services and the job of
Cloud Run exist already."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi

from aiplatform.workflow import Workflow

HERE = Path(__file__).resolve().parent
config = pulumi.Config()
workflow = Workflow(
    "scoring",
    {
        "prefix": "acme-dev",
        "name": "scoring",
        "owner": "search",
        "cloud": "gcp",
        "project": config.require("project"),
        "region": config.get("region") or "europe-west4",
        "definition": json.loads((HERE / "definition.json").read_text()),
        "functions": config.require_object("functions"),
        "jobs": {"score": {"cloud_run_job": config.require("score_job")}},
        "schedule": {
            "cron": "0 3 * * *",
            "timezone": "Europe/Berlin",
            "input": {"table": "trips", "rows": 1},
        },
    },
)
pulumi.export("workflow", workflow.target)
pulumi.export("dead_letters", workflow.dead_letters)
