"""Great Expectations holds facts to ranges, and the genuine FER2013 to its published counts."""

import logging
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from components.fer.dataset import Faces, Masks
from components.validate import audit

pytestmark = pytest.mark.usefixtures("expectations")


def facts_of(faces: Faces) -> object:
    from components.validate.facts import facts

    return facts(faces, audit.masks(faces, near_correlation=0.95))


def test_facts_are_those_of_each_image(made: Faces) -> None:
    from components.validate.facts import facts

    table = facts(made, audit.masks(made, near_correlation=0.95))
    pixels = made.images.reshape(len(made.images), -1)
    np.testing.assert_allclose(table["mean"], pixels.mean(axis=1))
    np.testing.assert_allclose(table["contrast"], pixels.std(axis=1), atol=1e-6)
    assert table.loc[37, "constant"]
    assert table.loc[[23, 30], "conflict"].all()
    assert set(table["copies_lie_in"]) >= {"Training", "PublicTest", "Training, PublicTest, PrivateTest"}
    assert table["label"].iloc[:3].tolist() == ["angry", "disgust", "fear"]


def test_made_faces_lie_in_sane_ranges(made: Faces, expectations: ModuleType) -> None:
    result = expectations.hold(facts_of(made), expectations.sane_ranges(0.95, 7))
    assert expectations.failures(result) == []


def test_what_is_unusual_is_worded(made: Faces, expectations: ModuleType) -> None:
    odd = Faces(made.images // 64, np.where(made.usage == 1, 3, made.label).astype(np.uint8), made.usage)
    result = expectations.hold(facts_of(odd), expectations.sane_ranges(0.95, 7))
    failures = expectations.failures(result)
    assert "expected 7 expressions in PublicTest, received 1" in failures
    assert any(text.startswith("expected 99 % of the images with a contrast of at least 8") for text in failures)


def test_published_counts_are_not_those_of_made_faces(made: Faces, expectations: ModuleType) -> None:
    result = expectations.hold(facts_of(made), expectations.published_counts())
    failures = expectations.failures(result)
    assert "expected 3,995 Training images of angry, received 80" in failures
    assert "expected 465 PrivateTest images correlated with Training at 0.95 or more, received 16" in failures


def test_data_docs_are_one_page_that_needs_no_network_and_does_not_change(
    made: Faces, expectations: ModuleType, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from components.validate import data_docs

    table = facts_of(made)
    pages = []
    for name in ("one", "other"):
        result = expectations.hold(table, expectations.sane_ranges(0.95, 7))
        data_docs.write(result, tmp_path / name)
        pages.append((tmp_path / name / "index.html").read_text())
    assert pages[0] == pages[1]
    assert "99 % of the images not constant" in pages[0]
    assert "None" not in pages[0]
    assert not [text for text in ("http:", "https:", "<script", "<link", "<img", "url(") if text in pages[0]]
    assert [file.name for file in (tmp_path / "one").rglob("*")] == ["index.html"]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.slow
@pytest.mark.genuine
def test_the_genuine_data_set_meets_all_expectations(
    genuine: Faces, genuine_masks: Masks, expectations: ModuleType
) -> None:
    from components.validate.facts import facts

    expected = [*expectations.published_counts(), *expectations.sane_ranges(0.95, 7)]
    result = expectations.hold(facts(genuine, genuine_masks), expected)
    assert expectations.failures(result) == []
    assert len(result.results) == 56
