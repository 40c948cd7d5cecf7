"""Store a model as an immutable version and promote it when it is better than the champion."""

from components.fer import stage
from components.push_model.config import Config


def main(config: Config) -> None:
    """Load the stage's heavy libraries only after argv is known to be good, and run it."""
    from components.push_model.run import run

    run(config)


if __name__ == "__main__":
    stage.run(main, Config)
