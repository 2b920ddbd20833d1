"""Reads and writes with MLflow's own client as the caller that the environment names, and prints what became of it as JSON.

    python callers.py TRACKING_URI EXPERIMENT_NAME
"""

import contextlib
import json
import os
import sys
import tempfile

os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"  # a retry would hide the error that caused it
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"

import mlflow
from mlflow.exceptions import MlflowException


def outcome(step):
    try:
        return step()
    except MlflowException as error:
        return {"error_code": error.error_code, "message": str(error)}


def write(name):
    experiment_id = mlflow.create_experiment(name)
    with tempfile.TemporaryDirectory() as folder, mlflow.start_run(experiment_id=experiment_id) as run:
        path = os.path.join(folder, "note.txt")
        with open(path, "w") as file:
            file.write("noted")
        mlflow.log_metric("m", 1.5)
        mlflow.log_artifact(path)
    found = mlflow.search_runs([experiment_id], "metrics.m > 1", output_format="list")
    return [found[0].info.run_id == run.info.run_id, mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/note.txt")]


def main(tracking_uri, name):
    mlflow.set_tracking_uri(tracking_uri)
    with contextlib.redirect_stdout(sys.stderr):
        read = outcome(lambda: [each.name for each in mlflow.search_experiments(filter_string="name = 'Default'")])
        written = outcome(lambda: write(name))
    json.dump({"read": read, "written": written}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
