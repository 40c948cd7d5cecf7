"""The KFP component of this stage."""

from components.container import container_component
from components.preprocess.config import Config

preprocess = container_component(Config)
