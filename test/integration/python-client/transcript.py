"""What a round saw, in a form that another round on another server must repeat exactly."""

import ast
import dataclasses
import enum
import math
import re
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy
import pandas
from mlflow.entities._mlflow_object import _MlflowObject
from mlflow.exceptions import MlflowException
from mlflow.store.entities import PagedList

LONG_ID = re.compile(r"(?:\b[mtd]r?-)?(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
EXPERIMENT_ID = re.compile(r"(mlflow-artifacts:/|\bid=|\bexperiment )(\d+)\b")
PRINTED_SET = re.compile(r"\{'[^{}:]*'\}")
COMMIT = re.compile(r"\b[0-9a-f]{40}\b")  # MLflow tags runs with that of the script
DIGITS = re.compile(r"(?<!\d)\d{13}(?!\d)")
NOW = "<now>"
UNORDERED = ("model_inputs", "model_outputs")  # MLflow's order is that of random ids


class Transcript:
    """Collects what was seen, part by part; `resolved` gives it with names instead of ids and no clock."""

    def __init__(self, tracking_uri: str, suffix: str):
        self.suffix = suffix
        self._port = re.compile(rf"(?<!\w){urlsplit(tracking_uri).port}(?!\w)")
        self._began_ms = int(time.time() * 1000)
        self._names: dict[str, str] = {}
        self._parts: dict[str, list] = {}

    def begin(self, part: str) -> None:
        self._seen = self._parts.setdefault(part, [])

    def unique(self, name: str) -> str:
        """A name that no other round has; the transcript shows it without its ending."""
        return f"{name}{self.suffix}"

    def call(self, an_id: str, name: str) -> str:
        """From now on and before, the transcript shows this id by this name."""
        self._names[an_id] = f"<{name}>"
        return an_id

    def see(self, what: str, value: Any) -> None:
        self._seen.append([what, plain(value)])

    def refused(self, what: str, call: Callable[[], Any]) -> None:
        """Notes how MLflow's client reports the refusal of this call, which must be refused."""
        try:
            answer = call()
        except MlflowException as error:
            status = error.get_http_status_code()
            self.see(what, [type(error).__name__, error.error_code, status, error.message])
        else:
            raise AssertionError(f"{what} should be refused, and gave {answer}")

    def resolved(self) -> dict[str, list]:
        return self._resolve(self._parts)

    def _resolve(self, value: Any, key: str = "") -> Any:
        match value:
            case dict():
                return {self._text(k): self._resolve(v, k) for k, v in value.items()}
            case list():
                items = [self._resolve(v, key) for v in value]
                return sorted(items, key=repr) if key in UNORDERED else items
            case str() if key in ("experiment_id", "experiment_ids"):
                return self._names.get(value, value)
            case str():
                return self._text(value)
            case int() if self._is_now(value):
                return NOW
            case _:
                return value

    def _text(self, text: str) -> str:
        text = self._port.sub("<port>", text.replace(self.suffix, ""))
        text = LONG_ID.sub(lambda found: self._name(found[0]), text)
        text = EXPERIMENT_ID.sub(lambda found: found[1] + self._names.get(found[2], found[2]), text)
        text = COMMIT.sub("<commit>", text)
        text = PRINTED_SET.sub(lambda found: sorted_set(found[0]), text)
        return DIGITS.sub(lambda found: NOW if self._is_now(int(found[0])) else found[0], text)

    def _name(self, an_id: str) -> str:
        return self._names.setdefault(an_id, f"<unnamed id {len(self._names)}>")

    def _is_now(self, value: int) -> bool:
        """Whether this is a moment of this round, in milliseconds or nanoseconds."""
        end_ms = int(time.time() * 1000) + 1
        return self._began_ms <= value <= end_ms or self._began_ms * 10**6 <= value <= end_ms * 10**6


def sorted_set(text: str) -> str:
    """Python prints a set in an order that differs from process to process."""
    try:
        return "{" + ", ".join(sorted(repr(item) for item in ast.literal_eval(text))) + "}"
    except (ValueError, SyntaxError):
        return text


def plain(value: Any) -> Any:
    """The value as JSON can hold it, with nothing left out."""
    match value:
        case bool() | None | str():
            return value
        case enum.Enum():
            return value.name
        case numpy.generic():
            return plain(value.item())
        case int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case pandas.Timestamp():
            return plain(value.value // 10**6)
        case pandas.DataFrame():
            return table(value)
        case PagedList():
            return {"items": [plain(item) for item in value], "has more": bool(value.token)}
        case dict():
            return {str(key): plain(value[key]) for key in sorted(value)}
        case set() | frozenset():
            return sorted(plain(item) for item in value)
        case Sequence():
            return [plain(item) for item in value]
        case _ if hasattr(value, "to_dictionary"):
            return plain(value.to_dictionary())
        case _MlflowObject():
            return plain(dict(value))
        case _ if dataclasses.is_dataclass(value):
            return plain(vars(value))
        case _ if pandas.isna(value):
            return None
    raise TypeError(f"a {type(value)} has no plain form: {value!r}")


def table(frame: pandas.DataFrame) -> dict:
    return {
        "shape": list(frame.shape),
        "dtypes": [[column, str(dtype)] for column, dtype in frame.dtypes.items()],
        "rows": [plain(row) for row in frame.to_dict("records")],
    }
