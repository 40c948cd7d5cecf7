"""`ferflow report` writes one file, and only where it is another."""

import pytest

from pipeline.jobs import Job
from pipeline.report import command
from tests.pipeline.report.conftest import Ran


@pytest.fixture
def desk(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> Ran:
    found = Job("hybrid", ran.folder, ran.folder / "pipeline.yaml")
    monkeypatch.setattr(command, "job", lambda _: ("main", found))
    monkeypatch.setattr(command, "ROOT", ran.folder)
    return ran


def test_it_says_where_the_page_is(desk: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    command.main(None, with_images=False)
    assert capsys.readouterr().out == "report     artifacts/report.html\n"
    assert (desk.folder / "artifacts/report.html").read_text().endswith("</html>")


def test_a_page_that_is_there_already_is_not_written_again(desk: Ran) -> None:
    page = command.write(None)
    before = page.stat().st_mtime_ns
    assert command.write(None).stat().st_mtime_ns == before
    (desk.folder / "results/push-model/version.json").unlink()
    assert command.write(None).stat().st_mtime_ns > before
    assert not list(page.parent.glob("*.unfinished"))
