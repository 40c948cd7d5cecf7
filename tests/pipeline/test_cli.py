"""The ferflow command line answers at once, teaches, and tells an error by message and exit code."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from pipeline import cli
from pipeline.desk import ROOT

HEAVY = {"dvc", "great_expectations", "keras", "kfp", "mlflow", "numpy", "pydantic", "rich", "tensorflow", "tyro"}


def test_help_loads_nothing_heavy() -> None:
    """`make bench` has its time; what keeps it short is that these are not imported."""
    program = (
        "import sys, pipeline.cli\ntry: pipeline.cli.main(['--help'])\nfinally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stderr.split())
    for command in (
        "run",
        "demo",
        "data",
        "compile",
        "lint",
        "submit",
        "watch",
        "terminate",
        "schedule",
        "models",
        "predict",
        "serve",
        "monitor",
        "doctor",
        "compare",
        "report",
        "claims",
    ):
        assert command in done.stdout


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["--version"])
    assert capsys.readouterr().out == f"ferflow {version('ferflow')}\n"


def test_a_models_version_is_not_taken_for_the_products(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["models", "show", "0001-00000000", "--store", str(tmp_path)])
    assert end.value.code == 1
    assert "version 0001-00000000" in capsys.readouterr().err


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main([])
    assert capsys.readouterr().out.startswith("usage: ferflow")


def test_an_unknown_command_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as error:
        cli.main(["trian"])
    assert error.value.code == 2


def test_an_error_is_a_message_and_an_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        cli.main(["data", str(tmp_path / "nothing.csv")])
    assert error.value.code == 1
    assert capsys.readouterr().err.startswith(f"data set {tmp_path}/nothing.csv: expected a file, found none.\n")


def test_a_reader_that_has_read_enough() -> None:
    """As `head` does."""
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "lint"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_an_unknown_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        cli.main(["run", "--recipe", "nothing"])
    assert error.value.code == 1
    known = ", ".join(sorted(path.parent.name for path in (ROOT / "recipes").glob("*/params.yaml")))
    assert capsys.readouterr().err == f"recipe nothing: expected one of {known}.\nls recipes\n"


def test_doctor_names_everything(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    cli.main(["doctor"])
    printed = capsys.readouterr().out
    for subject in (
        "Python",
        "tensorflow-cpu",
        "memory",
        "free disk",
        "FER2013",
        "ImageNet weights",
        "GPU",
        "container",
    ):
        assert subject in printed
