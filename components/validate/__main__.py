"""Check the data set and audit it for copies, near copies, conflicting labels and constant images."""

from components.fer import stage
from components.validate.config import Config


def main(config: Config) -> None:
    """Load the stage's heavy libraries only after argv is known to be good, and run it."""
    from components.validate.run import run

    run(config)


if __name__ == "__main__":
    stage.run(main, Config)
