"""Fine-tune a language model with LoRA, in all processes that torchrun starts.

    torchrun -m fine_tune --base llama-3-8b/hf-0123... --table curated.answers \
        --snapshot training-2026-11 --prompt question --answer answer --model support --run-name support-3

The base model is a release of the team's (an import from Hugging Face that was promoted), read with the
team's identity: nothing here has a way to the internet. Variables: those of the team's ConfigMap `platform`
and Secret `mlflow`, and those of Kubeflow Trainer, which torchrun reads.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlflow
import torch
from accelerate import PartialState
from mlflow import MlflowClient
from peft import LoraConfig, get_peft_model
from pyiceberg.catalog import load_catalog
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from fine_tune.base import download
from fine_tune.checkpoints import Checkpoints
from fine_tune.storage import Folder


class Progress(TrainerCallback):
    """Copies checkpoints to the bucket, and logs metrics to MLflow; in rank 0 only."""

    def __init__(self, checkpoints: Checkpoints, mlflow_run: str) -> None:
        self._checkpoints, self._mlflow_run = checkpoints, mlflow_run

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Copy what the trainer saved."""
        if state.is_world_process_zero:
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            self._checkpoints.save(state.global_step, folder, self._mlflow_run)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Log the numbers."""
        if state.is_world_process_zero:
            numbers = {name: float(value) for name, value in (logs or {}).items()}
            mlflow.log_metrics(numbers, step=state.global_step)


def main(words: Sequence[str] | None = None) -> None:
    """Fine-tune, or continue a run of the same name, and register the adapter."""
    options = _options(words)
    # Without GPUs accelerate joins no processes unless `cpu` is stated.
    on_cpu = not torch.cuda.is_available()
    state = PartialState(cpu=on_cpu)
    checkpoints = Checkpoints(os.environ["CHECKPOINTS_URI"], options.run)
    # One folder for the processes of a node.
    work = Path(tempfile.gettempdir()) / options.run
    with state.local_main_process_first():
        if state.is_local_main_process:
            team = os.environ["PLATFORM_TEAM"]
            download(Folder(f"{os.environ['RELEASES_URI']}/{team}/{options.base}"), work / "base")
            last = checkpoints.latest(work)
            (work / "last.json").write_text(json.dumps([str(last[0]), last[1]] if last else None))
    resumed = json.loads((work / "last.json").read_text())
    run = _mlflow_run(options, resumed[1] if resumed else None) if state.is_main_process else ""
    snapshot, rows = _rows(options)
    tokenizer = AutoTokenizer.from_pretrained(work / "base", local_files_only=True)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(
        work / "base", local_files_only=True, use_safetensors=True, dtype="auto"
    )
    lora = LoraConfig(
        r=options.rank,
        lora_alpha=2 * options.rank,
        lora_dropout=0.05,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    trainer = Trainer(
        model=get_peft_model(model, lora),
        args=TrainingArguments(
            output_dir=str(work),
            max_steps=options.steps,
            per_device_train_batch_size=options.batch,
            learning_rate=options.rate,
            save_steps=options.checkpoint_every,
            logging_steps=options.log_every,
            save_total_limit=2,
            bf16=not on_cpu,
            use_cpu=on_cpu,
            report_to=[],
            seed=1,
        ),
        train_dataset=[tokenizer(row, truncation=True, max_length=options.length) for row in rows],
        data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),
        callbacks=[Progress(checkpoints, run)],
    )
    trainer.train(resume_from_checkpoint=resumed[0] if resumed else None)
    if state.is_main_process:
        trainer.model.save_pretrained(work / "adapter", safe_serialization=True)
        _register(options, run, work / "adapter", snapshot)
        mlflow.end_run()
    state.wait_for_everyone()
    state.destroy_process_group()


def _mlflow_run(options: argparse.Namespace, known: str | None) -> str:
    """Start a run in MLflow, or continue the one of the checkpoint; return its id."""
    mlflow.set_experiment(_model(options))
    run = mlflow.start_run(run_id=known, run_name=None if known else options.run)
    if known is None:
        mlflow.log_params(vars(options))
    return run.info.run_id


def _model(options: argparse.Namespace) -> str:
    return f"{os.environ['PLATFORM_TEAM']}.{options.model}"


def _rows(options: argparse.Namespace) -> tuple[int, list[str]]:
    """Return the id of the pinned snapshot, and a text for each of its rows."""
    table, name = load_catalog().load_table(options.table), options.snapshot
    snapshot = table.snapshot_by_id(int(name)) if name.isdigit() else table.snapshot_by_name(name)
    if snapshot is None:
        raise ValueError(f"{options.table}: no snapshot {name}")
    fields = (options.prompt, options.answer)
    rows = table.scan(snapshot_id=snapshot.snapshot_id, selected_fields=fields).to_arrow().to_pylist()
    return snapshot.snapshot_id, [f"{row[options.prompt]}\n{row[options.answer]}" for row in rows]


def _register(options: argparse.Namespace, run: str, adapter: Path, snapshot: int) -> None:
    """Log the adapter and the card, and register the adapter as a version, once for a run."""
    client, model = MlflowClient(), _model(options)
    mlflow.log_artifact(options.card)
    mlflow.set_tags(
        {
            "ai-platform.snapshots": json.dumps({options.table: snapshot}),
            "ai-platform.feature_views": "{}",
            "ai-platform.evaluation_set": f"{options.table}@{snapshot}",
            "ai-platform.image": os.environ["IMAGE"],
            "ai-platform.code_commit": os.environ["CODE_COMMIT"],
            "ai-platform.base": options.base,
        }
    )
    if client.search_model_versions(f"run_id = '{run}'"):
        return
    mlflow.log_artifacts(str(adapter), "adapter")
    if not client.search_registered_models(f"name = '{model}'"):
        client.create_registered_model(model)
    client.create_model_version(model, f"{client.get_run(run).info.artifact_uri}/adapter", run)


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    # torchrun takes a prefix of a torchrun option for that option, behind the program too: not `--run`.
    parser = argparse.ArgumentParser(prog="fine_tune", description="Fine-tune a language model with LoRA.")
    parser.add_argument("--base", required=True, help="MODEL/VERSION of the team's releases")
    parser.add_argument("--table", required=True, help="database.table of the platform's catalog")
    parser.add_argument("--snapshot", required=True, help="id or tag of the snapshot to read")
    parser.add_argument("--prompt", required=True, help="the column with the text before the answer")
    parser.add_argument("--answer", required=True, help="the column to learn")
    parser.add_argument("--model", required=True, help="name of the model, after the team and a dot")
    parser.add_argument(
        "--run-name", dest="run", required=True, help="name of the run; one that exists is continued"
    )
    parser.add_argument("--card", default="model_card.json", help="the model card, a file of the image")
    parser.add_argument("--rank", type=int, default=16, help="of the adapter's matrices")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=4, help="rows of a step in each process")
    parser.add_argument("--length", type=int, default=1024, help="tokens of a row at most")
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--checkpoint-every", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--log-every", type=int, default=10, help="steps between metrics")
    return parser.parse_args(words)


if __name__ == "__main__":
    main()
