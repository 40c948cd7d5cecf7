"""Measure a model on PublicTest and, once, on PrivateTest in its three forms."""

from components.evaluate.config import Config
from components.fer import stage


def main(config: Config) -> None:
    """Load the stage's heavy libraries only after argv is known to be good, and run it."""
    from components.evaluate.run import run

    run(config)


if __name__ == "__main__":
    stage.run(main, Config)
