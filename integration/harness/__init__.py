"""harness: the three programs as objects that tests start, watch and end."""

from .chaos import Chaos, Outcome
from .fakevault import FakeVault
from .process import Process, ProcessFactory
from .raw import Raw
from .signer import Service, Signer, request_body
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
    "eventually",
    "request_body",
]
