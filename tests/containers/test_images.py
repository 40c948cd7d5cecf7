"""Each image: what is in it and what is not, and that its stage works in it as a strict cluster would run it."""

import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo

from components.fer import made_faces, stage
from components.serve.config import Config as Server
from pipeline import build
from pipeline.desk import ROOT, source_files
from pipeline.images import USUAL
from pipeline.parameters import STAGES
from tests.containers import container
from tests.containers.conftest import Code

pytestmark = [pytest.mark.containers, pytest.mark.slow]

WHAT_RUNS: tuple[type[stage.StageConfig], ...] = (*STAGES, Server)
CONFIGS = {config.__module__.removesuffix(".config"): config for config in WHAT_RUNS}

SMALL = {"--epochs": "1", "--image-size": "32", "--dense-1": "16", "--dense-2": "8", "--resamples": "100"}
"""options of the stages, for a run that takes seconds"""

RESOLVE = {
    "data-dvc": "data.dvc",
    "always": "false",
    "store": "models",
    "name": "fer-demo",
    "provenance": '{"commit": null, "dirty": null, "images": {}, "parameters": {}, "run": null}',
    **{name: f"artifacts/resolve/{name}" for name in ("md5", "changed", "report-json")},
}

TASKS = (
    *("resolve", "validate", "preprocess", "train-backbone-a", "train-backbone-b", "train-hybrid", "evaluate"),
    "push-model",
)


@pytest.fixture(scope="module")
def argv() -> dict[str, list[str]]:
    """The command of each task: those that DVC runs for the demo, but smaller, and one of the scheduled graph's."""
    with Repo(str(ROOT)) as repo:
        stages = repo.stage.load_all(str(ROOT / "recipes" / "demo" / "dvc.yaml"))
        commands = {entry.name: shlex.split(entry.cmd) for entry in stages}
    for words in commands.values():
        for option, value in SMALL.items():
            if option in words:
                words[words.index(option) + 1] = value
    resolve = [word for name, value in RESOLVE.items() for word in (f"--{name}", value)]
    return {"resolve": ["python", "-m", "components.resolve", *resolve], **commands}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a data set, in which the containers' user may write."""
    folder = tmp_path_factory.mktemp("workspace")
    folder.chmod(0o777)
    (folder / "data").mkdir()
    made_faces.write_csv(made_faces.made_faces(210, seed=1), folder / "data" / "faces.csv")
    shutil.copy(ROOT / "data.dvc", folder)
    return folder


@pytest.fixture(scope="module")
def ran(images: Mapping[str, str], argv: Mapping[str, list[str]], workspace: Path) -> dict[str, Any]:
    """How each task of the graph ended in its component's image, one after the other."""
    return {task: container.attempt(images[component(words)], *words, folder=workspace) for task, words in argv.items()}


def component(words: list[str]) -> str:
    return next(name for name, package in USUAL.items() if package == words[2])


def content(places: Mapping[str, Path]) -> dict[Path, bytes]:
    """All files of some outputs."""
    found = (path for place in places.values() for path in (place, *place.rglob("*")))
    return {path: path.read_bytes() for path in found if path.is_file()}


def outputs(words: list[str], workspace: Path) -> dict[str, Path]:
    """Place of each declared output of a command, by name."""
    config = stage.parse(CONFIGS[words[2]], words[3:])
    return {name: workspace / getattr(config, name) for name in config.marked(stage.Output)}


@pytest.mark.parametrize("name", USUAL)
def test_an_image_holds_the_files_that_its_stage_can_import_and_no_others(name: str, code: Code) -> None:
    assert sorted(code[name]) == source_files(USUAL[name])


@pytest.mark.parametrize("name", USUAL)
def test_an_image_has_no_root_and_no_entrypoint(name: str, images: Mapping[str, str]) -> None:
    config = build.inspect(images[name])["Config"]
    user, _, group = config["User"].partition(":")
    assert int(user) > 0 < int(group)
    assert not config["Entrypoint"]
    assert (
        config["Labels"].items()
        >= {
            "org.opencontainers.image.title": f"ferflow {name}",
            "org.opencontainers.image.version": images[name].rpartition(":")[2],
        }.items()
    )


TOOLS = """
import glob, importlib.util, shutil
modules = [name for name in ("pip", "uv") if importlib.util.find_spec(name)]
commands = [name for name in ("pip", "pip3", "uv", "cc", "gcc", "g++", "make", "git", "curl") if shutil.which(name)]
caches = [path for place in ("/tmp/*", "/root/.cache", "/var/cache/apt/archives/*.deb") for path in glob.glob(place)]
print(modules, commands, caches)
"""


@pytest.mark.parametrize("name", USUAL)
def test_an_image_has_no_tools_that_install_or_build_and_no_caches(name: str, images: Mapping[str, str]) -> None:
    command = ["docker", "run", "--rm", "--user", "0", images[name], "python", "-c", TOOLS]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[] [] []\n"


@pytest.mark.parametrize("name", USUAL)
def test_an_image_shows_its_stages_options(name: str, images: Mapping[str, str]) -> None:
    shown = container.run(images[name], "python", "-m", USUAL[name], "--help")
    for field in CONFIGS[USUAL[name]].model_fields:
        assert f"--{field.replace('_', '-')}" in shown


@pytest.mark.parametrize("task", TASKS)
def test_a_stage_runs_as_any_user_on_a_read_only_system(
    task: str, ran: Mapping[str, Any], argv: Mapping[str, list[str]], workspace: Path
) -> None:
    assert ran[task].returncode == 0, ran[task].stderr
    for place in outputs(argv[task], workspace).values():
        assert {path.stat().st_uid for path in (place, *place.rglob("*"))} == {container.USER}


def test_every_task_is_tested(argv: Mapping[str, list[str]]) -> None:
    assert list(argv) == list(TASKS)
    assert {component(words) for words in argv.values()} == USUAL.keys() - {"serve"}, "test_serve.py has the server"


SPOIL = """
import runpy, sys
from components.fer import stage
from components.fer.errors import InputError

complete = stage.outputs

def spoiled(config):
    "In place of the work: write all outputs but one, which is left out or empty, for each of them."
    for name in config.marked(stage.Output):
        for empty in (False, True):
            try:
                with complete(config) as out:
                    for other in config.marked(stage.Output):
                        if other != name:
                            getattr(out, other).write_text("content")
                        elif empty:
                            getattr(out, other).touch()
            except InputError as error:
                print(error)
                last = error
    raise last

stage.outputs = spoiled
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("task", [task for task in TASKS if task != "train-backbone-b"])
@pytest.mark.usefixtures("ran")
def test_a_stage_fails_where_an_output_is_missing_or_empty(
    task: str, images: Mapping[str, str], argv: Mapping[str, list[str]], workspace: Path
) -> None:
    _, _, package, *options = argv[task]
    places = outputs(argv[task], workspace)
    earlier = content(places)
    done = container.attempt(images[component(argv[task])], "python", "-c", SPOIL, package, *options, folder=workspace)
    told = [
        f"output {name} ({place.relative_to(workspace)}): expected a file or folder with content, found none."
        for name, place in places.items()
        for _ in ("missing", "empty")
    ]
    assert [line for line in done.stdout.splitlines() if line.startswith("output ")] == told
    assert done.stderr.endswith(f"{told[-1]}\n")
    assert done.returncode == 1
    assert content(places) == earlier
