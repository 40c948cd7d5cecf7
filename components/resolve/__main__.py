"""Find which data there is now, and whether anything changed since the models in the store were made."""

from components.fer import stage
from components.resolve.config import Config


def main(config: Config) -> None:
    """Load the stage's heavy libraries only after argv is known to be good, and run it."""
    from components.resolve.run import run

    run(config)


if __name__ == "__main__":
    stage.run(main, Config)
