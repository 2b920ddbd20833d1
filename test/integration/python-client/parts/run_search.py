"""Searches of every kind over runs of fixed times and values, as lists, as pages and as pandas tables."""

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType

from transcript import Transcript

START_MS = 1_700_000_000_000
STATUSES = ("FINISHED", "FAILED", "KILLED", "RUNNING")
OPTIMIZERS = ("adam", "Adam", "sgd", "ADAMW", "50%_off", "it's")
RUNS = 24

FILTERS = (
    "",
    "metrics.accuracy > 0.8",
    "metrics.accuracy >= 0.5 AND metrics.accuracy < 0.75",
    "metric.accuracy != 0.5",
    "metrics.`val loss` <= 2.5",
    'metrics."val loss" = 2.5',
    "metrics.sometimes > -1",
    "metrics.sometimes != 7",
    "metrics.big > 1e308",
    "metrics.big < -1e308",
    "metrics.accuracy > .8 and metrics.loss < 1e1",
    "metrics.missing = 1",
    "metrics.negative < -3",
    "metrics.steps = 3",
    "params.optimizer = 'adam'",
    'param.optimizer = "it\'s"',
    "parameters.optimizer != 'adam'",
    "params.optimizer LIKE 'ada%'",
    "params.optimizer ILIKE 'ada%'",
    "params.optimizer LIKE '50\\%%'",
    "params.optimizer LIKE '50%_off'",
    "params.optimizer LIKE '_D___'",
    "params.odd IS NULL",
    "params.odd IS NOT NULL",
    "params.`learning rate` = '0.01'",
    "params.empty = ''",
    "params.optimizer = 'adam' AND params.optimizer LIKE 'a%'",
    "tags.team = 'blue'",
    "tags.team != 'blue'",
    "tag.`team` ILIKE '%E%'",
    "tags.'a.b/c' = 'dotted'",
    "tags.a.b IS NULL",
    "tags.text LIKE '%Ü%'",
    "tags.text ILIKE '%ü%'",
    "tags.text = '日本 😀'",
    "tags.mlflow.runName = 'run-03'",
    "tags.`mlflow.user` IS NULL",
    "status = 'FINISHED'",
    "attributes.status != 'FINISHED'",
    "attribute.status LIKE 'F%'",
    "attr.run_name LIKE 'run-0%'",
    "run.`run name` ILIKE 'RUN-1_'",
    "run_name = 'run-05'",
    "user_id != 'nobody'",
    "artifact_uri LIKE 'mlflow-artifacts:/%/artifacts'",
    f"start_time > {START_MS + 15_000}",
    f"attributes.start_time <= {START_MS + 3_000} AND status != 'RUNNING'",
    f"created = {START_MS + 5_000}",
    f"end_time < {START_MS + 9_000}",
    f"end_time != {START_MS + 9_000}",
    f"start_time > {START_MS + 15_000}.5",
    "dataset.name = 'mnist'",
    "datasets.name != 'mnist'",
    "dataset.name LIKE 'm%' AND dataset.context = 'train'",
    "dataset.digest ILIKE 'D%'",
    "dataset.name IN ('mnist', 'cifar')",
    "dataset.context NOT IN ('train')",
    "metrics.accuracy > 0.2 AND params.optimizer ILIKE 'ADAM%' AND tags.team = 'red' AND status = 'FAILED'",
    "metrics.accuracy > 2",
)

ORDERS = (
    [],
    ["metrics.accuracy DESC"],
    ["metrics.accuracy"],
    ["metrics.sometimes ASC"],
    ["metrics.sometimes DESC"],
    ["metrics.big DESC"],
    ["metrics.steps ASC", "metrics.loss DESC"],
    ["params.optimizer ASC"],
    ["params.`learning rate` DESC", "start_time ASC"],
    ["params.odd DESC"],
    ["tags.team", "tags.text DESC"],
    ["attributes.start_time ASC"],
    ["start_time DESC"],
    ["created ASC"],
    ["end_time ASC"],
    ["status", "run_name DESC"],
    ["attribute.run_name desc"],
    ["metrics.missing"],
    ['"metrics.accuracy" DESC'],
)


def record(transcript: Transcript) -> None:
    client = MlflowClient()
    first, second = (made_experiment(transcript, client, name) for name in ("search-1", "search-2"))
    filtered(transcript, client, first)
    ordered(transcript, client, first)
    paged(transcript, client, [first, second])
    views(transcript, client, first)
    tables(transcript, first, second)


def made_experiment(transcript: Transcript, client: MlflowClient, name: str) -> str:
    experiment_id = client.create_experiment(transcript.unique(name), tags={"round": transcript.suffix})
    transcript.call(experiment_id, f"experiment {name}")
    # No two runs start at once, so nothing is left to the order of random ids.
    for number in range(RUNS if name == "search-1" else 6):
        start = START_MS + number * 1000 + (name == "search-2")
        transcript.call(made_run(client, experiment_id, number, start), f"{name} run-{number:02}")
    return experiment_id


def made_run(client: MlflowClient, experiment_id: str, number: int, start: int) -> str:
    run_id = client.create_run(experiment_id, start_time=start, run_name=f"run-{number:02}").info.run_id
    client.log_batch(run_id, metrics_of(number), params_of(number), tags_of(number))
    if number % 3 == 0:
        client.log_inputs(run_id, inputs_of(number))
    if STATUSES[number % 4] != "RUNNING":
        client.set_terminated(run_id, STATUSES[number % 4], end_time=start + 500)
    return run_id


def metrics_of(number: int) -> list[Metric]:
    values = {
        "accuracy": number / RUNS,
        "loss": 10 - number / 7,
        "val loss": number % 4 + 0.5,
        "negative": -number,
        "big": (float("inf"), float("-inf"), 1e300, 5e-324)[number % 4],
    }
    if number % 3:
        values["sometimes"] = float("nan") if number % 5 == 0 else number
    latest = [Metric(key, value, START_MS + number, 0) for key, value in values.items()]
    return latest + [Metric("steps", step * (number % 3), START_MS + step, step) for step in range(4)]


def params_of(number: int) -> list[Param]:
    values = {
        "optimizer": OPTIMIZERS[number % 6],
        "learning rate": ("0.1", "0.01", "0.001", "1e-2")[number % 4],
        "empty": "" if number % 8 == 0 else "full",
    }
    if number % 2:
        values["odd"] = str(number)
    return [Param(key, value) for key, value in values.items()]


def tags_of(number: int) -> list[RunTag]:
    values = {"text": ("Über", "über", "日本 😀", "plain", "")[number % 5]}
    if number % 4:
        values["team"] = ("red", "blue", "Green")[number % 3]
    if number % 6 == 0:
        values["a.b/c"] = "dotted"
    return [RunTag(key, value) for key, value in values.items()]


def inputs_of(number: int) -> list[DatasetInput]:
    name, context = (("mnist", "train"), ("cifar", "eval"), ("MNIST", "train"))[number % 9 // 3]
    inputs = [DatasetInput(Dataset(name, f"d{number}", "local", "nowhere"), [InputTag("mlflow.data.context", context)])]
    if number % 12 == 0:
        inputs.append(DatasetInput(Dataset("second", "D2", "local", "nowhere"), []))
    return inputs


def names(runs) -> list[str]:
    return [run.info.run_name for run in runs]


def filtered(transcript: Transcript, client: MlflowClient, experiment_id: str) -> None:
    for filter_string in FILTERS:
        transcript.see(f"where {filter_string}", names(client.search_runs([experiment_id], filter_string)))
    by_name = {run.info.run_name: run.info.run_id for run in client.search_runs([experiment_id])}
    two = f"('{by_name['run-01']}', '{by_name['run-07']}')"
    transcript.see("run_id IN", names(client.search_runs([experiment_id], f"run_id IN {two}")))
    transcript.see("run_id NOT IN", names(client.search_runs([experiment_id], f"attributes.run_id NOT IN {two}")))
    transcript.see("run_id =", client.search_runs([experiment_id], f"run_id = '{by_name['run-12']}'"))


def ordered(transcript: Transcript, client: MlflowClient, experiment_id: str) -> None:
    for order_by in ORDERS:
        transcript.see(f"in the order {order_by}", names(client.search_runs([experiment_id], order_by=order_by)))
    both = client.search_runs([experiment_id], "metrics.sometimes < 20", order_by=["params.optimizer DESC"])
    transcript.see("filtered and ordered, whole runs", both)


def paged(transcript: Transcript, client: MlflowClient, experiment_ids: list[str]) -> None:
    for size in (1, 5, 6, 24, 30, 31):
        pages = pages_of_runs(client, experiment_ids, "", size, ["metrics.accuracy DESC"])
        transcript.see(f"pages of {size}", pages)
    odd_ones = pages_of_runs(client, experiment_ids, "params.odd IS NOT NULL", 4, ["tags.team", "params.optimizer"])
    transcript.see("pages of a filter", odd_ones)
    transcript.see("pages of one, in the default order", pages_of_runs(client, experiment_ids[:1], "", 7, None))


def pages_of_runs(client, experiment_ids, filter_string, size, order_by) -> list[list[list[str]]]:
    pages, token = [], None
    while token or not pages:
        page = client.search_runs(
            experiment_ids, filter_string, max_results=size, order_by=order_by, page_token=token
        )
        pages.append([[run.info.experiment_id, run.info.run_name] for run in page])
        token = page.token
    return [[f"{experiment_ids.index(where)}: {name}" for where, name in page] for page in pages]


def views(transcript: Transcript, client: MlflowClient, experiment_id: str) -> None:
    for run in client.search_runs([experiment_id], "metrics.accuracy >= 0.9"):
        client.delete_run(run.info.run_id)
    for view in (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL):
        found = client.search_runs([experiment_id], "metrics.accuracy > 0.8", run_view_type=view)
        transcript.see(ViewType.to_string(view), [[run.info.run_name, run.info.lifecycle_stage] for run in found])


def tables(transcript: Transcript, first: str, second: str) -> None:
    names_of_both = [transcript.unique("search-1"), transcript.unique("search-2")]
    mlflow.set_experiment(experiment_id=second)
    transcript.see("table of the active experiment", mlflow.search_runs())
    transcript.see("table of one", mlflow.search_runs([first], "metrics.accuracy > 0.7", order_by=["metrics.loss ASC"]))
    transcript.see("table of three", mlflow.search_runs([first], max_results=3, order_by=["params.optimizer DESC"]))
    transcript.see("table of none", mlflow.search_runs([first], "metrics.accuracy > 9"))
    by_names = mlflow.search_runs(
        experiment_names=names_of_both, filter_string="tags.team = 'blue'", order_by=["metrics.accuracy", "status"]
    )
    transcript.see("table of two experiments", by_names)
    everywhere = mlflow.search_runs(
        search_all_experiments=True,
        filter_string=f"artifact_uri LIKE 'mlflow-artifacts:/{second}/%'",
        output_format="list",
        run_view_type=ViewType.ALL,
        order_by=["start_time ASC"],
    )
    transcript.see("over all experiments", names(everywhere))
