"""The KFP component of this stage."""

from components.container import container_component
from components.evaluate.config import Config

evaluate_hybrid = container_component(Config)
evaluate = container_component(Config, optional=False)
