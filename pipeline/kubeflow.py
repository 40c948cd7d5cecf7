"""From a graph to Kubeflow's form of it: the intermediate representation (IR) of a KFP v2 pipeline."""

import inspect
import json
from typing import Any

import yaml
from google.protobuf import json_format
from kfp import dsl
from kfp.compiler import pipeline_spec_builder
from kfp.dsl.pipeline_context import Pipeline

from components.fer.errors import InputError
from pipeline import images, placement
from pipeline.graphs import GRAPHS, MD5, Graph
from pipeline.graphs import scheduled as on_schedule
from pipeline.ir import Document
from pipeline.parameters import Parameters, Sections, dotted


def compiled(graph: str, parameters: Parameters, *, scheduled: bool = False) -> tuple[Document, Document]:
    """The compiled pipeline, whose parameters have `parameters` as defaults.

    Two documents: the pipeline, and what Kubernetes shall do for its tasks. With `scheduled`, the graph stands behind
    a first task that finds the data's version, which is then no parameter, and whether there is anything to do.
    Raises `InputError` where there is no such graph, a stage lacks a parameter, a parameter has no stage, or
    infra/pools.yaml cannot place the stages.
    """
    if graph not in GRAPHS:
        raise InputError(f"graph: expected one of {', '.join(GRAPHS)}, received {graph}.", "Correct params.yaml.")
    if scheduled:
        values = {name: value for name, value in parameters.items() if name != MD5}
        pipeline = _pipeline(f"{graph}-scheduled", on_schedule(GRAPHS[graph]), values)
    else:
        pipeline = _pipeline(graph, GRAPHS[graph], parameters)
    return _document(pipeline.pipeline_spec), _document(pipeline.platform_spec)


def with_defaults(pipeline: Document, parameters: Parameters) -> Document:
    """The compiled pipeline with other defaults: what `compiled` gives for other values of the same types."""
    inputs = pipeline["root"]["inputDefinitions"]
    entries = {
        name: {**entry, "defaultValue": _value(parameters[name])} for name, entry in inputs["parameters"].items()
    }
    return {**pipeline, "root": {**pipeline["root"], "inputDefinitions": {**inputs, "parameters": entries}}}


def _value(value: bool | int | float | str) -> bool | float | str:
    """A default as the IR has it, whose numbers are all floating."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def text(pipeline: Document, platform: Document) -> str:
    """What KFP's compiler writes for what `compiled` gives, by libyaml: its emitter in Python takes half the time."""
    description = pipeline["pipelineInfo"]["description"]
    comments: str = pipeline_spec_builder.extract_comments_from_pipeline_spec(pipeline, description)
    return comments + str(yaml.dump_all([pipeline, platform], Dumper=_Dumper, sort_keys=False))


class _Dumper(yaml.CDumper):
    """libyaml's emitter, which does not look for parts that appear twice: a document read from JSON has none."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _document(message: Any) -> Document:
    """A message as a document read from its text would be: by sorted names."""
    found: Document = json.loads(json_format.MessageToJson(message, indent=None, sort_keys=True))
    return found


def _pipeline(graph: str, build: Graph, parameters: Parameters) -> Any:
    table, pushed = placement.Table.read(), images.lock()

    def function(*channels: Any) -> None:
        values = Sections(dict(zip(parameters, channels, strict=True)))
        try:
            build(values)
        except TypeError as error:  # KFP's words for a missing or unknown argument of a component
            raise InputError(f"parameters of the graph {graph}: {error}") from error
        if values.unused:
            unused = ", ".join(dotted(name) for name in values.unused)
            raise InputError(f"parameters of the graph {graph}: no stage uses {unused}.", "Remove them.")
        tasks = Pipeline.get_default_pipeline().tasks.values()
        placement.place(tasks, table, graph)
        for task in tasks:
            component = placement.component(task.container_spec.command[-1])
            if component in pushed:  # by digest: the name that nothing but its own content can have
                task.set_container_image(pushed[component])

    # KFP reads the pipeline's parameters from the signature of a function.
    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=value, annotation=type(value))
            for name, value in parameters.items()
        ]
    )
    return dsl.pipeline(name=f"ferflow-{graph}", description=build.__doc__)(function)
