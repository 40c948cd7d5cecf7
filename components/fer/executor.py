"""What a stage tells Kubeflow about its outputs: KFP's executor output file.

Kubeflow takes files from where a stage leaves them, but an artifact's metadata, the metrics that its pages show, only
from this file; the SDK's local runner does not even know an artifact that the file does not name. A compiled argv
therefore ends with `--executor-input JSON`, KFP's ExecutorInput message of the task. At a desk the option is absent.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.fer.errors import UsageError

OPTION = "--executor-input"

Message = Mapping[str, Any]
"""KFP's ExecutorInput as JSON: of its `outputs`, the `artifacts` and the `outputFile` to write."""


def split(argv: Sequence[str]) -> tuple[list[str], Message | None]:
    """Take the option off `argv`. Raises `UsageError` where its value is no ExecutorInput."""
    if OPTION not in argv:
        return list(argv), None
    place = argv.index(OPTION)
    value = "".join(argv[place + 1 : place + 2])
    try:
        message = json.loads(value)
        Path(message["outputs"]["outputFile"])
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{OPTION}: expected KFP's ExecutorInput as JSON, received {value[:60] or 'nothing'}.",
            "Kubeflow gives it; leave it out elsewhere.",
        ) from error
    return [*argv[:place], *argv[place + 2 :]], message


def report(message: Message, written: Mapping[str, Path]) -> None:
    """Write the executor output file: each artifact's name and address, and the numbers of those that are metrics.

    `written` has the path of each output by name.
    """
    listed = {}
    for name, entry in message["outputs"].get("artifacts", {}).items():
        artifact = entry["artifacts"][0]
        metadata = dict(artifact.get("metadata", {}))
        if artifact["type"]["schemaTitle"] == "system.Metrics":
            metadata |= numbers(json.loads(written[name].read_bytes()))
        listed[name] = {"artifacts": [{"name": artifact["name"], "uri": artifact["uri"], "metadata": metadata}]}
    path = Path(message["outputs"]["outputFile"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"artifacts": listed}))


def numbers(tree: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a nested dictionary by their dotted names; lists (tables, curves) are left out."""
    return dict(_numbers(tree, ""))


def _numbers(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{prefix}{key}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{key}", float(value)
