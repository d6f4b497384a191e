"""GET /verify: what nginx auth_request, Traefik and Caddy ask; with a real nginx in front of a page."""
import os
import shutil
import subprocess
import time

import pytest
import requests

import mereau


def bearer(token):
    return {"Authorization": "Bearer " + token}


def test_token_and_scopes(server):
    t = server.tokens(scope="orders.read")["access_token"]
    r = server.get("/verify", headers=bearer(t))
    assert r.status_code == 200 and r.headers["Remote-User"] == "ann" and r.headers["Remote-Email"] == "ann@example.com"
    assert r.headers["X-Auth-Request-User"] == "ann" and "support" in r.headers["Remote-Groups"]
    assert server.get("/verify?scope=orders.read", headers=bearer(t)).status_code == 200
    r = server.get("/verify?scope=orders.write", headers=bearer(t))
    assert r.status_code == 403 and "insufficient_scope" in r.headers["WWW-Authenticate"]
    r = server.get("/verify")
    assert r.status_code == 401 and r.headers["WWW-Authenticate"].startswith("Bearer")
    assert server.get("/verify", headers=bearer(t[:-1] + ("y" if t[-1] == "x" else "x"))).status_code == 401
    server.revoke(t)
    assert server.get("/verify", headers=bearer(t)).status_code == 401


def test_session_cookie_for_named_hosts(fresh):
    s = fresh(tenant={"forward_auth_hosts": ["app.example"]})
    b = s.browser("ann")
    assert b.get("/verify", headers={"X-Original-URL": "https://app.example/page"}).headers["Remote-User"] == "ann"
    assert b.get("/verify", headers={"X-Original-URL": "https://evil.example/page"}).status_code == 401
    assert b.get("/verify").status_code == 401


@pytest.mark.parametrize("cookie", ["mereau=", "mereau=x", "mereau=mers_" + "0" * 49, "mereau=\xff", ";;;=", "mereau=mers_" + "0" * 5000])
def test_a85_malformed_cookie(server, cookie):
    r = server.get("/verify", headers={"Cookie": cookie.encode("latin-1")})
    assert r.status_code in (401, 400)


def test_a85_browsers_are_led_to_sign_in_only_for_known_hosts(fresh):
    s = fresh(tenant={"forward_auth_hosts": ["app.example"]})
    def ask(host, proto="https"):
        return s.get("/verify", headers={"Accept": "text/html", "X-Forwarded-Method": "GET", "X-Forwarded-Proto": proto, "X-Forwarded-Host": host,
                                         "X-Forwarded-Uri": "/page"})
    r = ask("app.example")
    assert r.status_code in (302, 303, 401)
    for host in ("evil.example", "app.example.evil.example", "a.B.example.com", "evil@app.example"):
        r = ask(host)
        assert r.status_code in (401, 403) and host not in r.headers.get("Location", "")


@pytest.mark.skipif(not shutil.which("nginx") and not os.path.exists("/usr/sbin/nginx"), reason="no nginx here")
def test_nginx_auth_request(server, tmp_path):
    port = mereau.free_port()
    app = mereau.free_port()
    (tmp_path / "html").mkdir()
    conf = tmp_path / "nginx.conf"
    conf.write_text("""
daemon off; pid %(d)s/pid; error_log %(d)s/error.log; worker_processes 1;
events { worker_connections 64; }
http {
  access_log off; client_body_temp_path %(d)s/b; proxy_temp_path %(d)s/p; fastcgi_temp_path %(d)s/f; uwsgi_temp_path %(d)s/u; scgi_temp_path %(d)s/s;
  server { listen 127.0.0.1:%(app)d; location / { return 200 "user=$http_remote_user"; } }
  server {
    listen 127.0.0.1:%(port)d;
    location / {
      auth_request /verify;
      auth_request_set $user $upstream_http_remote_user;
      proxy_set_header Remote-User $user;
      proxy_pass http://127.0.0.1:%(app)d;
    }
    location = /verify {
      internal;
      proxy_pass %(url)s/verify?scope=orders.read;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
    }
  }
}""" % {"d": tmp_path, "app": app, "port": port, "url": server.url})
    nginx = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(conf), "-p", str(tmp_path)], stderr=subprocess.DEVNULL)
    try:
        url = "http://127.0.0.1:%d/" % port
        for _ in range(100):
            try:
                requests.get(url, timeout=1)
                break
            except requests.RequestException:
                time.sleep(0.05)
        assert requests.get(url, timeout=5).status_code == 401
        t = server.tokens(scope="orders.read")["access_token"]
        r = requests.get(url, headers={**bearer(t), "Remote-User": "root"}, timeout=5)
        assert r.status_code == 200 and r.text == "user=ann"  # what the client sent is overwritten
        assert requests.get(url, headers=bearer(server.tokens(browser=server.browser("eve"), scope="offline_access")["access_token"]), timeout=5).status_code == 403
    finally:
        nginx.terminate()
        nginx.wait(timeout=10)
