"""Custom claims without code: templates, where they stand, what is protected, and the preview that issues nothing."""
import base64
import json

import pytest
import requests

import mereau

CLAIMS = [
    {"name": "mail", "value": "{user.email}", "tokens": ["access"]},
    {"name": "groups", "value": "{user.roles}", "tokens": ["access"]},
    {"name": "https://claims.example/tenant", "value": "{tenant.name}: {client.client_id} {{{user.username}}}", "tokens": ["access"]},
    {"name": "plan", "value": {"level": 3, "beta": True, "who": "{user.username}", "lang": "{user.locale}",
                               "list": ["fixed", "{user.locale}", "{user.email_verified}"]}, "tokens": ["access"]},
    {"name": "lang", "value": "{user.locale}", "tokens": ["access"]},
    {"name": "half", "value": "in {user.locale}", "tokens": ["access"]},
    {"name": "reader", "value": True, "tokens": ["access"], "scope": "orders.read"},
    {"name": "writer", "value": True, "tokens": ["access"], "scope": "orders.write"},
    {"name": "dept", "value": "{user.attributes.work.dept}", "tokens": ["access"]},
    {"name": "skills", "value": "{user.attributes.skills}", "tokens": ["access"]},
    {"name": "skilled", "value": "in {user.attributes.skills}, {user.attributes.level}", "tokens": ["access"]},
    {"name": "plan_of", "value": "{client.attributes.plan}", "tokens": ["access"]},
    {"name": "none", "value": "{user.attributes.nothing.at.all}", "tokens": ["access"]},
    {"name": "mine", "value": "{client.scope}", "tokens": ["access"], "clients": ["machine"]},
]


@pytest.fixture(scope="module")
def server():
    s = mereau.Mereau(tenant={"claims": CLAIMS, "users": [{"username": "ann", "attributes": {"work": {"dept": "R&D"}, "skills": ["c", "go"], "level": 3}}],
                              "clients": [{"client_id": c, "attributes": {"plan": "gold"}} for c in ("web", "webjwt")]})
    s.start()
    yield s
    s.close()


def payload(jwt):
    part = jwt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def check(claims, client):
    assert claims["mail"] == "ann@example.com"
    assert claims["groups"] == ["support"]
    assert claims["https://claims.example/tenant"] == "default: %s {ann}" % client
    assert claims["plan"] == {"level": 3, "beta": True, "who": "ann", "list": ["fixed", True]}
    assert not {"lang", "half", "writer", "mine"} & set(claims)
    assert claims["reader"] is True
    assert claims["dept"] == "R&D" and claims["skills"] == ["c", "go"] and claims["skilled"] == "in c go, 3"
    assert claims["plan_of"] == "gold" and "none" not in claims


def test_in_jwt_and_introspection(server):
    check(payload(server.tokens(client=("webjwt", mereau.WEB[1]))["access_token"]), "webjwt")
    check(server.introspect(server.tokens()["access_token"]), "web")


def test_clients_own_tokens(server):
    said = server.introspect(server.machine_token())
    assert said["mine"] == "orders.read orders.write" and said["writer"] is True
    assert "mail" not in said and "groups" not in said
    assert said["plan"]["list"] == ["fixed"] and "who" not in said["plan"]


def test_a_change_is_seen_by_the_next_token(server):
    server.cli("user", "set", "eve", "locale=de-AT", check=None)
    server.cli("claim", "add", "unit", "value=x {{ y }}", "tokens=access")
    assert server.introspect(server.machine_token())["unit"] == "x { y }"
    server.cli("claim", "set", "unit", 'value={"a": [1, 2]}')
    assert server.introspect(server.machine_token())["unit"] == {"a": [1, 2]}
    server.cli("claim", "disable", "unit")
    assert "unit" not in server.introspect(server.machine_token())
    server.cli("claim", "remove", "unit")


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "azp", "nonce", "auth_time", "acr", "amr",
                                  "at_hash", "c_hash", "sid", "cnf", "act", "status", "gid", "roles", "active", "token_type"])
def test_names_of_the_server_are_protected(server, name):
    r = server.cli("claim", "add", name, "value=x", "tokens=access", check=1)
    assert "server itself" in r.stderr


def test_standard_claims_are_free_in_access_tokens_alone(server):
    assert "tokens=access" in server.cli("claim", "add", "email", "value={user.email}", check=1).stderr
    server.cli("claim", "add", "email", "value={user.email}", "tokens=access")
    assert server.introspect(server.tokens()["access_token"])["email"] == "ann@example.com"
    server.cli("claim", "remove", "email")


@pytest.mark.parametrize("value", ["{user.password}", "{user.password_hash}", "{client.client_secret}", "{user.nothing}", "{user}", "{user.}", "{.email}",
                                   "{user.email", "user.email}", "{ user.email }", "{user.email.x}", "{server.key}", "{tenant.key}",
                                   '{"a": "{user.secret}"}', '["{"]', "[[[[[[[[[1]]]]]]]]]", "x" * 5000])
def test_templates_are_checked_when_written(server, value):
    assert "value" in server.cli("claim", "add", "bad", "value=" + value, check=1).stderr


def test_other_fields_are_checked(server):
    assert "tokens" in server.cli("claim", "add", "bad", "value=x", "tokens=refresh", check=1).stderr
    assert "scope" in server.cli("claim", "add", "bad", "value=x", "scope=a b", check=1).stderr
    assert "value" in server.cli("claim", "add", "bad", check=1).stderr


def test_attributes_are_objects(server):
    assert "attributes" in server.cli("user", "set", "eve", "attributes=[1]", check=1).stderr
    assert "attributes" in server.cli("user", "set", "eve", "attributes=plain", check=1).stderr
    assert "attributes" in server.cli("user", "set", "eve", 'attributes={"a": "%s"}' % ("x" * 9000), check=1).stderr
    server.cli("user", "set", "bob", 'attributes={"a": 1}', check=1)  # the file's
    assert "attributes" in server.cli("client", "add", "c9", "attributes=[1]", "token_endpoint_auth_method=none", check=1).stderr


def test_simulate(server):
    said = server.cli_json("token", "simulate", "--user", "ann", "--client", "web", "--scope", "orders.read")
    check(said["access_token"], "web")
    assert said["access_token"]["scope"] == "orders.read" and said["access_token"]["client_id"] == "web"
    text = server.cli("token", "simulate", "--client", "machine").stdout
    assert "access_token" in text and "mine: orders.read orders.write" in text
    server.cli("token", "simulate", "--user", "ann", check=2)
    assert "client" in server.cli("token", "simulate", "--client", "nobody", check=1).stderr
    assert "account" in server.cli("token", "simulate", "--client", "web", "--user", "nobody", check=1).stderr
    assert "scope" in server.cli("token", "simulate", "--client", "web", "--user", "ann", "--scope", "nothing", check=1).stderr
    assert server.cli("token", "simulate", "--client", "web", "--user", "ann", "--audience", "https://elsewhere.example", check=1).stderr


def test_simulate_api(server):
    key = server.cli_json("apikey", "add", "bob", "preview")["key"]
    head = {"Authorization": "Bearer " + key}
    r = requests.get(server.url + "/v1/admin/simulate", {"user": "ann", "client": "web", "scope": "orders.read"}, headers=head, timeout=10)
    assert r.status_code == 200, r.text
    check(r.json()["access_token"], "web")
    assert server.get("/v1/admin/simulate").status_code == 401
    weak = server.cli_json("apikey", "add", "ann", "preview")["key"]
    r = requests.get(server.url + "/v1/admin/simulate", {"user": "ann", "client": "web"}, headers={"Authorization": "Bearer " + weak}, timeout=10)
    assert r.status_code == 403
