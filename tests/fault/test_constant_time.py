"""Secrets are compared and chosen without a branch on them: the unit test of it runs under valgrind, with the secrets marked as
undefined memory. A branch on purpose is told first, so that silence means something."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

BUILD = Path(os.environ.get("MEREAU_BIN", "build/mereau")).resolve().parent
PROGRAM = BUILD / "tests" / "unit" / "unit-crypto-constant_time"


def valgrind(*args):
    return subprocess.run(
        ["valgrind", "--quiet", "--error-exitcode=9", "--undef-value-errors=yes", str(PROGRAM), *args],
        capture_output=True, text=True, timeout=300,
    )


@pytest.fixture(autouse=True)
def able():
    if not shutil.which("valgrind"):
        pytest.skip("valgrind is not installed, so that no memory can be marked as secret")
    if not Path("/usr/include/valgrind/memcheck.h").exists():
        pytest.skip("valgrind's header is not installed, the program was built without marks")
    if not PROGRAM.exists():
        pytest.skip(f"there is no {PROGRAM}; build it first")
    if b"__asan_init" in PROGRAM.read_bytes():
        pytest.skip("valgrind does not run programs built with sanitizers")


def test_a_branch_on_a_secret_is_seen():
    done = valgrind("branch")
    assert done.returncode == 9 and "depends on uninitialised value" in done.stderr, done.stderr


def test_comparing_and_choosing_do_not_branch():
    done = valgrind()
    assert done.returncode == 0, done.stderr
    assert " 0 failed" in done.stdout
