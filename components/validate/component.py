"""The KFP component of this stage."""

from components.container import container_component
from components.validate.config import Config

validate = container_component(Config)
