"""The KFP component of this stage."""

from components.container import container_component
from components.push_model.config import Config

push_model = container_component(Config)
