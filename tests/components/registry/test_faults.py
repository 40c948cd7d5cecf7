"""Promotions that are killed; `python -m tests.proof.promotion` kills them before every call, here it is some."""

from pathlib import Path

import pytest

from tests.components.registry.faults import OLD_AND_NEW
from tests.components.registry.model_registry_server import Server
from tests.components.registry.scenes import Scenes

# MLflow's own tables still use what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")


@pytest.mark.slow
@pytest.mark.parametrize(("move", "first"), [("push", 5), ("promote", 3), ("rollback", 1)])
def test_killed_at_any_call_the_champion_is_the_old_or_the_new_and_one_sync_mends_the_registries(
    move: str, first: int, server: Server, empty_database: Path, tmp_path: Path
) -> None:
    *killed, survived = Scenes(tmp_path, server, empty_database).kills(move, first, stride=13)
    assert len(killed) >= 2
    assert {found.champion for found in killed} <= set(OLD_AND_NEW[move])
    assert survived.champion == OLD_AND_NEW[move][1]
