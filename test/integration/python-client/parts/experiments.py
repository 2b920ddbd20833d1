"""Experiments: made, tagged, renamed, deleted, restored, looked up and searched, each right after the write."""

import mlflow
from mlflow import MlflowClient
from mlflow.entities import ViewType

from transcript import Transcript


def record(transcript: Transcript) -> None:
    client = MlflowClient()
    alpha = made_by_hand(transcript, client)
    beta = made_by_set_experiment(transcript)
    changed(transcript, client, alpha)
    searched(transcript, client)
    deleted_and_restored(transcript, client, beta)


def made_by_hand(transcript: Transcript, client: MlflowClient) -> str:
    name = transcript.unique("alpha")
    experiment_id = mlflow.create_experiment(name, tags={"team": "vision", "note": "first\nline"})
    transcript.call(experiment_id, "experiment alpha")
    transcript.see("created", mlflow.get_experiment(experiment_id))
    transcript.see("found by name", mlflow.get_experiment_by_name(name))
    transcript.see("found by search", client.search_experiments(filter_string=f"name = '{name}'"))
    return experiment_id


def made_by_set_experiment(transcript: Transcript) -> str:
    name = transcript.unique("beta")
    transcript.see("not there before", mlflow.get_experiment_by_name(name))
    experiment = mlflow.set_experiment(name)
    transcript.call(experiment.experiment_id, "experiment beta")
    transcript.see("set", experiment)
    transcript.see("set again", mlflow.set_experiment(name))
    transcript.see("set by id", mlflow.set_experiment(experiment_id=experiment.experiment_id))
    return experiment.experiment_id


def changed(transcript: Transcript, client: MlflowClient, experiment_id: str) -> None:
    old, new = transcript.unique("alpha"), transcript.unique("alpha-renamed")
    client.set_experiment_tag(experiment_id, "owner", "ünïcode 日本")
    transcript.see("tag set", client.get_experiment(experiment_id).tags)
    client.delete_experiment_tag(experiment_id, "note")
    transcript.see("tag deleted", client.get_experiment(experiment_id).tags)
    client.rename_experiment(experiment_id, new)
    transcript.see("by its new name", client.get_experiment_by_name(new))
    transcript.see("by its old name", client.get_experiment_by_name(old))
    client.rename_experiment(experiment_id, old)
    transcript.see("renamed back", client.get_experiment(experiment_id).name)


def searched(transcript: Transcript, client: MlflowClient) -> None:
    for number in range(5):
        name = transcript.unique(f"page-{number}")
        tags = {"parity": "odd" if number % 2 else "even", "number": str(number)}
        transcript.call(client.create_experiment(name, tags=tags), f"experiment page-{number}")
    ours = f"name LIKE '%{transcript.suffix}'"
    for filter_string in (
        ours,
        f"{ours} AND name ILIKE 'PAGE-%'",
        f"{ours} AND tags.parity = 'odd'",
        f"{ours} AND tags.parity != 'odd'",
        f"{ours} AND tags.number LIKE '%3%'",
        f"{ours} AND tags.`team` ILIKE 'VIS%' AND creation_time > 1000",
        f"{ours} AND last_update_time < 1000",
        f"name = '{transcript.unique('page-4')}'",
        f"attribute.name != '{transcript.unique('page-4')}' AND {ours}",
    ):
        found = client.search_experiments(filter_string=filter_string, order_by=["name"])
        transcript.see(filter_string, [[each.name, each.tags] for each in found] + [bool(found.token)])
    for order_by in (["name DESC"], ["creation_time ASC"], ["last_update_time DESC"], ["experiment_id"]):
        found = client.search_experiments(filter_string=ours, order_by=order_by)
        transcript.see(f"in the order {order_by}", [each.name for each in found])
    transcript.see("pages", pages_of_experiments(client, ours))
    everyone = mlflow.search_experiments(filter_string=ours, order_by=["name"])
    transcript.see("all at once", [each.name for each in everyone])


def pages_of_experiments(client: MlflowClient, filter_string: str) -> list[list[str]]:
    pages, token = [], None
    while token or not pages:
        page = client.search_experiments(
            filter_string=filter_string, order_by=["name"], max_results=2, page_token=token
        )
        pages.append([each.name for each in page])
        token = page.token
    return pages


def deleted_and_restored(transcript: Transcript, client: MlflowClient, experiment_id: str) -> None:
    ours = f"name LIKE 'beta%{transcript.suffix}'"
    with mlflow.start_run(experiment_id=experiment_id, run_name="goes with its experiment"):
        mlflow.log_metric("kept", 1)
    kept = "metrics.kept = 1"

    def look(what: str) -> None:
        transcript.see(what, client.get_experiment(experiment_id))
        for view in (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL):
            experiments = client.search_experiments(view_type=view, filter_string=ours)
            runs = client.search_runs([experiment_id], kept, run_view_type=view)
            stages = [run.info.lifecycle_stage for run in runs]
            transcript.see(f"{what}, {ViewType.to_string(view)}", [len(experiments), stages])

    look("before")
    client.delete_experiment(experiment_id)
    look("deleted")
    client.restore_experiment(experiment_id)
    look("restored")
