"""The model registry, which the gateway only passes on."""

import mlflow
from mlflow import MlflowClient

from transcript import Transcript


def record(transcript: Transcript) -> None:
    client = MlflowClient()
    name = transcript.unique("painter")
    run_id = source_run(transcript)
    transcript.see("registered", client.create_registered_model(name, tags={"stage": "new"}, description="paints"))
    for number in ("1", "2"):
        version = client.create_model_version(name, f"runs:/{run_id}/model", run_id, tags={"number": number})
        transcript.see(f"version {number}", version)
    aliases_and_tags(transcript, client, name)
    searches(transcript, client, name, run_id)
    removals(transcript, client, name)


def source_run(transcript: Transcript) -> str:
    experiment = mlflow.set_experiment(transcript.unique("registry"))
    transcript.call(experiment.experiment_id, "experiment registry")
    with mlflow.start_run(run_name="source of models") as run:
        mlflow.log_text("weights", "model/weights.txt")
    return transcript.call(run.info.run_id, "run source of models")


def aliases_and_tags(transcript: Transcript, client: MlflowClient, name: str) -> None:
    client.set_registered_model_alias(name, "champion", "2")
    transcript.see("by alias", client.get_model_version_by_alias(name, "champion"))
    client.set_registered_model_tag(name, "owner", "us")
    client.set_model_version_tag(name, "1", "checked", "yes")
    client.update_model_version(name, "1", description="the first")
    client.update_registered_model(name, description="paints walls")
    transcript.see("model", client.get_registered_model(name))
    transcript.see("version", client.get_model_version(name, "1"))
    transcript.see("where to get it", client.get_model_version_download_uri(name, "2"))


def searches(transcript: Transcript, client: MlflowClient, name: str, run_id: str) -> None:
    for filter_string in (f"name = '{name}'", f"run_id = '{run_id}'", f"name = '{name}' AND tags.checked = 'yes'"):
        found = client.search_model_versions(filter_string, order_by=["version_number ASC"])
        transcript.see(f"versions where {filter_string}", found)
    ours = f"name LIKE '%{transcript.suffix}'"
    for filter_string in (ours, f"{ours} AND tags.owner = 'us'", f"{ours} AND tags.owner = 'them'"):
        transcript.see(f"models where {filter_string}", client.search_registered_models(filter_string))
    page = client.search_model_versions(f"name = '{name}'", max_results=1, order_by=["version_number ASC"])
    rest = client.search_model_versions(f"name = '{name}'", 1, ["version_number ASC"], page_token=page.token)
    transcript.see("pages of versions", [page, rest])


def removals(transcript: Transcript, client: MlflowClient, name: str) -> None:
    client.delete_registered_model_alias(name, "champion")
    client.delete_model_version_tag(name, "1", "checked")
    client.delete_registered_model_tag(name, "stage")
    client.delete_model_version(name, "2")
    transcript.see("what is left", client.get_registered_model(name))
    new_name = transcript.unique("decorator")
    client.rename_registered_model(name, new_name)
    transcript.see("renamed", client.get_registered_model(new_name))
    client.delete_registered_model(new_name)
    transcript.refused("deleted model", lambda: client.get_registered_model(new_name))
    transcript.refused("deleted version", lambda: client.get_model_version(new_name, "1"))
    transcript.refused("bad name", lambda: client.create_registered_model("a/b"))
