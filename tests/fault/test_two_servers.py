"""Two servers on one database: what one changes, the other knows when it is answered; ids, audit and housekeeping are shared out."""
import datetime
import re
import signal
import time

import requests

import mereau


def test_tokens_go_across(pair):
    a, b = pair
    assert b.active(a.machine_token()) and a.active(b.machine_token())
    got = a.tokens(scope="orders.read offline_access")
    other = b.refresh(got["refresh_token"])
    assert other.status_code == 200 and a.active(other.json()["access_token"])
    # the grace window gives the same one, whoever is asked
    assert a.refresh(got["refresh_token"]).json()["refresh_token"] == other.json()["refresh_token"]


def test_A90_a_revocation_is_known_at_once(pair):
    """No token lives on the other server once its revocation was answered."""
    a, b = pair
    for i in range(40):
        here, there = (a, b) if i % 2 else (b, a)
        got = here.tokens(scope="orders.read offline_access", browser=None) if i % 8 == 0 else got
        got = here.refresh(got["refresh_token"]).json() if i % 8 else got
        assert there.active(got["access_token"])
        if i % 8 == 7:
            assert here.revoke(got["refresh_token"]).status_code == 200
            assert not there.active(got["access_token"]), i
            assert there.refresh(got["refresh_token"]).status_code == 400


def test_a_disabled_client_is_refused_at_once(pair):
    a, b = pair
    for i in range(10):
        here, there = (a, b) if i % 2 else (b, a)
        token = there.machine_token()
        here.cli("client", "disable", "machine")
        assert there.token(grant_type="client_credentials").status_code == 401, i
        assert not there.active(token)
        here.cli("client", "enable", "machine")
        assert there.token(grant_type="client_credentials").status_code == 200, i
        assert not there.active(token)
        assert there.active(there.machine_token())


def test_tenants_come_and_go_everywhere(pair):
    a, b = pair
    path = "/t/acme/.well-known/openid-configuration"
    for here, there in ((a, b), (b, a)):
        assert there.get(path).status_code == 404
        here.cli("tenant", "add", "acme")
        assert there.get(path).status_code == 200
        here.cli("tenant", "disable", "acme")
        assert there.get(path).status_code == 404
        here.cli("tenant", "enable", "acme")
        assert there.get(path).status_code == 200
        here.cli("tenant", "remove", "acme")
        assert there.get(path).status_code == 404


def test_a_hung_server_holds_nobody_up(pair):
    """A server that hangs loses its lease: changes on the other one are answered, and when it goes on it knows them."""
    a, b = pair
    token = b.machine_token()
    b.process.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        a.cli("client", "disable", "machine")
        took = time.monotonic() - began
        assert took < 6 * mereau.SLOW, took
    finally:
        b.process.send_signal(signal.SIGCONT)
    while (r := b.post("/introspect", {"token": token}, mereau.API)).status_code == 503:  # until it hears the database again
        time.sleep(0.02)
    assert r.json() == {"active": False} and b.token(grant_type="client_credentials").status_code == 401


def test_one_trail(pair):
    a, b = pair
    for s in (a, b, a, b):
        s.cli("user", "disable", "ann")
        s.cli("user", "enable", "ann")
    assert a.cli_json("audit", "verify")["ok"] and b.cli_json("audit", "verify")["ok"]
    rows = a.cli_json("audit", "list", "--limit", "200")
    ids = [r["id"] for r in rows]
    at = [datetime.datetime.fromisoformat(r["at"].rstrip("Z")) for r in rows]  # when the request came; rows stand in the order of their commits
    assert all((newer - older).total_seconds() >= -2 * mereau.SLOW for newer, older in zip(at, at[1:]))
    assert len([r for r in rows if r["object"] == "user:ann"]) >= 8
    assert ids == [r["id"] for r in b.cli_json("audit", "list", "--limit", "200")]
    seen, before = [], []
    while len(seen) < len(ids):
        page = [r["id"] for r in a.cli_json("audit", "list", "--limit", "3", *before)]
        assert page
        seen, before = seen + page, ["--before", page[-1]]
    assert seen == ids


def test_metrics_say_how_many(pair):
    def servers(s):
        return re.search(r"^mereau_store_servers (\d+)", requests.get(s.management + "/metrics", timeout=10).text, re.M).group(1)

    a, b = pair
    end = time.monotonic() + 10 * mereau.SLOW
    while servers(a) != "2" or servers(b) != "2":
        assert time.monotonic() < end
        time.sleep(0.1)
    assert "1 other server" in a.cli("doctor", check=None).stdout
    b.stop()
    while servers(a) != "1":
        assert time.monotonic() < end
        time.sleep(0.1)
