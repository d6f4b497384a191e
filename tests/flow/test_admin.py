"""/v1/admin: every kind of object through one set of addresses; /v1/admin/tokens, /v1/admin/audit, /v1/admin/keys."""
import pytest
import requests

import mereau


@pytest.fixture(scope="module")
def api(server):
    key = server.cli_json("apikey", "add", "bob", "admin")["key"]

    def call(method, path, json=None, **headers):
        return requests.request(method, server.url + "/v1/admin/" + path, json=json, timeout=20,
                                headers={"Authorization": "Bearer " + key, **{k.replace("_", "-"): v for k, v in headers.items()}})
    return call


def test_client_life(server, api):
    r = api("POST", "clients", {"client_id": "c1", "client_name": "One", "redirect_uris": ["https://one.example/cb"],
                                "grant_types": ["client_credentials"], "scope": "orders.read"})
    assert r.status_code == 201 and r.headers["Location"].endswith("/v1/admin/clients/c1")
    secret = r.json()["client_secret"]
    assert secret.startswith("merc_") and r.json()["managed_by"] == "api"
    assert api("POST", "clients", {"client_id": "c1"}).status_code == 409
    r = api("GET", "clients/c1")
    assert r.status_code == 200 and "client_secret" not in r.json()
    etag = r.headers["ETag"]
    t = server.machine_token(("c1", secret))
    r = api("PATCH", "clients/c1", {"client_name": "Two"}, If_Match=etag)
    assert r.status_code == 200 and r.json()["client_name"] == "Two" and r.json()["scope"] == "orders.read"
    assert api("PATCH", "clients/c1", {"client_name": "Three"}, If_Match=etag).status_code == 412
    assert server.active(t, ("c1", secret))
    assert api("POST", "clients/c1/disable").json()["disabled"] is True
    assert server.token(("c1", secret), grant_type="client_credentials").status_code == 401
    assert api("POST", "clients/c1/enable").json()["disabled"] is False
    assert not server.active(t, ("c1", secret))
    assert server.machine_token(("c1", secret))
    assert api("DELETE", "clients/c1").status_code == 204
    assert api("GET", "clients/c1").status_code == 404
    assert server.token(("c1", secret), grant_type="client_credentials").status_code == 401


@pytest.mark.parametrize("body,word", [
    ({"client_id": "x", "redirect_uri": ["https://a.example"]}, "redirect_uris"), ({"client_id": "x", "grant_types": "all"}, "grant_types"),
    ({"client_id": "x", "access_token_life": "soon"}, ""), ({"client_id": ""}, "client_id"), ({}, "client_id"),
    ({"client_id": "x", "access_token_format": "xml"}, "access_token_format"), ({"client_id": "a b"}, "client_id"),
    ({"client_id": "x", "client_secret": {"file": "/etc/passwd"}}, "client_secret"), ({"client_id": "x", "client_secret": {"env": "HOME"}}, "client_secret")])
def test_errors_name_the_field(api, body, word):
    r = api("POST", "clients", body)
    assert r.status_code == 400 and r.headers["Content-Type"] == "application/problem+json"
    assert word in r.text and r.json()["status"] == 400


def test_bodies(server, api):
    for text in ("{", "[]", '{"a":1,"a":2}', "\xff", "{" * 100):
        r = requests.post(server.url + "/v1/admin/clients", data=text.encode("latin-1"), timeout=20, headers={
            "Authorization": api("GET", "keys").request.headers["Authorization"], "Content-Type": "application/json"})
        assert r.status_code == 400, text
    r = requests.post(server.url + "/v1/admin/clients", data="client_id=x", timeout=20, headers={
        "Authorization": api("GET", "keys").request.headers["Authorization"], "Content-Type": "text/plain"})
    assert r.status_code == 415


def test_listing_pages_and_search(api):
    for i in range(7):
        assert api("POST", "users", {"username": "page%d" % i}).status_code == 201
    first = api("GET", "users?search=page&limit=3").json()
    assert [u["username"] for u in first["items"]] == ["page0", "page1", "page2"]
    second = api("GET", "users?search=page&limit=3&after=" + first["next"]).json()
    assert [u["username"] for u in second["items"]] == ["page3", "page4", "page5"]
    assert "next" not in api("GET", "users?search=page6").json()


def test_kinds_and_files_objects(api):
    for kind in ("tenants", "roles", "resources", "webhooks", "users", "service-accounts", "clients"):
        assert api("GET", kind).status_code == 200, kind
    assert api("GET", "nonsense").status_code == 404
    r = api("PATCH", "clients/web", {"client_name": "Changed"})
    assert r.status_code == 409 and "file" in r.text
    r = api("GET", "resources")
    assert api("GET", "resources/id:" + r.json()["items"][0]["id"]).json()["identifier"] == "https://orders.example"


def test_tokens_of_an_account(server, api):
    t = server.tokens(scope="orders.read offline_access")
    items = api("GET", "tokens?account=ann").json()["items"]
    grant = [i for i in items if i["kind"] == "grant"][-1]
    assert {"session", "grant"} <= {i["kind"] for i in items}
    for g in [i for i in items if i["kind"] == "grant"]:
        assert api("DELETE", "tokens/grant/" + g["id"]).status_code == 204
    assert not server.active(t["access_token"])
    assert api("DELETE", "tokens/grant/" + grant["id"]).status_code in (204, 404)
    assert api("DELETE", "tokens/grant/xyz").status_code == 404


def test_audit_and_keys(server, api):
    server.machine_token(("machinejwt", mereau.MACHINE[1]))
    assert api("GET", "keys").json()["items"][0]["alg"] == "ES256"
    assert len(api("POST", "keys/ES256").json()["items"]) == 2
    page = api("GET", "audit?limit=2").json()
    assert len(page["items"]) == 2 and page["next"]
    assert api("GET", "audit?limit=2&before=" + page["next"]).json()["items"][0] != page["items"][0]
    assert api("GET", "audit?event=key.made").json()["items"]
    assert "rows" in server.cli("audit", "verify").stdout


def test_nobody_gives_more_than_he_has(fresh):
    s = fresh(tenant={"roles": {"clerk": {"permissions": ["user.read", "user.write", "client.read", "client.write"]}},
                      "users": [{"username": "clerk", "password": mereau.PASSWORD, "roles": ["clerk"]}]})
    key = s.cli_json("apikey", "add", "clerk", "k")["key"]
    h = {"Authorization": "Bearer " + key}
    r = requests.post(s.url + "/v1/admin/users", json={"username": "friend", "roles": ["admin"]}, headers=h, timeout=20)
    assert r.status_code == 403
    r = requests.patch(s.url + "/v1/admin/users/eve", json={"roles": ["boss"]}, headers=h, timeout=20)
    assert r.status_code in (403, 409)
    assert requests.post(s.url + "/v1/admin/users", json={"username": "friend"}, headers=h, timeout=20).status_code == 201
    r = requests.post(s.url + "/v1/admin/clients", json={"client_id": "mine", "grant_types": ["client_credentials"], "permissions": ["token.introspect"]}, headers=h, timeout=20)
    assert r.status_code == 403
    assert requests.get(s.url + "/v1/admin/audit", headers=h, timeout=20).status_code == 403
    assert requests.get(s.url + "/v1/admin/tokens?account=ann", headers=h, timeout=20).status_code == 403
