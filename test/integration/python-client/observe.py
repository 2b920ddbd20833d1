"""Watches the answers that MLflow's client gets, without changing them."""

import json
import re

import requests

NATIVE = re.compile(r"/(runs/search|runs/get|experiments/search|experiments/get|experiments/get-by-name)$")


def observed_requests() -> list[dict]:
    """A list that grows by one entry for each answer of an endpoint that a gateway answers itself."""
    seen = []
    send = requests.Session.send

    def observed(session, request, **options):
        answer = send(session, request, **options)
        endpoint = NATIVE.search(request.path_url.split("?")[0])
        if endpoint:
            seen.append({
                "endpoint": endpoint[1],
                "status": answer.status_code,
                "source": answer.headers.get("X-Gateway-Source"),
                "asked": json.loads(request.body) if request.body else request.path_url,
            })
        return answer

    requests.Session.send = observed
    return seen
