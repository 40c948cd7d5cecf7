"""Let TFX validate the prepared data, evaluate the stored model by slices, and push it where it is blessed."""

from components.fer import stage
from components.tfx_check import environment
from components.tfx_check.config import Config


def main(config: Config) -> None:
    """Load the stage's heavy libraries only after argv and machine are known to be good, and run it."""
    environment.check()
    from components.tfx_check.run import run

    run(config)


if __name__ == "__main__":
    stage.run(main, Config)
