"""Every endpoint of the table is exercised somewhere in the flow tests, and refuses what it must refuse."""
import glob
import os
import re

import pytest
import requests

import mereau

HERE = os.path.dirname(os.path.abspath(__file__))


def operations(server):
    paths = server.get("/openapi.json").json()["paths"]
    return [(method, path, op) for path, ops in paths.items() for method, op in ops.items()]


def test_every_endpoint_has_a_flow_test(server):
    text = "".join(open(f, encoding="utf-8").read() for f in glob.glob(os.path.join(HERE, "*.py")) + glob.glob(os.path.join(HERE, "../fault/*.py")))
    missing = []
    for _method, path, op in operations(server):
        start = path.split("{")[0].rstrip("/") or "/"
        if start not in text:
            missing.append(op["operationId"] + " " + path)
    assert not missing


def test_unknown_paths_and_methods(server):
    assert server.get("/nothing").status_code == 404
    r = requests.delete(server.url + "/token", timeout=10)
    assert r.status_code == 405 and "POST" in r.headers["Allow"]
    assert server.get("/t/nobody/jwks").status_code == 404


def test_bearer_endpoints_want_a_token(server):
    for method, path, op in operations(server):
        if op["security"] == [{"bearer": []}]:
            r = requests.request(method, server.url + re.sub(r"\{\w+\}", "x", path), timeout=10)
            assert r.status_code == 401, (method, path, r.status_code)
            assert r.headers["WWW-Authenticate"].startswith("Bearer")
            assert r.headers["Content-Type"] == "application/problem+json"


def test_session_pages_lead_to_sign_in(server):
    for path in ("/account", "/console", "/console/clients", "/console/audit", "/console/keys", "/console/clients/object"):
        r = server.get(path)
        assert r.status_code == 303 and "/signin?continue=" in r.headers["Location"], path


@pytest.mark.parametrize("path", ["/signin", "/nothing", "/token", "/jwks", "/assets/style.css"])
def test_security_headers(server, path):
    r = server.get(path)
    assert r.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Request-Id" in r.headers
    if r.headers["Content-Type"].startswith("text/html"):  # A10
        assert "frame-ancestors 'none'" in r.headers["Content-Security-Policy"]
        assert r.headers["X-Frame-Options"] == "DENY"


def test_management_listener(server):
    assert requests.get(server.management + "/livez", timeout=5).text == "alive\n"
    assert requests.get(server.management + "/readyz", timeout=5).status_code == 200
    assert requests.get(server.management + "/healthz", timeout=5).status_code == 200
    server.machine_token()
    text = requests.get(server.management + "/metrics", timeout=5).text
    assert 'mereau_token_issued_total{grant="client_credentials",format="opaque"}' in text
    assert server.get("/livez").status_code == 404  # not on the public one
    assert requests.get(server.management + "/jwks", timeout=5).status_code == 404


def test_assets_and_root(server):
    r = server.get("/assets/mark.svg")
    assert r.status_code == 200 and r.headers["Content-Type"] == "image/svg+xml"
    assert server.get("/assets/mark.svg", headers={"If-None-Match": r.headers["ETag"]}).status_code == 304
    assert server.get("/assets/head.html").status_code == 404
    assert server.get("/").headers["Location"].endswith("/account")


def test_metadata_both_styles(fresh):
    s = fresh(tenants={"acme": {"clients": mereau.TENANT["clients"], "resources": mereau.TENANT["resources"]}})
    for base, paths in ((s.url, ["/.well-known/oauth-authorization-server"]),
                        (s.url + "/t/acme", ["/.well-known/oauth-authorization-server/t/acme", "/t/acme/.well-known/oauth-authorization-server"])):
        for path in paths:
            m = s.get(path).json()
            assert m["issuer"] == base
            for k in ("authorization_endpoint", "token_endpoint", "jwks_uri", "introspection_endpoint", "revocation_endpoint"):
                assert m[k].startswith(base + "/"), k
            assert m["code_challenge_methods_supported"] == ["S256"]
            assert m["authorization_response_iss_parameter_supported"] is True
            assert "keys" in s.get(m["jwks_uri"][len(s.url):]).json()
