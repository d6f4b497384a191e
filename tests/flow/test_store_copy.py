"""mereau store copy: from one engine to the other and back, cut off and gone on with, compared row by row, refused where it would do harm."""
import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

import mereau

pytestmark = pytest.mark.skipif(not mereau.POSTGRES, reason="needs both engines")
SCOPE = "orders.read offline_access"


def database():
    name = "c" + secrets.token_hex(8)
    mereau.psql("postgres", "CREATE DATABASE " + name)
    return "postgresql://postgres@/%s?host=%s" % (name, mereau.POSTGRES)


def copy(*args, check=0):
    r = subprocess.run([mereau.BINARY, "store", "copy", *args], capture_output=True, text=True, timeout=120 * mereau.SLOW, check=False)
    assert check is None or r.returncode == check, r.stdout + r.stderr
    return r


def on(fresh, like, **server):
    """A server with the settings, tenants and master key of another, on another store."""
    s = fresh(start=False, server={"issuer": like.url, "store": "", **server}, on_store=server.get("store") or "none")
    s.config["tenants"] = like.config["tenants"]
    s.write_config(s.config)
    os.makedirs(s.data, mode=0o700, exist_ok=True)
    shutil.copy(os.path.join(like.data, "master.key"), os.path.join(s.data, "master.key"))
    return s


def used(fresh, **server):
    """A store that has seen some life, and what is to be true of it wherever it stands."""
    s = fresh(server=server)
    first, dead = s.tokens(scope=SCOPE), s.tokens(scope=SCOPE)
    s.revoke(dead["refresh_token"])
    s.token(grant_type="client_credentials", auth=("machine", "wrong"))
    s.browser("bob")
    mereau.Browser(s).sign_in("eve", "wrong-wrong")
    facts = {"live": [s.machine_token() for _ in range(20)] + [first["access_token"]], "dead": [dead["access_token"]], "refresh": first["refresh_token"],
             "rows": len(s.cli_json("audit", "list", "--limit", "200"))}
    s.stop()
    return s, facts


def holds(s, facts):
    assert all(s.active(t) for t in facts["live"]) and not any(s.active(t) for t in facts["dead"])
    assert s.cli_json("audit", "verify")["ok"] and len(s.cli_json("audit", "list", "--limit", "200")) >= facts["rows"]
    assert s.active(s.tokens(scope=SCOPE)["access_token"])
    rotated = s.refresh(facts["refresh"])
    assert rotated.status_code == 200, rotated.text
    facts["refresh"] = rotated.json()["refresh_token"]


def test_there_and_back(fresh, tmp_path):
    lite, facts = used(fresh, store="sqlite")
    where = database()
    r = copy(lite.data, where)
    assert "each compared with its source" in r.stdout and "master key" in r.stdout
    assert copy(lite.data, where, "--verify-only").stdout.startswith("the same")
    there = on(fresh, lite, store=where).start()
    holds(there, facts)
    there.stop()
    back = on(fresh, there, store="sqlite")
    assert copy(where, back.data, "-o", "json").stdout.startswith('{"copied":true')
    holds(back.start(), facts)


def test_cut_off(fresh):
    """Killed in the middle: no server opens the half of it; run again it goes on; another source is refused."""
    lite, facts = used(fresh, store="sqlite")
    with sqlite3.connect(os.path.join(lite.data, "mereau.db")) as db:  # enough that there is a middle
        db.execute("INSERT INTO seen (tenant_id, hash, expires_s) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)"
                   " SELECT (SELECT min(id) FROM object), randomblob(32), 4000000000 FROM n")
    where = database()
    p = subprocess.Popen([mereau.BINARY, "store", "copy", lite.data, where], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60 * mereau.SLOW
    while time.monotonic() < end and p.poll() is None:
        n = subprocess.run(["psql", "-qAtX", "-d", where, "-c", "SELECT count(*) FROM seen"], capture_output=True, text=True, check=False).stdout.strip()
        if n.isdigit() and int(n) > 20000:
            break
    p.send_signal(signal.SIGKILL)
    p.wait()
    half = on(fresh, lite, store=where)
    half.start(wait=False)
    assert half.process.wait(timeout=30 * mereau.SLOW) == 1 and "has not been finished" in half.log_text()
    half.process = None
    assert "not been finished" in copy(lite.data, where, "--verify-only", check=1).stderr
    other, _ = used(fresh, store="sqlite")
    assert "another store" in copy(other.data, where, check=1).stderr
    assert "copied (the rest)" in copy(lite.data, where).stdout
    holds(half.start(), facts)


def test_refusals(fresh, tmp_path):
    lite, _ = used(fresh, store="sqlite")
    where = database()
    assert "there is no store" in copy(str(tmp_path / "none"), where, check=1).stderr
    copy(lite.data, where)
    assert "not empty" in copy(lite.data, where, check=1).stderr
    lite.start()
    assert "stop it first" in copy(lite.data, database(), check=1).stderr
    lite.stop()
    there = on(fresh, lite, store=where).start()
    assert "stop it first" in copy(where, str(tmp_path / "new"), check=1).stderr
    there.stop()
    with sqlite3.connect(os.path.join(lite.data, "mereau.db")) as db:
        db.execute("PRAGMA user_version = 2")
    assert "earlier version" in copy(lite.data, database(), check=1).stderr


def test_a_changed_row_is_found(fresh):
    lite, _ = used(fresh, store="sqlite")
    where = database()
    copy(lite.data, where)
    mereau.psql(where, "UPDATE token SET scope = scope || '.' WHERE id = (SELECT max(id) FROM token)")
    said = copy(lite.data, where, "--verify-only", check=1).stderr
    assert "table token" in said and "column scope" in said
    mereau.psql(where, "DELETE FROM audit WHERE id = (SELECT min(id) FROM audit)")
    assert "table audit" in copy(lite.data, where, "--verify-only", check=1).stderr
