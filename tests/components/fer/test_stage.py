"""The contract of every stage: whole outputs or none, and an exit code that tells the truth."""

import errno
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest

from components.fer import stage
from components.fer.errors import InputError, Stopped, UsageError


class Config(stage.StageConfig):
    """A stage for tests."""

    source: Annotated[Path, stage.Input("Dataset")]
    """input to read"""
    mirror: stage.Flag
    """a switch"""
    table_csv: Annotated[Path, stage.Output("Dataset")]
    """file to write"""
    pages: Annotated[Path, stage.Output("HTML")]
    """folder to write"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(
        source=tmp_path / "in", mirror=True, table_csv=tmp_path / "out" / "table.csv", pages=tmp_path / "out" / "pages"
    )


def write(out: Config, content: str) -> None:
    out.table_csv.write_text(content)
    out.pages.mkdir()
    (out.pages / f"{content}.html").write_text(content)


def tree(folder: Path) -> dict[str, str]:
    """All files below `folder` with their contents."""
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def work_and_fail(out: Config, error: BaseException, late: bool) -> None:
    if late:
        write(out, "new")
    raise error


OLD = {"out/table.csv": "old", "out/pages/old.html": "old"}
NEW = {"out/table.csv": "new", "out/pages/new.html": "new"}


@pytest.fixture
def earlier(config: Config) -> Config:
    """The same stage, having run before."""
    with stage.outputs(config) as out:
        write(out, "old")
    return config


def test_outputs_appear_together_and_nothing_else_stays(config: Config, tmp_path: Path) -> None:
    with stage.outputs(config) as out:
        write(out, "new")
        assert not config.table_csv.exists()
    assert tree(tmp_path) == NEW
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["pages", "table.csv"]


def test_earlier_outputs_are_replaced_whole(earlier: Config, tmp_path: Path) -> None:
    with stage.outputs(earlier) as out:
        write(out, "new")
        assert tree(tmp_path).items() >= OLD.items()
    assert tree(tmp_path) == NEW  # old.html is gone with its folder


def test_a_file_and_a_folder_replace_each_other(earlier: Config, tmp_path: Path) -> None:
    with stage.outputs(earlier) as out:
        out.pages.write_text("a file now")
        out.table_csv.mkdir()
        (out.table_csv / "part").write_text("a folder now")
    assert tree(tmp_path) == {"out/pages": "a file now", "out/table.csv/part": "a folder now"}


def test_links_are_replaced_and_what_they_point_to_is_kept(earlier: Config, tmp_path: Path) -> None:
    """A DVC cache may link outputs to itself: writing through the link would change it."""
    cache = tmp_path / "cache"
    cache.mkdir()
    for path in (earlier.table_csv, earlier.pages):
        path.rename(cache / path.name)
        path.symlink_to(cache / path.name)
    with stage.outputs(earlier) as out:
        write(out, "new")
    assert tree(tmp_path) == {**NEW, "cache/table.csv": "old", "cache/pages/old.html": "old"}
    assert not earlier.pages.is_symlink()


@pytest.mark.parametrize("error", [ValueError("a fault"), KeyboardInterrupt(), Stopped(), SystemExit(1), MemoryError()])
@pytest.mark.parametrize("written", ["nothing", "everything"])
def test_whatever_goes_wrong_earlier_outputs_stay(
    error: BaseException, written: str, earlier: Config, tmp_path: Path
) -> None:
    with pytest.raises(type(error)), stage.outputs(earlier) as out:
        work_and_fail(out, error, written == "everything")
    assert tree(tmp_path) == OLD
    assert len(list((tmp_path / "out").iterdir())) == 2


def nothing(out: Config) -> None:
    pass


def empty_file(out: Config) -> None:
    write(out, "new")
    out.table_csv.write_text("")


def empty_folder(out: Config) -> None:
    out.table_csv.write_text("new")
    out.pages.mkdir()


def folder_of_empty_files(out: Config) -> None:
    empty_folder(out)
    (out.pages / "index.html").touch()


@pytest.mark.parametrize(
    ("work", "name"),
    [(nothing, "table_csv"), (empty_file, "table_csv"), (empty_folder, "pages"), (folder_of_empty_files, "pages")],
)
def test_an_output_that_is_missing_or_empty_is_an_error(
    work: Callable[[Config], None], name: str, earlier: Config, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught, stage.outputs(earlier) as out:
        work(out)
    assert (
        str(caught.value)
        == f"output {name} ({getattr(earlier, name)}): expected a file or folder with content, found none."
    )
    assert tree(tmp_path) == OLD


@pytest.mark.parametrize("inner", ["table.csv", "table.csv/pages"])
def test_outputs_must_lie_apart(inner: str, tmp_path: Path) -> None:
    config = Config(source=tmp_path, mirror=True, table_csv=tmp_path / "table.csv", pages=tmp_path / inner)
    with pytest.raises(UsageError, match=r"^output .*: expected a place apart from output "), stage.outputs(config):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_replaced_stays(
    earlier: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def fail(self: Path, target: Path) -> Path:
        if target == earlier.pages:
            raise OSError(errno.EIO, "Input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="Input/output error"), stage.outputs(earlier) as out:
        write(out, "new")
    assert tree(tmp_path)["out/pages/old.html"] == "old"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_between_the_renames_comes_too_late(
    number: int, earlier: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def interrupted(self: Path, target: Path) -> Path:
        os.kill(os.getpid(), number)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    before = signal.getsignal(number)
    with stage.outputs(earlier) as out:
        write(out, "new")
    assert tree(tmp_path) == NEW
    assert signal.getsignal(number) is before


def test_outputs_can_be_written_by_another_thread(config: Config, tmp_path: Path) -> None:
    def work() -> None:
        with stage.outputs(config) as out:
            write(out, "new")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert tree(tmp_path) == NEW


ARGV = ["--source", "in", "--mirror", "true", "--table-csv", "out/table.csv", "--pages", "out/pages"]


def test_argv_becomes_the_configuration() -> None:
    config = stage.parse(Config, ARGV)
    assert config == Config(source=Path("in"), mirror=True, table_csv=Path("out/table.csv"), pages=Path("out/pages"))


def test_marks_are_found_in_the_order_of_declaration() -> None:
    assert Config.marked(stage.Input) == {"source": "Dataset"}
    assert list(Config.marked(stage.Output).items()) == [("table_csv", "Dataset"), ("pages", "HTML")]


@pytest.mark.parametrize(("text", "value"), [("true", True), ("True", True), ("FALSE", False), ("false", False)])
def test_a_flag_takes_the_spellings_of_dvc_kfp_and_python(text: str, value: bool) -> None:
    assert stage.parse(Config, [text if word == "true" else word for word in ARGV]).mirror is value


def test_an_outputs_folder_that_is_a_file_is_told(config: Config, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OSError, match="File exists"), stage.outputs(config):
        pass
