"""Uses MLflow's own client as people do, and prints everything it saw as JSON.

The same script against two servers must print the same transcript: ids are names, the server's clock is `<now>`, and
what makes each round's experiments unique is left out. Beside the transcript it prints who answered which search.

    python main.py TRACKING_URI [PART …]
"""

import contextlib
import json
import os
import sys
import tempfile
import uuid

os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"  # a retry would hide the error that caused it
os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "false"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"

import mlflow

from observe import observed_requests
from parts import PARTS
from transcript import Transcript


def main(tracking_uri: str, *chosen: str) -> None:
    requests = observed_requests()
    transcript = Transcript(tracking_uri, suffix=f"-{uuid.uuid4().hex[:12]}")
    mlflow.set_tracking_uri(tracking_uri)
    # MLflow prints links to standard output, which is for the transcript.
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
        os.chdir(folder)
        for part in PARTS:
            name = part.__name__.removeprefix("parts.")
            if not chosen or name in chosen:
                transcript.begin(name)
                part.record(transcript)
    json.dump({"transcript": transcript.resolved(), "requests": requests}, sys.stdout, allow_nan=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
