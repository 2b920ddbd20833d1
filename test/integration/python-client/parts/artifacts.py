"""Artifacts go through untouched: small and large, single and whole folders, up, listed and down."""

import hashlib
import random
from pathlib import Path

import mlflow
from mlflow import MlflowClient

from transcript import Transcript

LARGE_BYTES = 5 * 2**20 + 17


def record(transcript: Transcript) -> None:
    client = MlflowClient()
    experiment = mlflow.set_experiment(transcript.unique("artifacts"))
    transcript.call(experiment.experiment_id, "experiment artifacts")
    with mlflow.start_run(run_name="with artifacts") as run:
        run_id = transcript.call(run.info.run_id, "run with artifacts")
        logged()
        transcript.see("uri", mlflow.get_artifact_uri("folder/file"))
    for folder in (None, "notes", "tree", "tree/deep", "no such folder"):
        listed = client.list_artifacts(run_id, folder)
        transcript.see(f"in {folder}", sorted(plain_info(info) for info in listed))
    transcript.see("text", mlflow.artifacts.load_text(f"runs:/{run_id}/notes/ünïcode name.txt"))
    transcript.see("dict", mlflow.artifacts.load_dict(f"runs:/{run_id}/config.json"))
    transcript.see("table", mlflow.load_table("table.json", [run_id]))
    transcript.see("one file", digest(Path(client.download_artifacts(run_id, "big/large.bin"))))
    root = Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=""))
    transcript.see("everything", {str(file.relative_to(root)): digest(file) for file in files_below(root)})
    transcript.see("no such file", refused_download(client, run_id))


def logged() -> None:
    Path("large.bin").write_bytes(random.Random(7).randbytes(LARGE_BYTES))
    Path("empty.txt").touch()
    deep = Path("local/deep")
    deep.mkdir(parents=True)
    for number in range(3):
        (deep / f"{number}.txt").write_text(f"file {number}\n")
    mlflow.log_artifact("large.bin", "big")
    mlflow.log_artifact("empty.txt")
    mlflow.log_artifacts("local", "tree")
    mlflow.log_text("grüße\n", "notes/ünïcode name.txt")
    mlflow.log_dict({"a": [1, None, {"b": 0.5}]}, "config.json")
    mlflow.log_dict({"layers": [64, 32]}, "config.yaml")
    mlflow.log_table({"question": ["q1", "q2"], "answer": ["a1", "a2"]}, "table.json")


def plain_info(info) -> list:
    return [info.path, info.is_dir, info.file_size or 0]


def files_below(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def digest(file: Path) -> list:
    content = file.read_bytes()
    return [len(content), hashlib.sha256(content).hexdigest()]


def refused_download(client: MlflowClient, run_id: str) -> str:
    try:
        client.download_artifacts(run_id, "no/such/file.txt")
    except Exception as error:  # its kind differs between MLflow's artifact stores
        return type(error).__name__
    raise AssertionError("a missing artifact was downloaded")
