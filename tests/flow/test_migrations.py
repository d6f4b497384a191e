"""Stores as earlier versions wrote them (tests/vectors/stores/make) are opened by this one: nothing issued is lost, nothing revoked comes back."""
import json
import os
import re
import sqlite3
import subprocess
import threading

import pytest

import mereau

STORES = os.path.join(mereau.ROOT, "tests", "vectors", "stores")
NAMES = ["schema2-postgresql"] if mereau.POSTGRES else ["schema1", "schema2"]
NEWEST = max(int(v) for v in re.findall(r"^MIGRATION\((\d+)", open(os.path.join(mereau.ROOT, "src", "store", "migrations.def"), encoding="utf-8").read(), re.M))


def facts(name):
    with open(os.path.join(STORES, name + ".json"), encoding="utf-8") as f:
        return json.load(f)


def version_of(name):
    return int(re.match(r"schema(\d+)", name).group(1))


def fill(s, name, path=None):
    path = path or os.path.join(STORES, name + ".sql")
    if mereau.POSTGRES:
        subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", s.store, "-f", path], check=True, stdout=subprocess.DEVNULL)
        return
    os.makedirs(s.data, mode=0o700, exist_ok=True)
    with open(path, encoding="utf-8") as f, sqlite3.connect(os.path.join(s.data, "mereau.db")) as db:
        db.executescript(f.read())


def clock(at):
    """The environment in which a server believes it is then: what was issued has not expired."""
    files = subprocess.run(["dpkg", "-L", "libfaketime"], capture_output=True, text=True, check=False).stdout.split()
    library = next((f for f in files if f.endswith("/libfaketimeMT.so.1")), None)
    if not library or "asan" in mereau.BINARY:
        pytest.skip("no libfaketime here, or it does not go with this binary")
    return {"LD_PRELOAD": library, "FAKETIME": "@" + at, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"}


def old_store(fresh, name):
    f = facts(name)
    s = fresh(start=False, server={"issuer": f["issuer"]}, env=clock(f["at"]))
    fill(s, name)
    os.makedirs(s.data, mode=0o700, exist_ok=True)
    with open(os.open(os.path.join(s.data, "master.key"), os.O_WRONLY | os.O_CREAT, 0o600), "wb") as key:
        key.write(bytes.fromhex(f["master_key"]))
    return s, f


@pytest.mark.parametrize("name", NAMES)
def test_an_earlier_store(fresh, name):
    s, f = old_store(fresh, name)
    plan = s.cli("migrate", "--plan").stdout
    assert all("schema %d:" % v in plan for v in range(version_of(name) + 1, NEWEST + 1)) and "schema %d:" % version_of(name) not in plan
    assert s.cli("migrate", "--plan").stdout == plan  # it changes nothing
    s.start()
    assert s.active(f["machine"]) and s.active(f["access"])
    assert not s.active(f["revoked"]) and not s.active(f["cut_off"])
    assert s.refresh(f["refresh"]).status_code == 200
    assert s.active(s.tokens(scope="orders.read")["access_token"]) and s.active(s.machine_token())
    assert s.cli_json("audit", "verify")["ok"] and len(s.cli_json("audit", "list", "--limit", "200")) > 10
    assert set(f["signing_kids"]) <= {k["kid"] for k in s.get("/jwks").json()["keys"]}
    s.restart()
    assert s.active(f["machine"]) and "up to date" in s.cli("migrate", "--plan").stdout
    assert s.cli_json("audit", "verify")["ok"]


@pytest.mark.parametrize("name", NAMES)
def test_a_step_that_fails_leaves_the_old_store(fresh, name):
    s, f = old_store(fresh, name)
    s.sql("CREATE TABLE audit_end (nobody INTEGER)")  # in the way of the third step
    s.start(wait=False)
    assert s.process.wait(timeout=20 * mereau.SLOW) == 1 and "schema 3" in s.log_text(), s.log_text()
    s.process = None
    s.sql("DROP TABLE audit_end")
    assert "schema 3:" in s.cli("migrate", "--plan").stdout
    s.start()
    assert s.active(f["access"])


@pytest.mark.skipif(not mereau.POSTGRES, reason="one server has a SQLite store for itself")
def test_two_that_upgrade_at_once(fresh):
    first, f = old_store(fresh, NAMES[-1])
    second = fresh(start=False, beside=first, env=first.env)
    second.config["server"]["issuer"] = f["issuer"]
    second.write_config(second.config)
    threads = [threading.Thread(target=s.start) for s in (first, second)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert second.active(f["access"]) and first.active(f["access"])
    assert first.cli_json("audit", "verify")["ok"]
