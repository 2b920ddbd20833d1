"""Whatever a client wrote, its very next read shows: through searches and through look-ups by id."""

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric

from transcript import Transcript

ROUNDS = 50


def record(transcript: Transcript) -> None:
    client = MlflowClient()
    experiment_id = client.create_experiment(transcript.unique("own writes"))
    transcript.call(experiment_id, "experiment own writes")
    transcript.see("no runs yet", client.search_runs([experiment_id]))
    run_id = client.create_run(experiment_id, start_time=1_700_000_000_000, run_name="writes").info.run_id
    transcript.call(run_id, "run writes")

    def found(filter_string: str) -> int:
        return len(client.search_runs([experiment_id], filter_string))

    transcript.see("by metric", [metric_round(client, run_id, found, n) for n in range(ROUNDS)])
    for kind in (param_round, tag_round, name_round, batch_round, deletion_round, new_run_round):
        transcript.see(kind.__name__, [kind(client, experiment_id, run_id, found, n) for n in range(10)])
    again = [client.get_experiment(experiment_id).lifecycle_stage for _ in range(3)]
    transcript.see("the experiment, read again", again)
    transcript.see("in the end", client.search_runs([experiment_id], "metrics.m >= 0"))


def metric_round(client: MlflowClient, run_id: str, found, number: int) -> list:
    """What the same search finds before the write and after it, each asked twice so that a cache may answer."""
    filter_string = f"metrics.m = {number}"
    before = [found(filter_string), found(filter_string), client.get_run(run_id).data.metrics.get("m")]
    client.log_metric(run_id, "m", number, timestamp=number, step=number)
    after = [found(filter_string), found(filter_string), client.get_run(run_id).data.metrics.get("m")]
    return [before, after, found(f"metrics.m < {number}")]


def param_round(client: MlflowClient, experiment_id: str, run_id: str, found, number: int) -> list:
    before = found(f"params.p{number} = 'x'")
    client.log_param(run_id, f"p{number}", "x")
    return [before, found(f"params.p{number} = 'x'"), len(client.get_run(run_id).data.params)]


def tag_round(client: MlflowClient, experiment_id: str, run_id: str, found, number: int) -> list:
    client.set_tag(run_id, "t", str(number))
    present = found(f"tags.t = '{number}'")
    client.delete_tag(run_id, "t")
    return [present, found(f"tags.t = '{number}'"), found("tags.t IS NULL"), client.get_run(run_id).data.tags.get("t")]


def name_round(client: MlflowClient, experiment_id: str, run_id: str, found, number: int) -> list:
    before = [found(f"run_name = 'name-{number - 1}'"), found(f"run_name = 'name-{number}'")]
    client.update_run(run_id, name=f"name-{number}")
    after = [found(f"run_name = 'name-{number - 1}'"), found(f"run_name = 'name-{number}'")]
    return [before, after, client.get_run(run_id).info.run_name]


def batch_round(client: MlflowClient, experiment_id: str, run_id: str, found, number: int) -> list:
    client.log_batch(run_id, metrics=[Metric(key, number, number, number) for key in ("a", "b")])
    return [found(f"metrics.a = {number} AND metrics.b = {number}")]


def deletion_round(client: MlflowClient, experiment_id: str, run_id: str, found, number: int) -> list:
    client.delete_run(run_id)
    gone = found("")
    client.restore_run(run_id)
    return [gone, found("")]


def new_run_round(client: MlflowClient, experiment_id: str, run_id: str, found, number: int) -> list:
    with mlflow.start_run(experiment_id=experiment_id, run_name=f"new-{number}"):
        running = found(f"run_name = 'new-{number}' AND status = 'RUNNING'")
    return [running, found(f"run_name = 'new-{number}' AND status = 'FINISHED'"), found("")]
