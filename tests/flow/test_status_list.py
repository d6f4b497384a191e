"""Token status lists (R8): revocation that reaches self-contained tokens in seconds; and how long introspection may be kept."""
import base64
import collections
import concurrent.futures
import json
import os
import sqlite3
import time
import zlib

import pytest
from jwcrypto import jwk, jws

import mereau

LISTED = {"access_token_format": "jwt", "status_list": True}
CLIENTS = [
    {"client_id": "weblist", "client_secret": mereau.WEB[1], "redirect_uris": [mereau.CALLBACK], "first_party": True,
     "grant_types": ["authorization_code", "refresh_token"], "scope": "orders.read offline_access", **LISTED},
    {"client_id": "joblist", "client_secret": mereau.MACHINE[1], "grant_types": ["client_credentials"], "scope": "orders.read", **LISTED},
]
WEB, JOB = ("weblist", mereau.WEB[1]), ("joblist", mereau.MACHINE[1])
SOON = 3  # seconds for the store's own work: a list is a second old at most, marking takes a tick of the housekeeper


@pytest.fixture(scope="module")
def listed():
    s = mereau.Mereau(tenant={"clients": CLIENTS})
    s.start()
    yield s
    s.close()


def claims(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def place(token):
    p = claims(token)["status"]["status_list"]
    assert set(p) == {"idx", "uri"}
    return p["uri"], p["idx"]


def path_of(server, uri):
    assert uri.startswith(server.url + "/")
    return uri[len(server.url):]


def read_list(server, uri, prefix=""):
    """As a verifier does: the signature by the published key, the claims, the unpacked bytes."""
    r = server.get(path_of(server, uri))
    assert r.status_code == 200, r.text
    token = jws.JWS()
    token.deserialize(r.text)
    keys = jwk.JWKSet.from_json(server.get(prefix + "/jwks").text)
    token.verify(keys.get_key(token.jose_header["kid"]))
    assert token.jose_header["typ"] == "statuslist+jwt"
    body = json.loads(token.payload)
    assert body["sub"] == uri and body["iss"] == server.url + prefix and body["status_list"]["bits"] == 1
    assert abs(body["iat"] - time.time()) < 10 and body["exp"] > body["iat"] + body["ttl"]
    packed = body["status_list"]["lst"]
    return body, zlib.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))


def revoked(server, token, prefix=""):
    uri, idx = place(token)
    bits = read_list(server, uri, prefix)[1]
    return bool(bits[idx // 8] >> idx % 8 & 1)


def soon_revoked(server, token, prefix=""):
    end = time.monotonic() + SOON * mereau.SLOW
    while not revoked(server, token, prefix):
        assert time.monotonic() < end, "the list does not say what introspection says"
        time.sleep(0.1)
    return True


def job(server, auth=JOB, prefix=""):
    r = server.token(auth, prefix, grant_type="client_credentials")
    assert r.status_code == 200, r.text
    return r.json()["access_token"]


def tokens_of(server, username="ann", **kw):
    return server.browser(username).tokens(WEB, **kw)


# --- what stands where ---


def test_the_claim_and_the_list(listed):
    t = job(listed)
    uri, idx = place(t)
    assert uri.startswith(listed.url + "/status/") and 0 <= idx < 65536
    body, bits = read_list(listed, uri)
    assert len(bits) == 8192 and body["ttl"] == 10 and not revoked(listed, t)
    assert "status" not in claims(listed.machine_token(("machinejwt", mereau.MACHINE[1])))
    assert place(t)[1] != place(job(listed))[1]
    shown = listed.cli("token", "inspect", t).stdout
    assert "index %d of %s" % (idx, uri) in shown


def test_headers_and_addresses(listed):
    uri = place(job(listed))[0]
    path = path_of(listed, uri)
    r = listed.get(path, headers={"Accept": "application/statuslist+jwt", "Origin": "https://rp.example"})
    assert r.headers["Content-Type"] == "application/statuslist+jwt"
    assert r.headers["Cache-Control"] == "public, max-age=10" and r.headers["Access-Control-Allow-Origin"] == "*"
    meta = listed.get("/.well-known/oauth-authorization-server").json()
    assert meta["status_list_aggregation_endpoint"] == listed.url + "/status"
    r = listed.get("/status")
    assert uri in r.json()["status_lists"] and r.headers["Cache-Control"] == "public, max-age=10"
    assert listed.get(path + "?time=1700000000").status_code == 501


@pytest.mark.parametrize("name", ["0", "1", "nonsense", "00000000000", "zzzzzzzzzzz", "-1", "a" * 200, "%2e%2e", "7n42DGM5Tfl"])
def test_unknown_lists(listed, name):
    r = listed.get("/status/" + name)
    assert r.status_code in (400, 404) and "max-age" not in r.headers["Cache-Control"]


def test_the_order_of_issuing_is_not_told(listed):
    n = [place(job(listed))[1] for _ in range(24)]
    steps = [b - a for a, b in zip(n, n[1:])]
    assert len(set(n)) == 24 and len(set(steps)) > 20 and n != sorted(n) and max(n) - min(n) > 10000


def test_other_tenants_lists_are_apart(fresh):
    s = fresh(tenant={"clients": CLIENTS}, tenants={"acme": {"clients": [CLIENTS[1]]}})
    here, there = job(s), job(s, prefix="/t/acme")
    assert place(there)[0].startswith(s.url + "/t/acme/status/")
    name = place(there)[0].rsplit("/", 1)[1]
    assert s.get("/status/" + name).status_code == 404
    assert s.get("/t/acme/status/" + place(here)[0].rsplit("/", 1)[1]).status_code == 404
    assert s.get("/t/acme/status").json()["status_lists"] == [place(there)[0]]
    assert not revoked(s, there, "/t/acme")
    s.revoke(there, JOB)  # another tenant's client of the same name: nothing happens
    assert s.post("/t/acme/revoke", {"token": there}, JOB).status_code == 200
    assert soon_revoked(s, there, "/t/acme") and not revoked(s, here)


@pytest.mark.parametrize("fields", [["access_token_format=opaque"], ["access_token_format=jwt", "store_access_tokens=false"]])
def test_only_stored_jwts_have_a_place(listed, fields):
    r = listed.cli("client", "add", "wrong", "client_secret=-", "grant_types=client_credentials", "status_list=true", *fields,
                   stdin="a-secret-that-is-long-enough\n", check=1)
    assert "status_list" in r.stderr and "access_token_format jwt" in r.stderr


# --- each way to die ---


def test_one_token_is_revoked(listed):
    a, b = job(listed), job(listed)
    assert not revoked(listed, a)
    listed.revoke(a, JOB)
    assert soon_revoked(listed, a) and not revoked(listed, b)
    assert not listed.active(a) and listed.active(b)


def test_a_grant_is_revoked(listed):
    t, other = tokens_of(listed, scope="orders.read offline_access"), tokens_of(listed)
    listed.revoke(t["refresh_token"], WEB)
    assert soon_revoked(listed, t["access_token"]) and not revoked(listed, other["access_token"])


def test_refresh_tokens_replay_kills_the_family(fresh):
    s = fresh(tenant={"clients": CLIENTS, "refresh_grace": 0})
    t = tokens_of(s, scope="orders.read offline_access")
    second = s.refresh(t["refresh_token"], WEB).json()
    assert not revoked(s, second["access_token"]) and place(t["access_token"]) != place(second["access_token"])
    assert s.refresh(t["refresh_token"], WEB).status_code == 400
    assert soon_revoked(s, second["access_token"]) and soon_revoked(s, t["access_token"])


def test_a_session_ends(listed):
    b = listed.browser("ann")
    b2 = listed.browser("bob")
    t, other = b.tokens(WEB, scope="orders.read"), b2.tokens(WEB, scope="orders.read")
    b.submit(b.get("/signout"))
    assert not listed.active(t["access_token"], WEB)
    assert soon_revoked(listed, t["access_token"]) and not revoked(listed, other["access_token"])


@pytest.mark.parametrize("how", ["disable", "remove"])
def test_an_account_goes(listed, how):
    name = "gone-" + how
    listed.cli("user", "add", name, "password=-", "roles=support", stdin=mereau.PASSWORD + "\n")
    t, other = tokens_of(listed, name), tokens_of(listed, "ann")
    assert not revoked(listed, t["access_token"])
    listed.cli("user", how, name)
    assert soon_revoked(listed, t["access_token"]) and not revoked(listed, other["access_token"])


@pytest.mark.parametrize("how", ["disable", "remove"])
def test_a_client_goes(listed, how):
    auth = ("client-" + how, "a-secret-that-is-long-enough")
    listed.cli("client", "add", auth[0], "client_secret=-", "grant_types=client_credentials", "scope=orders.read", "status_list=true",
               "access_token_format=jwt", stdin=auth[1] + "\n")
    t, other = job(listed, auth), job(listed)
    assert not revoked(listed, t)
    listed.cli("client", how, auth[0])
    assert soon_revoked(listed, t) and not revoked(listed, other)
    if how == "disable":  # enabling brings nothing back, and what is new lives
        listed.cli("client", "enable", auth[0])
        new = job(listed, auth)
        time.sleep(1.5)
        assert revoked(listed, t) and not revoked(listed, new) and listed.active(new)


def test_a_tenant_is_cut_off(fresh):
    s = fresh(tenants={"acme": {"clients": [CLIENTS[1]]}})
    t = job(s, prefix="/t/acme")
    assert not revoked(s, t, "/t/acme")
    s.cli("tenant", "disable", "acme")
    assert s.get(path_of(s, place(t)[0])).status_code == 404
    s.cli("tenant", "enable", "acme")
    new = job(s, prefix="/t/acme")
    assert place(new)[0] != place(t)[0]
    assert soon_revoked(s, t, "/t/acme") and not revoked(s, new, "/t/acme")


@mereau.sqlite_only
def test_a_client_with_many_tokens_goes_at_once(fresh):
    """60,000 tokens: the list says so in time, long before the rows are marked."""
    s = fresh(tenant={"clients": CLIENTS})
    t, keep = job(s), s.machine_token()
    s.stop()
    db = sqlite3.connect(os.path.join(s.data, "mereau.db"))
    (client, tenant, first, expires) = db.execute("SELECT client_id, tenant_id, id, expires_s FROM token WHERE status_index IS NOT NULL").fetchone()
    (status,) = db.execute("SELECT status_index FROM token WHERE id = ?", (first,)).fetchone()
    with db:
        db.executemany("INSERT INTO token (tenant_id, id, kind, hash, client_id, scope, audience, issued_s, expires_s, status_index)"
                       " VALUES (?, ?, 'a', ?, ?, 'orders.read', 'x', 0, ?, ?)",
                       ((tenant, first - 200000 + i, os.urandom(32), client, expires, (status & ~0xffff) - 65536 + i) for i in range(60000)))
        db.execute("INSERT INTO status_list (tenant_id, list, opened_id, opened_s, expires_s) VALUES (?, ?, ?, 0, ?)",
                   (tenant, (status >> 16) - 1, first - 300000, expires + 1000))
    db.close()
    s.start()
    other = next(u for u in s.get("/status").json()["status_lists"] if u != place(t)[0])
    assert not any(read_list(s, other)[1])
    s.cli("client", "disable", "joblist")
    end = time.monotonic() + SOON * mereau.SLOW
    while sum(b.bit_count() for b in read_list(s, other)[1]) < 60000:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert soon_revoked(s, t) and s.active(keep)


def test_marked_rows_stay_revoked_over_a_restart(fresh):
    s = fresh(tenant={"clients": CLIENTS})
    one, by_grant, by_client, live = job(s), tokens_of(s)["access_token"], job(s), tokens_of(s, "bob")["access_token"]
    s.revoke(one, JOB)
    s.cli("user", "disable", "ann")
    s.cli("client", "disable", "joblist")
    s.kill()
    s.start()
    for t in (one, by_grant, by_client):
        assert soon_revoked(s, t)
    assert not revoked(s, live)


# --- never twice ---


def test_no_place_is_given_twice(fresh):
    """A thousand tokens by many at once, over ends by kill -9."""
    s = fresh(tenant={"clients": CLIENTS})
    places = []
    for _ in range(4):
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            places += [place(t) for t in pool.map(lambda _i: job(s), range(250))]
        s.kill()
        s.start()
    twice = [p for p, n in collections.Counter(places).items() if n > 1]
    assert len(places) == 1000 and not twice
    assert len({uri for uri, _idx in places}) == 4


# --- backups ---


@mereau.sqlite_only
def test_what_a_restore_has_lost_is_revoked(fresh, tmp_path):
    s = fresh(tenant={"clients": CLIENTS})
    kept, dead = job(s), job(s)
    copy = str(tmp_path / "copy.db")
    s.cli("backup", copy)
    lost = job(s)
    s.revoke(dead, JOB)
    assert place(lost)[0] == place(kept)[0]
    s.stop()
    s.cli("restore", copy, "--force")
    s.start()
    assert s.active(kept) and not s.active(lost) and not s.active(dead)
    assert not revoked(s, kept) and revoked(s, lost) and revoked(s, dead)
    new = job(s)
    assert place(new)[0] != place(kept)[0] and not revoked(s, new)
    s.cli("client", "disable", "joblist")
    assert soon_revoked(s, kept)


# --- many verifiers ---


def test_many_ask_and_it_is_made_once_a_second(listed):
    uri = place(job(listed))[0]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = [r.text for r in pool.map(lambda _i: listed.get(path_of(listed, uri)), range(200))]
    assert len(set(answers)) <= 8  # each signature is another


# --- introspection ---


def test_introspection_says_how_long_it_may_be_kept(fresh):
    s = fresh(tenant={"introspect_max_age": 30})
    t = s.machine_token()
    ask = lambda token: s.post("/introspect", {"token": token}, mereau.API).headers["Cache-Control"]  # noqa: E731
    assert ask(t) == "private, max-age=30"
    s.revoke(t, mereau.MACHINE)
    assert ask(t) == "no-store" and ask("nonsense") == "no-store"
    s.cli("client", "add", "brief", "client_secret=-", "grant_types=client_credentials", "scope=orders.read", "access_token_life=5s",
          stdin="a-secret-that-is-long-enough\n")
    short = s.machine_token(("brief", "a-secret-that-is-long-enough"))
    assert ask(short) in ["private, max-age=%d" % n for n in range(1, 6)]


def test_introspection_is_not_kept_unless_told(listed):
    r = listed.post("/introspect", {"token": listed.machine_token()}, mereau.API)
    assert r.json()["active"] and r.headers["Cache-Control"] == "no-store"
