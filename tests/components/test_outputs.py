"""Every output that a stage declares has to be there, with content; tests/containers shows it of the running stages."""

from pathlib import Path
from typing import Any

import pytest

from components.fer import stage
from components.fer.errors import InputError
from pipeline.parameters import STAGES

DECLARED = [(config, name) for config in STAGES for name in config.marked(stage.Output)]


def write(out: stage.StageConfig, name: str, empty: bool) -> None:
    """Write all outputs but one, which is left out or empty."""
    for other in out.marked(stage.Output).keys() - {name}:
        getattr(out, other).write_text("content")
    if empty:
        getattr(out, name).touch()


@pytest.mark.parametrize("empty", [False, True], ids=["missing", "empty"])
@pytest.mark.parametrize(("config", "name"), DECLARED)
def test_a_declared_output_is_missed(config: type[stage.StageConfig], name: str, empty: bool, tmp_path: Path) -> None:
    places: dict[str, Any] = {output: tmp_path / output for output in config.marked(stage.Output)}
    with pytest.raises(InputError) as error, stage.outputs(config.model_construct(**places)) as out:
        write(out, name, empty)
    assert str(error.value) == f"output {name} ({tmp_path / name}): expected a file or folder with content, found none."
    assert list(tmp_path.iterdir()) == []
