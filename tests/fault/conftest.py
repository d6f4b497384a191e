import importlib.machinery
import importlib.util
import os
import subprocess
import time

import pytest

import mereau

loader = importlib.machinery.SourceFileLoader("with_postgres", os.path.join(mereau.ROOT, "tests", "with_postgres"))
with_postgres = importlib.util.module_from_spec(importlib.util.spec_from_loader("with_postgres", loader))
loader.exec_module(with_postgres)


@pytest.fixture(scope="module")
def pg():
    s = with_postgres.Server().start()
    yield s
    s.stop()


def make_pair(pg, fresh, server=None, **kw):
    """Two servers on a new database."""
    name = "two%d" % time.monotonic_ns()
    subprocess.run(["psql", "-q", "-h", pg.dir, "-U", "postgres", "-c", "CREATE DATABASE " + name], check=True, stdout=subprocess.DEVNULL)
    first = fresh(server={"store": "postgresql://postgres@/%s?host=%s" % (name, pg.dir), **(server or {})}, **kw)
    second = fresh(start=False, beside=first)
    second.config["server"].update(server or {})
    second.write_config(second.config)
    return first, second.start()


@pytest.fixture
def pair(pg, fresh):
    return make_pair(pg, fresh)


@pytest.fixture
def strict_pair(pg, fresh):
    """Where a refresh token is good once, without a grace window."""
    return make_pair(pg, fresh, tenant={"refresh_grace": 0})
