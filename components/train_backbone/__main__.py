"""Train one backbone on the prepared data set."""

from components.fer import stage
from components.train_backbone.config import Config


def main(config: Config) -> None:
    """Load the stage's heavy libraries only after argv is known to be good, and run it."""
    from components.train_backbone.run import run

    run(config)


if __name__ == "__main__":
    stage.run(main, Config)
