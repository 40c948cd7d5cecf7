"""What is generated: both compiled forms of every graph, what each image may hold, and quotas on the cluster."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components.fer.errors import InputError
from pipeline import desk, images, kubeflow, manifests, parameters
from pipeline.desk import ROOT
from pipeline.ir import Document
from pipeline.jobs import jobs
from pipeline.placement import Table


def generated() -> Iterator[tuple[Path, str]]:
    """Path and text of each generated file."""
    forms: dict[Any, tuple[Document, Document]] = {}
    for job in jobs().values():
        values = parameters.read(job.folder / "params.yaml")
        form = (job.graph, *((name, type(value)) for name, value in values.items()))
        if form not in forms:  # jobs of one graph differ in their parameters' defaults alone
            forms[form] = kubeflow.compiled(job.graph, values)
        pipeline, platform = kubeflow.with_defaults(forms[form][0], values), forms[form][1]
        yield job.pipeline, kubeflow.text(pipeline, platform)
        yield job.folder / "dvc.yaml", desk.translate(pipeline, job.folder)
    yield from images.generated()
    yield from manifests.generated(Table.read())


def stale() -> dict[Path, str]:
    """Generated files whose text on disk differs from what the graph says, with the right text."""
    return {path: text for path, text in generated() if not path.is_file() or path.read_text() != text}


def main(check: bool) -> None:
    """Write the generated files that differ, or with `check` raise `InputError` where one does."""
    changed = stale()
    if check and changed:
        names = ", ".join(str(path.relative_to(ROOT)) for path in changed)
        raise InputError(
            f"generated files: expected what the graph says, found other text in {names}.", "make generate"
        )
    for path, text in changed.items():
        path.write_text(text)
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")
