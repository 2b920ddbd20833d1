"""Writes runs into the database of an MLflow server, past its API: load-mlflow.py DATABASE_URI < RUNS.

Runs come as lines of JSON, as `runs/search` writes them. Schema and experiments have to be there.
"""

import json
import sys
import uuid

import sqlalchemy
from mlflow.store.tracking.dbmodels import models

RUNS_A_TRANSACTION = 5_000

# Tables after those that they refer to.
MODELS = (
    models.SqlRun,
    models.SqlDataset,
    models.SqlInput,
    models.SqlInputTag,
    models.SqlLatestMetric,
    models.SqlMetric,
    models.SqlParam,
    models.SqlTag,
)


class Loader:
    def __init__(self, uri):
        self.connection = sqlalchemy.create_engine(uri).connect()
        if self.connection.dialect.name == "sqlite":
            self.connection.exec_driver_sql("PRAGMA synchronous=OFF")
            self.connection.commit()
        self.rows = {model: [] for model in MODELS}
        self.datasets = {}

    def add(self, run):
        info, data = run["info"], run["data"]
        run_id = info["run_id"]
        self.rows[models.SqlRun].append(
            {
                "run_uuid": run_id,
                "name": info["run_name"],
                "source_type": "UNKNOWN",
                "source_name": "",
                "entry_point_name": "",
                "source_version": "",
                "user_id": info["user_id"],
                "status": info["status"],
                "start_time": info["start_time"],
                "end_time": info.get("end_time"),
                "lifecycle_stage": info["lifecycle_stage"],
                "artifact_uri": info["artifact_uri"],
                "experiment_id": int(info["experiment_id"]),
            }
        )
        for metric in data["metrics"]:
            is_nan = metric["value"] == "NaN"
            row = {
                "run_uuid": run_id,
                "key": metric["key"],
                "value": 0 if is_nan else metric["value"],
                "timestamp": metric["timestamp"],
                "step": metric["step"],
                "is_nan": is_nan,
            }
            self.rows[models.SqlMetric].append(row)
            self.rows[models.SqlLatestMetric].append(row)
        self.rows[models.SqlParam] += [{"run_uuid": run_id, **param} for param in data["params"]]
        self.rows[models.SqlTag] += [{"run_uuid": run_id, **tag} for tag in data["tags"]]
        for used in run["inputs"].get("dataset_inputs", []):
            self.add_input(run_id, int(info["experiment_id"]), used)

    def add_input(self, run_id, experiment_id, used):
        input_id = uuid.uuid4().hex
        self.rows[models.SqlInput].append(
            {
                "input_uuid": input_id,
                "source_type": "DATASET",
                "source_id": self.dataset_id(experiment_id, used["dataset"]),
                "destination_type": "RUN",
                "destination_id": run_id,
            }
        )
        self.rows[models.SqlInputTag] += [
            {"input_uuid": input_id, "name": tag["key"], "value": tag["value"]} for tag in used["tags"]
        ]

    def dataset_id(self, experiment_id, dataset):
        """A dataset is known by its name and digest within an experiment, and written once."""
        known_by = (experiment_id, dataset["name"], dataset["digest"])
        if known_by not in self.datasets:
            self.datasets[known_by] = uuid.uuid4().hex
            self.rows[models.SqlDataset].append(
                {
                    "dataset_uuid": self.datasets[known_by],
                    "experiment_id": experiment_id,
                    "name": dataset["name"],
                    "digest": dataset["digest"],
                    "dataset_source_type": dataset["source_type"],
                    "dataset_source": dataset["source"],
                }
            )
        return self.datasets[known_by]

    def flush(self):
        for model, rows in self.rows.items():
            if rows:
                self.connection.execute(sqlalchemy.insert(model.__table__), rows)
                rows.clear()
        self.connection.commit()

    def finish(self):
        self.flush()
        # PostgreSQL does so by itself, some time later: until then it plans with figures of empty tables.
        if self.connection.dialect.name == "postgresql":
            self.connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")


def main():
    loader = Loader(sys.argv[1])
    for number, line in enumerate(sys.stdin, 1):
        loader.add(json.loads(line))
        if number % RUNS_A_TRANSACTION == 0:
            loader.flush()
    loader.finish()


main()
