"""Runs as people log them with the fluent API and with the client: nested, in batches, from threads, by autologging."""

from concurrent.futures import ThreadPoolExecutor

import mlflow
import numpy
import pandas
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag

from transcript import Transcript


def record(transcript: Transcript) -> None:
    client = MlflowClient()
    experiment = mlflow.set_experiment(transcript.unique("runs"))
    transcript.call(experiment.experiment_id, "experiment runs")
    nested(transcript, client)
    metrics_with_history(transcript, client)
    batches(transcript, client, experiment.experiment_id)
    tags_and_names(transcript, client, experiment.experiment_id)
    datasets(transcript, client, experiment.experiment_id)
    deleted_and_restored(transcript, client, experiment.experiment_id)
    from_threads(transcript, client, experiment.experiment_id)
    autologged(transcript)
    transcript.see("all of them", mlflow.search_runs(order_by=["attributes.start_time ASC"]))


def nested(transcript: Transcript, client: MlflowClient) -> None:
    with mlflow.start_run(run_name="parent", description="has two children", tags={"level": "0"}) as parent:
        transcript.call(parent.info.run_id, "run parent")
        mlflow.log_param("depth", 2)
        for number in range(2):
            with mlflow.start_run(run_name=f"child-{number}", nested=True) as child:
                transcript.call(child.info.run_id, f"run child-{number}")
                mlflow.log_params({"number": number, "text": "it's \"quoted\" % _ \\ ü"})
                mlflow.log_metric("score", number / 3)
            transcript.see(f"child {number} ended", client.get_run(child.info.run_id))
            transcript.see(f"parent of child {number}", mlflow.get_parent_run(child.info.run_id).info.run_name)
        transcript.see("parent still runs", client.get_run(parent.info.run_id))
        of_parent = f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
        transcript.see("children", mlflow.search_runs(filter_string=of_parent, order_by=["metrics.score DESC"]))
    transcript.see("parent ended", mlflow.get_run(parent.info.run_id))
    transcript.see("last active", mlflow.last_active_run().info.run_name)


def metrics_with_history(transcript: Transcript, client: MlflowClient) -> None:
    with mlflow.start_run(run_name="history") as run:
        run_id = transcript.call(run.info.run_id, "run history")
        for step in (3, 1, 2):
            mlflow.log_metric("loss", 1 / step, step=step, timestamp=1_700_000_000_000 + step)
            transcript.see(f"loss after step {step}", client.get_run(run_id).data.metrics)
        mlflow.log_metrics({"a": 1, "b": -2.5e-300, "c d/e": 1e300}, step=7, timestamp=1_700_000_000_100)
        mlflow.log_metrics({"nan": float("nan"), "up": float("inf"), "down": float("-inf")}, timestamp=1_700_000_000_101)
        mlflow.log_metric("late", 4, synchronous=False).wait()
        with_late = mlflow.search_runs(filter_string="metrics.late = 4", output_format="list")
        transcript.see("logged in the background", [each.info.run_name for each in with_late])
    for key in ("loss", "nan", "up", "late", "none of these"):
        transcript.see(f"history of {key}", client.get_metric_history(run_id, key))
    transcript.see("latest", client.get_run(run_id))


def batches(transcript: Transcript, client: MlflowClient, experiment_id: str) -> None:
    run = client.create_run(experiment_id, start_time=1_700_000_001_000, run_name="batch", tags={"by": "client"})
    run_id = transcript.call(run.info.run_id, "run batch")
    transcript.see("as create_run gives it", run)
    client.log_batch(
        run_id,
        metrics=[Metric(f"m{i % 5}", i / 10, 1_700_000_001_000 + i, i) for i in range(50)],
        params=[Param(f"p{i}", str(i) * 40) for i in range(20)],
        tags=[RunTag(f"t{i}", "x" * i) for i in range(10)] + [RunTag("mlflow.runName", "batch renamed by tag")],
    )
    found = client.search_runs([experiment_id], "params.p7 LIKE '7777%' AND metrics.m4 > 4 AND tags.t9 = 'xxxxxxxxx'")
    transcript.see("found by what the batch wrote", found)
    client.set_terminated(run_id, status="FAILED", end_time=1_700_000_002_000)
    transcript.see("ended", client.get_run(run_id))
    transcript.see("found by status", client.search_runs([experiment_id], "status = 'FAILED'"))


def tags_and_names(transcript: Transcript, client: MlflowClient, experiment_id: str) -> None:
    run = client.create_run(experiment_id, start_time=1_700_000_003_000, run_name="before")
    run_id = transcript.call(run.info.run_id, "run tags")

    def names(filter_string: str) -> list[str]:
        return [each.info.run_name for each in client.search_runs([experiment_id], filter_string)]

    client.set_tag(run_id, "colour", "red")
    transcript.see("tag set", [names("tags.colour = 'red'"), client.get_run(run_id).data.tags])
    client.set_tag(run_id, "colour", "blue")
    transcript.see("tag changed", [names("tags.colour = 'red'"), names("tags.colour = 'blue'")])
    client.delete_tag(run_id, "colour")
    transcript.see("tag deleted", [names("tags.colour = 'blue'"), names("tags.colour IS NULL AND run_name = 'before'")])
    client.update_run(run_id, name="after")
    transcript.see("renamed", [names("run_name = 'before'"), names("run_name = 'after'"), client.get_run(run_id)])
    client.update_run(run_id, status="KILLED")
    transcript.see("status changed", [names("status = 'KILLED'"), client.get_run(run_id).info.status])
    client.delete_tag(run_id, "mlflow.runName")
    transcript.see("name tag deleted", [names("run_name = 'after'"), client.get_run(run_id)])


def datasets(transcript: Transcript, client: MlflowClient, experiment_id: str) -> None:
    frame = pandas.DataFrame({"x": [1.0, 2.0, 3.0], "label": ["a", "b", "a"]})
    array = numpy.arange(12, dtype=numpy.float32).reshape(4, 3)
    with mlflow.start_run(run_name="datasets") as run:
        run_id = transcript.call(run.info.run_id, "run datasets")
        mlflow.log_input(mlflow.data.from_pandas(frame, name="frame", targets="label"), context="training")
        mlflow.log_input(mlflow.data.from_numpy(array, name="array"), context="eval", tags={"split": "held out"})
    plain_dataset = Dataset("by hand", "d1gest", "local", "s3://bucket/key", schema="{}", profile=None)
    client.log_inputs(run_id, [DatasetInput(plain_dataset, [InputTag("mlflow.data.context", "test")])])
    for filter_string in ("dataset.name = 'array'", "datasets.digest = 'd1gest'", "dataset.context IN ('test', 'x')"):
        transcript.see(filter_string, client.search_runs([experiment_id], filter_string))
    transcript.see("inputs", client.get_run(run_id).inputs)


def deleted_and_restored(transcript: Transcript, client: MlflowClient, experiment_id: str) -> None:
    run_id = client.create_run(experiment_id, start_time=1_700_000_004_000, run_name="comes and goes").info.run_id
    transcript.call(run_id, "run comes and goes")

    def look(what: str) -> None:
        found = client.search_runs([experiment_id], "run_name = 'comes and goes'")
        transcript.see(what, [client.get_run(run_id).info, len(found)])

    client.delete_run(run_id)
    look("deleted")
    client.restore_run(run_id)
    look("restored")


def from_threads(transcript: Transcript, client: MlflowClient, experiment_id: str) -> None:
    def worker(number: int) -> list[int]:
        run = client.create_run(experiment_id, start_time=1_700_000_005_000 + number, run_name=f"thread-{number}")
        run_id = transcript.call(run.info.run_id, f"run thread-{number}")
        found = []
        for step in range(5):
            client.log_metric(run_id, f"of-{number}", step, timestamp=1_700_000_005_000, step=step)
            found.append(len(client.search_runs([experiment_id], f"metrics.`of-{number}` = {step}")))
        client.set_terminated(run_id)
        return found

    with ThreadPoolExecutor(4) as pool:
        transcript.see("each thread found its own writes", list(pool.map(worker, range(4))))
    finished = client.search_runs([experiment_id], "status = 'FINISHED' AND run_name LIKE 'thread-%'")
    transcript.see("all threads finished", [[run.info.run_name, run.data.metrics] for run in finished])


def autologged(transcript: Transcript) -> None:
    from sklearn.linear_model import LinearRegression

    mlflow.sklearn.autolog(log_models=False, silent=True)
    with mlflow.start_run(run_name="autologged") as run:
        transcript.call(run.info.run_id, "run autologged")
        LinearRegression().fit(numpy.arange(10).reshape(-1, 1), numpy.arange(10) * 2 + 1)
    mlflow.sklearn.autolog(disable=True)
    transcript.see("autologged", mlflow.get_run(run.info.run_id))
