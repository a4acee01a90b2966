"""The EMOD backbone and its heads."""

from emod_model.network.config import EMODConfig
from emod_model.network.emod import EMOD, backbone_parameters, script

__all__ = ["EMOD", "EMODConfig", "backbone_parameters", "script"]
