from pathlib import Path

import pytest

from components.evaluate import figures, pictures
from components.evaluate.measure import Sample
from tests.components.evaluate.conftest import HISTORY


@pytest.fixture(scope="module")
def drawn(samples: dict[str, Sample]) -> dict[str, pictures.Picture]:
    return pictures.draw(samples, 1.5, {"hybrid": HISTORY})


def test_the_same_figures_give_the_same_bytes(samples: dict[str, Sample], tmp_path: Path) -> None:
    for folder in ("one", "other"):
        pictures.write(pictures.draw(samples, 1.5, {"hybrid": HISTORY}), tmp_path / folder)
    names = {path.name for path in (tmp_path / "one").iterdir()}
    assert names == {
        f"{name}.{suffix}"
        for name in ("confusion_public", "confusion_full", "per_class", "reliability", "learning_hybrid")
        for suffix in ("png", "svg")
    }
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes() for name in names)


def test_an_empty_form_is_not_drawn(samples: dict[str, Sample]) -> None:
    empty = samples["clean_near"]
    drawn = pictures.draw(
        dict.fromkeys(("full", "clean_exact", "clean_near"), empty) | {"public": samples["public"]}, 1, {}
    )
    assert set(drawn) == {"confusion_public", "per_class", "reliability"}


def test_inline_figures_name_no_address_and_say_what_they_show(drawn: dict[str, pictures.Picture]) -> None:
    svg = figures.inline_svg(drawn["per_class"].figure, "per_class", 'recall of "all" & more')
    assert svg.startswith("<svg ")
    assert "http" not in svg
    assert "metadata" not in svg
    assert 'aria-label="recall of &quot;all&quot; &amp; more"' in svg
    assert figures.INK not in svg
    assert "currentColor" in svg
