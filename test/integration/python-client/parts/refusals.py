"""What the server refuses reaches the client as the same exception, code and words."""

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param

from transcript import Transcript

BAD_FILTERS = (
    "metrics.accuracy > 'high'",
    "metrics.accuracy LIKE '1%'",
    "metric.accuracy == 1",
    "params.a > 'x'",
    "params.a = 1",
    "params.a = x",
    "params.a = 'x' OR params.b = 'y'",
    "params.a = 'unbalanced",
    "tags.a < 'x'",
    "attributes.foo = 'x'",
    "attributes.start_time = 'x'",
    "status IN ('FINISHED')",
    "run_id IN ()",
    "run_id IN ('a', 5)",
    "dataset.source = 'x'",
    "Metrics.a > 1",
    "metrics.a IS NULL",
    "NOT metrics.a > 1",
    "this is no filter",
    "metrics.a > 1;",
)

BAD_ORDERS = (
    ["metrics.accuracy SIDEWAYS"],
    ["attributes.foo"],
    ["dataset.name"],
    [""],
    ["metrics.accuracy DESC NULLS LAST"],
    ["metrics.a", "metrics.a DESC"],
)


def record(transcript: Transcript) -> None:
    client = MlflowClient()
    experiment_id = client.create_experiment(transcript.unique("refusals"))
    transcript.call(experiment_id, "experiment refusals")
    run_id = client.create_run(experiment_id, start_time=1_700_000_000_000, run_name="refused").info.run_id
    transcript.call(run_id, "run refused")
    searches(transcript, client, experiment_id)
    experiments(transcript, client)
    runs(transcript, client, run_id)
    deleted_things(transcript, client, experiment_id, run_id)


def searches(transcript: Transcript, client: MlflowClient, experiment_id: str) -> None:
    for bad in BAD_FILTERS:
        transcript.refused(f"where {bad}", lambda: client.search_runs([experiment_id], bad))
    for bad in BAD_ORDERS:
        transcript.refused(f"in the order {bad}", lambda: client.search_runs([experiment_id], order_by=bad))
    for bad in (0, -1, 50_001):
        transcript.see(f"{bad} results", outcome(lambda: len(client.search_runs([experiment_id], max_results=bad))))
    for bad in ("no token", "e30=", "bm90IGpzb24="):
        transcript.refused(f"page {bad}", lambda: client.search_runs([experiment_id], page_token=bad))
    for bad in ("name == 'x'", "tags.a > 'x'", "creation_time = 'x'", "lifecycle_stage = 'active'", "name like 'x'"):
        transcript.refused(f"experiments where {bad}", lambda: client.search_experiments(filter_string=bad))
    for bad in (["tags.a"], ["foo"], ["name UP"]):
        transcript.refused(f"experiments in the order {bad}", lambda: client.search_experiments(order_by=bad))
    transcript.see("an unknown experiment", outcome(lambda: len(client.search_runs(["987654321"]))))


def outcome(call):
    """The answer, or how it was refused, where MLflow may do either."""
    try:
        return call()
    except mlflow.MlflowException as error:
        return [error.error_code, error.message]


def experiments(transcript: Transcript, client: MlflowClient) -> None:
    taken = transcript.unique("refusals")
    transcript.refused("name taken", lambda: client.create_experiment(taken))
    transcript.refused("empty name", lambda: client.create_experiment(""))
    transcript.refused("long name", lambda: client.create_experiment("x" * 501))
    transcript.refused("unknown experiment", lambda: client.get_experiment("987654321"))
    transcript.refused("experiment id that is none", lambda: client.get_experiment("abc"))
    transcript.see("unknown name", client.get_experiment_by_name("nobody has this name"))
    transcript.refused("run in an unknown experiment", lambda: client.create_run("987654321"))
    transcript.refused("unknown experiment deleted", lambda: client.delete_experiment("987654321"))


def runs(transcript: Transcript, client: MlflowClient, run_id: str) -> None:
    unknown = transcript.call("0" * 32, "unknown run")
    transcript.refused("unknown run", lambda: client.get_run(unknown))
    transcript.refused("metric of an unknown run", lambda: client.log_metric(unknown, "m", 1))
    transcript.refused("unknown run deleted", lambda: client.delete_run(unknown))
    client.log_param(run_id, "p", "1")
    client.log_param(run_id, "p", "1")
    transcript.refused("param changed", lambda: client.log_param(run_id, "p", "2"))
    changed = [Param("p", "3"), Param("new", "1")]
    transcript.refused("param changed in a batch", lambda: client.log_batch(run_id, [Metric("m", 1, 1, 0)], changed))
    transcript.refused("tag that is not there", lambda: client.delete_tag(run_id, "nope"))
    transcript.refused("metric name", lambda: client.log_metric(run_id, "a,b", 1))
    transcript.refused("metric path", lambda: client.log_metric(run_id, "a//b", 1))
    transcript.see("what the refused writes left", client.get_run(run_id))


def deleted_things(transcript: Transcript, client: MlflowClient, experiment_id: str, run_id: str) -> None:
    client.delete_run(run_id)
    transcript.refused("metric of a deleted run", lambda: client.log_metric(run_id, "m", 1))
    transcript.refused("deleted run renamed", lambda: client.update_run(run_id, name="x"))
    client.delete_experiment(experiment_id)
    transcript.refused("deleted experiment set", lambda: mlflow.set_experiment(transcript.unique("refusals")))
    transcript.refused("run in a deleted experiment", lambda: client.create_run(experiment_id))
    transcript.refused("deleted again", lambda: client.delete_experiment(experiment_id))
