"""A script as people write it: twenty runs logged by `mlflow.log_…`, then looked at by `mlflow.search_runs`."""

import mlflow
import pandas
from mlflow import MlflowClient

from transcript import Transcript

RUNS = 20
MODELS = ("resnet50", "resnet101", "GPT-2", "xgboost")
STEPS = 5

SEARCHES = (
    {},
    {"filter_string": "metrics.accuracy > 0.8"},
    {"filter_string": 'metrics."f1 score" >= 0.5 AND metrics.loss < 0.6'},
    {"filter_string": "params.model LIKE 'resnet%'", "order_by": ["metrics.accuracy DESC"]},
    {"filter_string": "params.model ILIKE 'gpt%'", "order_by": ["metrics.loss ASC", "start_time DESC"]},
    {"filter_string": "datasets.name IN ('train-0', 'train-2')", "order_by": ["params.model", "metrics.accuracy"]},
    {"filter_string": "datasets.context = 'training' AND tags.stage != 'dev'"},
    {"filter_string": "attributes.run_name LIKE 'training-1%'", "order_by": ["attributes.run_name"]},
    {"filter_string": "attributes.status = 'FINISHED'", "order_by": ['metrics."f1 score" DESC'], "max_results": 7},
    {"filter_string": "params.lr = '0.1' AND tags.`team name` = 'a'"},
)


def record(transcript: Transcript) -> None:
    experiment_id = mlflow.set_experiment(transcript.unique("training")).experiment_id
    transcript.call(experiment_id, "experiment training")
    run_ids = [trained(transcript, number) for number in range(RUNS)]
    for search in SEARCHES:
        transcript.see(f"table of {search}", mlflow.search_runs([experiment_id], **search))
    by_loss = {"max_results": 6, "order_by": ["metrics.loss"]}
    transcript.see("list", mlflow.search_runs([experiment_id], output_format="list", **by_loss))
    client = MlflowClient()
    pages, token = [], None
    while token or not pages:
        page = client.search_runs([experiment_id], "metrics.accuracy >= 0", page_token=token, **by_loss)
        pages.append([run.info.run_name for run in page])
        token = page.token
    transcript.see("pages", pages)
    for run_id in run_ids[:3]:
        transcript.see("history", client.get_metric_history(run_id, "loss"))
        transcript.see("artifacts", client.list_artifacts(run_id))
        transcript.see("text", mlflow.artifacts.load_text(f"runs:/{run_id}/notes/summary.txt"))
        transcript.see("dictionary", mlflow.artifacts.load_dict(f"runs:/{run_id}/config.json"))
    transcript.see("run", mlflow.get_run(run_ids[0]))


def trained(transcript: Transcript, number: int) -> str:
    model, lr = MODELS[number % 4], ("0.1", "0.01", "0.001")[number % 3]
    with mlflow.start_run(run_name=f"training-{number}") as run:
        mlflow.log_params({"model": model, "lr": lr, "layers": number})
        mlflow.set_tags({"stage": "prod" if number % 5 == 0 else "dev", "team name": "ab"[number % 2]})
        for step in range(STEPS):
            mlflow.log_metric("loss", 1 / (1 + step + number), step=step)
            mlflow.log_metrics({"accuracy": (number + step) / (RUNS + STEPS), "f1 score": number / RUNS}, step=step)
        frame = pandas.DataFrame({"x": [1, 2, 3], "y": [number % 3, 1, 0]})
        mlflow.log_input(mlflow.data.from_pandas(frame, name=f"train-{number % 3}", targets="y"), context="training")
        mlflow.log_text(f"{model} with {lr}", "notes/summary.txt")
        mlflow.log_dict({"model": model, "layers": number}, "config.json")
    return transcript.call(run.info.run_id, f"run training-{number}")
