"""server: one server a test module, with mereau.TENANT. fresh: a factory of servers for cases that stop, damage or configure one."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "flow"))
import mereau  # noqa: E402


@pytest.fixture(scope="module")
def server():
    s = mereau.Mereau()
    s.start()
    yield s
    s.close()


@pytest.fixture
def fresh():
    made = []

    def make(start=True, beside=None, **kw):
        kw = {**beside.beside(), **kw} if beside else kw
        s = mereau.Mereau(**kw)
        made.append(s)
        return s.start() if start else s

    yield make
    for s in made:
        s.close()
