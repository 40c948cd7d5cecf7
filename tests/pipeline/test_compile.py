"""Kubeflow's and DVC's form of a graph say the same, are what is committed, and depend on nothing else."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.repo import Repo
from google.protobuf import json_format
from kfp import compiler
from kfp.pipeline_spec import pipeline_spec_pb2

from components.fer import stage
from components.fer.errors import InputError
from components.model_store import provenance
from pipeline import compile as compiled
from pipeline import desk, ir, kubeflow, parameters
from pipeline.graphs import GRAPHS
from pipeline.jobs import MAIN, jobs
from pipeline.parameters import STAGES

ROOT = Path(__file__).resolve().parents[2]
JOBS = jobs()


def test_committed_files_are_what_the_graph_says() -> None:
    assert not compiled.stale()


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_the_bytes_depend_on_nothing_else(hash_seed: str, tmp_path: Path) -> None:
    """Another hash seed, working directory, time zone and locale give the same bytes."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Pacific/Auckland", "LC_ALL": "C"}
    command = [sys.executable, "-m", "pipeline.cli", "compile", "--check"]
    finished = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")


def test_a_changed_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    path = ROOT / "dvc.yaml"
    monkeypatch.setattr(compiled, "generated", lambda: iter([(path, "other")]))
    with pytest.raises(InputError) as error:
        compiled.main(check=True)
    assert str(error.value) == (
        "generated files: expected what the graph says, found other text in dvc.yaml.\nmake generate"
    )


class Kubeflow:
    """What the intermediate representation says of each task, read with KFP's own messages."""

    def __init__(self, path: Path) -> None:
        document, _ = yaml.safe_load_all(path.read_text())
        self.spec = json_format.ParseDict(document, pipeline_spec_pb2.PipelineSpec())  # strict: unknown fields raise
        executors = json_format.MessageToDict(self.spec.deployment_spec)["executors"]
        self.argv: dict[str, list[str]] = {}
        self.edges: set[tuple[str, str, str, str]] = set()
        self.parameters: dict[str, dict[str, str]] = {}
        names = {key: task.task_info.name for key, task in self.spec.root.dag.tasks.items()}
        for key, task in self.spec.root.dag.tasks.items():
            component = self.spec.components[task.component_ref.name]
            container = executors[component.executor_label]["container"]
            *own, option, value = container["args"]
            assert (option, value) == ("--executor-input", "{{$}}")  # Kubeflow's part, which a desk has not
            self.argv[names[key]] = [*container["command"], *own]
            self.parameters[names[key]] = {
                name: value.component_input_parameter for name, value in task.inputs.parameters.items()
            }
            for name, value in task.inputs.artifacts.items():
                output = value.task_output_artifact
                self.edges.add((names[output.producer_task], output.output_artifact_key, names[key], name))


def options(argv: list[str]) -> dict[str, str]:
    """--name value pairs behind `python -m module`."""
    assert argv[:2] == ["python", "-m"]
    return dict(zip(argv[3::2], argv[4::2], strict=True))


@pytest.mark.parametrize("name", JOBS)
def test_both_forms_have_the_same_argv_edges_and_parameters(name: str) -> None:
    job = JOBS[name]
    cluster = Kubeflow(job.pipeline)
    stages: Mapping[str, Any] = yaml.safe_load((job.folder / "dvc.yaml").read_text())["stages"]
    argv = {stage: shlex.split(entry["cmd"]) for stage, entry in stages.items()}
    assert argv.keys() == cluster.argv.keys()
    for task, words in argv.items():
        desk_options, cluster_options = options(words), options(cluster.argv[task])
        assert words[2] == cluster.argv[task][2]
        assert list(desk_options) == list(cluster_options)
        # A parameter of the task is the same parameter of the pipeline in both.
        for field, parameter in cluster.parameters[task].items():
            option = f"--{field.replace('_', '-')}"
            assert cluster_options[option] == f"{{{{$.inputs.parameters['{field}']}}}}"
            if parameter != desk.PROVENANCE:  # a submission gives it to Kubeflow
                assert desk_options[option] == f"${{{parameter.replace('__', '.', 1)}}}"
        assert set(stages[task]["params"]) == {text.replace("__", ".", 1) for text in cluster.parameters[task].values()}
    # An edge is there where one task reads the path that another writes.
    written = {
        options(words)[f"--{output.replace('_', '-')}"]: (task, output)
        for task, words in argv.items()
        for output in outputs(cluster, task)
    }
    edges = {
        (*written[value], task, option.removeprefix("--").replace("-", "_"))
        for task, words in argv.items()
        for option, value in options(words).items()
        if value in written and written[value][0] != task
    }
    assert edges == cluster.edges
    for producer, output, consumer, _ in edges:
        path = next(path for path, source in written.items() if source == (producer, output))
        assert path in stages[consumer]["deps"]
        assert path in flat(stages[producer])


@pytest.mark.parametrize("name", [MAIN, "demo_single", "s2_efficientnet_two_step"])
def test_a_desk_tells_push_model_all_parameters(name: str) -> None:
    job = JOBS[name]
    (push,) = Repo(ROOT).stage.collect(f"{job.folder / 'dvc.yaml'}:push-model")
    made = provenance.parse(options(shlex.split(push.cmd))["--provenance"])
    assert made is not None
    values = parameters.read(job.folder / "params.yaml")
    assert made.parameters == {name: value for name, value in values.items() if name != desk.PROVENANCE}
    assert (made.commit, made.images, made.run) == (None, {}, None)


def outputs(cluster: Kubeflow, task: str) -> list[str]:
    pattern = re.compile(r"\{\{\$\.outputs\.artifacts\['(\w+)'\]\.path\}\}")
    return [found[1] for word in cluster.argv[task] if (found := pattern.fullmatch(word))]


def flat(entry: Mapping[str, Any]) -> set[str]:
    listed = [*entry.get("outs", []), *entry.get("metrics", []), *entry.get("plots", [])]
    return {next(iter(item)) if isinstance(item, dict) else item for item in listed}


@pytest.mark.parametrize("name", JOBS)
def test_dvc_reads_the_same_graph(name: str) -> None:
    """DVC's own reading of dvc.yaml has the tasks and the order of Kubeflow's pipeline."""
    job = JOBS[name]
    with Repo(str(ROOT)) as repo:
        stages = repo.stage.load_all(str(job.folder / "dvc.yaml"))
        graph = {
            (producer.name, consumer.name)
            for consumer in stages
            for producer in stages
            if {dep.fs_path for dep in consumer.deps} & {out.fs_path for out in producer.outs}
        }
    assert graph == {(producer, consumer) for producer, _, consumer, _ in Kubeflow(job.pipeline).edges}


@pytest.mark.parametrize("name", JOBS)
def test_values_come_from_params_yaml_alone(name: str) -> None:
    job = JOBS[name]
    inputs = Kubeflow(job.pipeline).spec.root.input_definitions.parameters
    defaults = {key: json_format.MessageToDict(value.default_value) for key, value in inputs.items()}
    assert defaults == dict(parameters.read(job.folder / "params.yaml"))


def test_each_argv_is_taken_by_its_stage(tmp_path: Path) -> None:
    """The resolved commands of DVC parse into the stages' configurations."""
    configs = {config.__module__.removesuffix(".config"): config for config in STAGES}
    for job in JOBS.values():
        with Repo(str(ROOT)) as repo:
            for entry in repo.stage.load_all(str(job.folder / "dvc.yaml")):
                words = shlex.split(entry.cmd)
                assert stage.parse(configs[words[2]], words[3:])


def test_only_push_model_is_never_cached() -> None:
    tasks = Kubeflow(JOBS[MAIN].pipeline).spec.root.dag.tasks
    assert [key for key, task in tasks.items() if not task.caching_options.enable_cache] == ["push-model"]


def test_metrics_and_tables_are_small_files_for_git() -> None:
    assert desk.output_path("evaluate", "metrics_json", "system.Metrics") == "results/evaluate/metrics.json"
    assert desk.output_path("train-hybrid", "history_csv", "system.Artifact") == "results/train-hybrid/history.csv"
    assert desk.output_path("train-hybrid", "model_keras", "system.Model") == "artifacts/train-hybrid/model.keras"
    assert desk.output_path("validate", "data_docs", "system.HTML") == "artifacts/validate/data_docs"


@pytest.mark.parametrize("config", STAGES)
def test_source_files_are_what_the_process_imports(config: type[stage.StageConfig]) -> None:
    """The static list holds every module of the product that `python -m stage --help` loads."""
    package = config.__module__.removesuffix(".config")
    program = (
        "import json, runpy, sys\n"
        f"sys.argv = ['x', '--help']\n"
        "try:\n"
        f"    runpy.run_module('{package}', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "files = [m.__file__ for n, m in sys.modules.items() if n.startswith('components') and m.__file__]\n"
        "print('\\n' + json.dumps(files))\n"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    loaded = {Path(path).relative_to(ROOT).as_posix() for path in json.loads(printed.splitlines()[-1])}
    listed = set(desk.source_files(package))
    assert loaded <= listed
    assert f"{package.replace('.', '/')}/run.py" in listed
    assert not [path for path in listed if "kfp" in (ROOT / path).read_text().split()]


def test_templates_are_source_too() -> None:
    assert "components/evaluate/report.html.j2" in desk.source_files("components.evaluate")


def test_a_parameter_that_no_stage_uses_is_refused() -> None:
    values = {**parameters.read(ROOT / "params.yaml"), "extra__seed": 1}
    with pytest.raises(InputError, match=r"no stage uses extra\.seed"):
        kubeflow.compiled("hybrid", values)


def test_it_is_what_kfp_writes(tmp_path: Path) -> None:
    """Line for line in the comments that KFP puts on top, and document by document; long lines may break elsewhere."""
    values = parameters.read(ROOT / "params.yaml")
    documents = kubeflow.compiled("hybrid", values)
    ours = kubeflow.text(*documents)
    compiler.Compiler().compile(kubeflow._pipeline("hybrid", GRAPHS["hybrid"], values), str(tmp_path / "pipeline.yaml"))
    kfp = (tmp_path / "pipeline.yaml").read_text()
    heads = [[line for line in text.splitlines() if line.startswith("#")] for text in (ours, kfp)]
    assert heads[0] == heads[1] != []
    assert ir.documents(ours) == ir.documents(kfp) == documents


@pytest.mark.parametrize(("one", "other"), [("s4_vgg16", "demo_single"), ("s1_hybrid", "s1_hybrid_smoke")])
def test_other_defaults_make_what_is_compiled_with_them(one: str, other: str) -> None:
    graph = JOBS[one].graph
    values, changed = (parameters.read(JOBS[name].folder / "params.yaml") for name in (one, other))
    pipeline, _ = kubeflow.compiled(graph, values)
    assert kubeflow.with_defaults(pipeline, values) == pipeline
    expected, _ = kubeflow.compiled(graph, changed)
    assert kubeflow.with_defaults(pipeline, changed) == expected != pipeline


def test_a_missing_parameter_is_named() -> None:
    values = dict(parameters.read(ROOT / "params.yaml"))
    del values["hybrid__branches"]
    with pytest.raises(InputError, match="branches"):
        kubeflow.compiled("hybrid", values)


def scheduled() -> Any:
    """The specification of the main job's graph on a schedule."""
    job = JOBS[MAIN]
    values = {**parameters.read(job.folder / "params.yaml"), "schedule__data_dvc": "x", "schedule__always": False}
    document, _ = kubeflow.compiled(job.graph, values, scheduled=True)
    return json_format.ParseDict(document, pipeline_spec_pb2.PipelineSpec())


def test_on_a_schedule_all_tasks_wait_for_a_change_of_data_parameters_or_code() -> None:
    root = scheduled().root.dag.tasks
    (condition,) = root.keys() - {"resolve"}
    assert not root["resolve"].caching_options.enable_cache
    assert root["resolve"].inputs.parameters["provenance"].component_input_parameter == "registry__provenance"
    assert root[condition].trigger_policy.condition == (
        "inputs.parameter_values['pipelinechannel--resolve-changed'] == 'true'"
    )


def test_on_a_schedule_the_graph_is_the_same_but_for_the_md5_that_resolve_finds() -> None:
    spec = scheduled()
    (group,) = (component for component in spec.components.values() if component.HasField("dag"))
    tasks = dict(group.dag.tasks)
    plain = dict(Kubeflow(JOBS[MAIN].pipeline).spec.root.dag.tasks)
    assert tasks.keys() == plain.keys()
    assert "data__md5" not in spec.root.input_definitions.parameters
    (source,) = (
        entry.component_input_parameter for name, entry in tasks["validate"].inputs.parameters.items() if name == "md5"
    )
    assert source == "pipelinechannel--resolve-md5"
    for key, task in tasks.items():
        assert {entry.task_output_artifact.producer_task for entry in task.inputs.artifacts.values()} == {
            entry.task_output_artifact.producer_task for entry in plain[key].inputs.artifacts.values()
        }


def test_an_unknown_graph_is_named() -> None:
    with pytest.raises(InputError) as error:
        kubeflow.compiled("triple", {})
    assert str(error.value) == (
        "graph: expected one of hybrid, single, two_step, distilled, benchmark, received triple.\nCorrect params.yaml."
    )
