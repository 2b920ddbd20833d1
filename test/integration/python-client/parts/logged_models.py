"""Logged models: by hand with their inputs and outputs, and a Python function saved, loaded and asked."""

import mlflow
from mlflow import MlflowClient
from mlflow.entities import LoggedModelInput, LoggedModelOutput, Metric

from transcript import Transcript


def record(transcript: Transcript) -> None:
    client = MlflowClient()
    experiment = mlflow.set_experiment(transcript.unique("logged models"))
    experiment_id = transcript.call(experiment.experiment_id, "experiment logged models")
    by_hand(transcript, client, experiment_id)
    python_function(transcript, client)


def by_hand(transcript: Transcript, client: MlflowClient, experiment_id: str) -> None:
    run_id = client.create_run(experiment_id, start_time=1_700_000_000_000, run_name="makes models").info.run_id
    transcript.call(run_id, "run makes models")
    for number in range(3):
        model = client.create_logged_model(
            experiment_id, f"net-{number}", run_id, {"size": str(number)}, {"layers": str(number)}, "net"
        )
        transcript.call(model.model_id, f"model net-{number}")
        transcript.see(f"made {number}", model)
        client.log_metric(run_id, "accuracy", number / 2, timestamp=number, step=number, model_id=model.model_id)
        client.finalize_logged_model(model.model_id, "READY" if number else "FAILED")
        client.set_logged_model_tags(model.model_id, {"extra": "x"})
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=number)])
        transcript.see(f"finished {number}", client.get_logged_model(model.model_id))
    client.log_inputs(run_id, models=[LoggedModelInput(model.model_id)])
    client.log_batch(run_id, [Metric("batched", 5, 5, 0, model_id=model.model_id)])
    transcript.see("run with models in and out", client.get_run(run_id))
    transcript.see("the same run, found", client.search_runs([experiment_id], "metrics.batched = 5"))
    model_searches(transcript, client, experiment_id)
    client.delete_logged_model(model.model_id)
    transcript.refused("deleted model", lambda: client.get_logged_model(model.model_id))


def model_searches(transcript: Transcript, client: MlflowClient, experiment_id: str) -> None:
    for filter_string in ("name LIKE 'net-%'", "params.layers = '1'", "metrics.accuracy > 0.2", "tags.size != '0'"):
        found = client.search_logged_models([experiment_id], filter_string, order_by=[{"field_name": "name"}])
        transcript.see(f"models where {filter_string}", [model.name for model in found])
    best_first = [{"field_name": "metrics.accuracy", "ascending": False}]
    page = client.search_logged_models([experiment_id], max_results=2, order_by=best_first)
    rest = client.search_logged_models([experiment_id], max_results=2, order_by=best_first, page_token=page.token)
    transcript.see("pages of models", [[model.name for model in models] for models in (page, rest)])


class Doubler(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: list[int]) -> list[int]:
        return [2 * each for each in model_input]


def python_function(transcript: Transcript, client: MlflowClient) -> None:
    with mlflow.start_run(run_name="doubler") as run:
        transcript.call(run.info.run_id, "run doubler")
        logged = mlflow.pyfunc.log_model(name="doubler", python_model=Doubler(), pip_requirements=["mlflow"])
    transcript.call(logged.model_id, "model doubler")
    transcript.see("answer", mlflow.pyfunc.load_model(logged.model_uri).predict([1, 2, 3]))
    transcript.see("outputs", client.get_run(run.info.run_id).outputs)
    files = client.list_logged_model_artifacts(logged.model_id)
    transcript.see("files", sorted(info.path for info in files))
    version = mlflow.register_model(logged.model_uri, transcript.unique("doubler"))
    transcript.see("registered", [version.version, version.model_id, version.status])
    loaded = mlflow.pyfunc.load_model(f"models:/{version.name}/{version.version}")
    transcript.see("answer of the registered one", loaded.predict([4]))
