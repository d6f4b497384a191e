"""Ways to more than one was given, each tried against the running server."""
import re

import pytest
import requests

import mereau
from mereau import PASSWORD

CLERK = {
    "roles": {"clerk": {"permissions": ["client.read", "client.write", "user.read", "user.write", "role.read", "role.write", "orders.read"]}},
    "users": [{"username": "carl", "password": PASSWORD, "roles": ["clerk"]}, {"username": "adam", "password": PASSWORD, "roles": ["admin"]}],
}


@pytest.fixture(scope="module")
def office():
    s = mereau.Mereau(tenant=CLERK, tenants={"other": {"users": [{"username": "olga", "password": PASSWORD, "roles": ["admin"]}]}})
    s.start()
    yield s
    s.close()


def call(server, key, method, path, json=None, prefix=""):
    return requests.request(method, server.url + prefix + "/v1/admin/" + path, json=json, timeout=20, headers={"Authorization": "Bearer " + key})


def clerk_key(server):
    return server.cli_json("apikey", "add", "carl", "clerk")["key"]


def own_key(server, username, permissions):
    """A key that a person makes for himself on My tokens; None: refused."""
    b = server.browser(username)
    csrf = re.search(r'name="csrf" value="([^"]+)"', b.get("/account").text.split("/account/keys")[1]).group(1)
    r = b.http.post(server.url + "/account/keys", data={"csrf": csrf, "name": "k", "permissions": permissions}, timeout=20)
    found = re.search(r"merp_[0-9A-Za-z]{49}", r.text)
    return found.group(0) if found else None


@pytest.mark.parametrize("username", ["adam", "bob"])
def test_an_administrator_makes_no_operators_key(office, username):
    assert own_key(office, username, "operator") is None
    key = own_key(office, username, "admin")
    assert call(office, key, "POST", "tenants", {"name": "mine"}).status_code == 403
    assert call(office, key, "GET", "users").status_code == 200


def test_a_clerk_makes_no_client_that_collects_permissions(office):
    key = clerk_key(office)
    client = {"client_id": "trap", "redirect_uris": ["https://trap.example/cb"], "first_party": True, "resources": [office.url]}
    for scope in ("admin", "orders.read user.write key.write", "operator"):
        r = call(office, key, "POST", "clients", dict(client, scope=scope))
        assert r.status_code == 403 and "scope" in r.text, scope
    assert call(office, key, "POST", "clients", dict(client, scope="orders.read user.write")).status_code == 201
    assert call(office, key, "PATCH", "clients/trap", {"scope": "admin"}).status_code == 403


def test_no_client_is_named_like_an_account(office):
    key = clerk_key(office)
    account = call(office, key, "GET", "users/ann").json()["id"]
    client = {"client_secret": "s" * 40, "grant_types": ["client_credentials"], "scope": "orders.read", "access_token_format": "jwt"}
    r = call(office, key, "POST", "clients", dict(client, client_id=account))
    assert r.status_code == 400 and "client_id" in r.text
    free = account[:-1] + ("A" if account[-1] != "A" else "B")
    assert call(office, key, "POST", "clients", dict(client, client_id=free)).status_code == 201


def test_no_person_is_named_like_a_client(office):
    r = call(office, clerk_key(office), "POST", "users", {"username": "Client:web"})
    assert r.status_code == 400 and "username" in r.text


def test_verify_believes_no_second_address(fresh):
    s = fresh(tenant={"forward_auth_hosts": ["app.example.com"]})
    b = s.browser("ann")

    def status(**headers):
        return b.get("/verify", headers={k.replace("_", "-"): v for k, v in headers.items()}).status_code
    assert status(X_Original_URL="https://app.example.com/x") == 200
    assert status(X_Forwarded_Host="app.example.com", X_Forwarded_Proto="https") == 200
    assert status(X_Original_URL="https://app.example.com/x", X_Forwarded_Host="app.example.com:8443") == 200
    assert status(X_Original_URL="https://app.example.com/x", X_Forwarded_Host="other.example.com", X_Forwarded_Proto="https") == 401
    assert status(X_Original_URL="https://other.example.com/x", X_Forwarded_Host="app.example.com", X_Forwarded_Proto="https") == 401


def test_a_clerk_does_not_touch_more_than_he_holds(office):
    """Without its permissions a role's holders were anybody's to take over; a client would do as told by another secret."""
    admin, key = office.cli_json("apikey", "add", "adam", "admin")["key"], clerk_key(office)
    secret = "s" * 40
    assert call(office, admin, "POST", "roles", {"name": "chief", "permissions": ["key.write"]}).status_code == 201
    assert call(office, admin, "POST", "users", {"username": "cleo", "password": PASSWORD, "roles": ["chief"]}).status_code == 201
    assert call(office, admin, "POST", "clients", {"client_id": "robot", "client_secret": secret, "grant_types": ["client_credentials"],
                                                   "permissions": ["key.write"]}).status_code == 201
    assert call(office, key, "PATCH", "roles/chief", {"permissions": []}).status_code == 403
    assert call(office, key, "DELETE", "roles/chief").status_code == 403
    assert call(office, key, "POST", "users/cleo/link").status_code == 403
    assert call(office, key, "POST", "users/cleo/keys", {"name": "k"}).status_code == 403
    assert call(office, key, "PUT", "clients/robot", {"client_secret": "t" * 40, "grant_types": ["client_credentials"]}).status_code == 403
    assert call(office, key, "POST", "clients/robot/disable").status_code == 403
    assert call(office, key, "DELETE", "clients/robot").status_code == 403
    assert office.token(("robot", secret), grant_type="client_credentials").status_code == 200
    assert call(office, admin, "DELETE", "clients/robot").status_code == 204


def test_a_key_and_a_session_stay_in_their_tenant(office):
    key = office.cli_json("apikey", "add", "adam", "admin")["key"]
    assert call(office, key, "GET", "users", prefix="/t/other").status_code == 401
    b = office.browser("adam")
    session = b.http.cookies.get_dict()["mereau"]
    r = office.get("/t/other/console", cookies={"mereau.other": session, "mereau": session})
    assert r.status_code == 303 and "/t/other/signin" in r.headers["Location"]
    assert office.get("/t/default/console", cookies={"mereau": session}).status_code == 404


def held_by(server, key, username, kind):
    items = call(server, key, "GET", "tokens?account=" + username).json()["items"]
    return [i["id"] for i in items if i["kind"] == kind]


def test_revoking_knows_rank(office):
    """Who may revoke may not sign those out who hold more than he does."""
    chief = office.cli_json("apikey", "add", "adam", "chief")["key"]
    assert call(office, chief, "POST", "roles", {"name": "guard", "permissions": ["token.read", "token.revoke", "orders.read"]}).status_code == 201
    for name, role in (("gus", "guard"), ("gil", "guard")):
        assert call(office, chief, "POST", "users", {"username": name, "password": PASSWORD, "roles": [role]}).status_code == 201
    guard = office.cli_json("apikey", "add", "gus", "guard")["key"]
    for name in ("adam", "gil"):
        office.browser(name)
    above, beside = held_by(office, guard, "adam", "session"), held_by(office, guard, "gil", "session")
    assert above and beside
    for node in above:
        assert call(office, guard, "DELETE", "tokens/session/" + node).status_code == 403
    keys = held_by(office, guard, "adam", "token")
    assert keys and call(office, guard, "DELETE", "tokens/token/" + keys[0]).status_code == 403
    assert held_by(office, guard, "adam", "session") == above
    assert call(office, guard, "DELETE", "tokens/session/" + beside[0]).status_code == 204
    assert held_by(office, guard, "gil", "session") == beside[1:]
    mine = held_by(office, guard, "gus", "token")
    assert call(office, guard, "DELETE", "tokens/token/" + mine[0]).status_code == 204


def test_a_second_account_takes_no_address_away(office):
    chief = office.cli_json("apikey", "add", "adam", "chief")["key"]
    person = {"username": "vera", "password": PASSWORD, "email": "vera@example.com", "email_verified": True}
    assert call(office, chief, "POST", "users", person).status_code == 201
    clerk = clerk_key(office)
    other = {"username": "vera2", "password": "another long enough one", "email": "vera@example.com"}
    assert call(office, clerk, "POST", "users", {**other, "email_verified": True}).status_code == 409
    assert call(office, clerk, "POST", "users", other).status_code == 201
    assert call(office, clerk, "PATCH", "users/vera2", {"email_verified": True}).status_code == 409
    assert mereau.Browser(office).sign_in("Vera@example.com").status_code == 303
