"""Write the data set as a pickle and as TFRecords, with the wished images dropped from Training."""

from components.fer import stage
from components.preprocess.config import Config


def main(config: Config) -> None:
    """Load the stage's heavy libraries only after argv is known to be good, and run it."""
    from components.preprocess.run import run

    run(config)


if __name__ == "__main__":
    stage.run(main, Config)
