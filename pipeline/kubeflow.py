"""From a graph to Kubeflow's form of it: the intermediate representation (IR) of a KFP v2 pipeline."""

import inspect
import tempfile
from pathlib import Path
from typing import Any

from kfp import compiler, dsl
from kfp.dsl.pipeline_context import Pipeline

from components.fer.errors import InputError
from pipeline import placement
from pipeline.graphs import GRAPHS
from pipeline.parameters import Parameters, Sections, dotted


def compile_ir(graph: str, parameters: Parameters) -> str:
    """The YAML text of the compiled pipeline, whose parameters have `parameters` as defaults.

    Two documents: the pipeline, and what Kubernetes shall do for its tasks. Raises `InputError` where a stage lacks a
    parameter, a parameter has no stage, or infra/pools.yaml cannot place the stages.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pipeline.yaml"
        compiler.Compiler().compile(_pipeline(graph, parameters), str(path))
        return path.read_text()


def _pipeline(graph: str, parameters: Parameters) -> Any:
    build = GRAPHS[graph]
    table = placement.Table.read()

    def function(*channels: Any) -> None:
        values = Sections(dict(zip(parameters, channels, strict=True)))
        try:
            build(values)
        except TypeError as error:  # KFP's words for a missing or unknown argument of a component
            raise InputError(f"parameters of the graph {graph}: {error}") from error
        if values.unused:
            unused = ", ".join(dotted(name) for name in values.unused)
            raise InputError(f"parameters of the graph {graph}: no stage uses {unused}.", "Remove them.")
        placement.place(Pipeline.get_default_pipeline().tasks.values(), table, graph)

    # KFP reads the pipeline's parameters from the signature of a function.
    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=value, annotation=type(value))
            for name, value in parameters.items()
        ]
    )
    return dsl.pipeline(name=f"ferflow-{graph}", description=build.__doc__)(function)
