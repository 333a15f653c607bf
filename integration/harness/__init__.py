"""harness: the three programs as objects that tests start, watch and end."""

from . import limits, surroundings
from .chaos import Chaos, Outcome
from .fakevault import FakeVault
from .process import Process, ProcessFactory
from .raw import Raw
from .signer import Service, Signer, request_body
from .terminal import Terminal
from .wait import eventually

__all__ = [
    "Chaos",
    "FakeVault",
    "Outcome",
    "Process",
    "ProcessFactory",
    "Raw",
    "Service",
    "Signer",
    "Terminal",
    "eventually",
    "limits",
    "request_body",
    "surroundings",
]
