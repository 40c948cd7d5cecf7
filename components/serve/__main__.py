"""Answer over HTTP which expression a face shows, with a stored version of the model."""

from components.fer import stage
from components.serve.config import Config


def main(config: Config) -> None:
    """Load the server's libraries only after argv is known to be good, and serve."""
    from components.serve.serve import serve

    serve(config)


if __name__ == "__main__":
    stage.run(main, Config)
