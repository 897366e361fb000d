"""Whatever a user hands over is read, or refused in one line: no traceback, no hang, no crash.

Every reader is given spoilt inputs, always the same ones; FACEGEN_FUZZ=20000 gives each twenty
thousand new ones (the long form), and pytest's report ends with how many there were.
"""

import pytest
from fuzzing import FUZZ, Sandbox, Summary


@pytest.fixture(scope="session")
def sandbox(request, tmp_path_factory):
    """What reads, and how often."""
    sandbox = Sandbox(tmp_path_factory.mktemp("fuzz"))
    if FUZZ:
        request.config.pluginmanager.register(Summary(sandbox.counts))
    return sandbox


@pytest.fixture(scope="module")
def box(sandbox):
    """The sandbox, whose process ends with the module."""
    yield sandbox
    sandbox.close()
