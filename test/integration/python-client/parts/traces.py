"""Traces: recorded, found, read back with their spans, tagged and deleted."""

import mlflow
from mlflow import MlflowClient

from transcript import Transcript


def record(transcript: Transcript) -> None:
    client = MlflowClient()
    experiment = mlflow.set_experiment(transcript.unique("traces"))
    transcript.call(experiment.experiment_id, "experiment traces")
    for number in range(3):
        transcript.see(f"answer {number}", answered(number))
        transcript.call(mlflow.get_last_active_trace_id(), f"trace {number}")
    with mlflow.start_run(run_name="traced") as run:
        transcript.call(run.info.run_id, "run traced")
        answered(9)
        transcript.call(mlflow.get_last_active_trace_id(), "trace 9")
    first = searched(transcript, client, experiment.experiment_id, run.info.run_id)
    client.set_trace_tag(first, "reviewed", "yes")
    transcript.see("tagged", client.get_trace(first).info.tags.get("reviewed"))
    client.delete_traces(experiment.experiment_id, trace_ids=[first])
    left = mlflow.search_traces(locations=[experiment.experiment_id], return_type="list")
    transcript.see("left", [trace.info.request_preview for trace in left])


@mlflow.trace(name="answer", attributes={"kind": "test"})
def answered(number: int) -> str:
    with mlflow.start_span("look up") as span:
        span.set_inputs({"number": number})
        span.set_outputs([number, "ü"])
    mlflow.update_current_trace(tags={"number": str(number)})
    return f"answer {number}"


def searched(transcript: Transcript, client: MlflowClient, experiment_id: str, run_id: str) -> str:
    for filter_string in (None, "tags.number = '1'", "trace.status = 'OK'", "trace.name = 'nobody'"):
        found = mlflow.search_traces(
            locations=[experiment_id], filter_string=filter_string, order_by=["timestamp_ms ASC"], return_type="list"
        )
        transcript.see(f"traces where {filter_string}", [summary(trace) for trace in found])
    of_run = mlflow.search_traces(run_id=run_id, return_type="list")
    transcript.see("traces of the run", [summary(trace) for trace in of_run])
    table = mlflow.search_traces(locations=[experiment_id], order_by=["timestamp_ms ASC"])
    transcript.see("table of traces", [list(table.shape), list(table.columns), list(table["response"])])
    return client.search_traces([experiment_id], order_by=["timestamp_ms ASC"])[0].info.trace_id


def summary(trace) -> list:
    info = trace.info
    spans = [[span.name, span.inputs, span.outputs, span.status.status_code] for span in trace.data.spans]
    return [info.trace_id, info.state, info.request_preview, info.response_preview, info.tags.get("number"), spans]
