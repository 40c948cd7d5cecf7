"""The KFP component of this stage."""

from components.container import container_component
from components.evaluate.config import Config

evaluate = container_component(Config)
evaluate_hybrid = container_component(
    Config, having=("first_keras", "second_keras", "first_history_csv", "second_history_csv")
)
