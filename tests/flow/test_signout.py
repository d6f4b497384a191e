"""Signing out as OpenID Connect has it: asked for by a client, told to clients by the server and by the browser."""
import http.server
import json
import re
import threading
import time
import urllib.parse

import pytest
from jwcrypto import jwk, jwe, jwt

import mereau
from mereau import CALLBACK, WEB, location_params

BYE = "https://app.example/bye"
ENC = jwk.JWK.generate(kty="EC", crv="P-256", kid="out-enc", use="enc")


class Receiver:
    """A client's back-channel address; keeps what it is sent, and answers as it is told."""

    def __init__(self):
        self.tokens, self.answers = [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status = outer.answers.pop(0) if outer.answers else 200
                outer.tokens.append((self.path, urllib.parse.parse_qs(body)["logout_token"][0], status))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *a):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, path, n=1, seconds=20):
        end = time.monotonic() + seconds * mereau.SLOW
        while True:
            got = [t for t in self.tokens if t[0] == path and t[2] == 200]
            if len(got) >= n:
                return got
            assert time.monotonic() < end, self.tokens
            time.sleep(0.05)


def rp(client_id, receiver=None, **kw):
    back = {"backchannel_logout_uri": "http://127.0.0.1:%d/%s" % (receiver.port, client_id)} if receiver else {}
    return {"client_id": client_id, "client_secret": WEB[1], "redirect_uris": [CALLBACK], "first_party": True, "post_logout_redirect_uris": [BYE],
            "grant_types": ["authorization_code", "refresh_token"], "scope": "openid email offline_access", **back, **kw}


def config(r):
    return {"clients": [
        rp("plain"), rp("other"), rp("back", r, id_token_signed_response_alg="ES256"), rp("back2", r, subject_type="pairwise"),
        rp("backenc", r, jwks={"keys": [ENC.export_public(as_dict=True)]}, id_token_encrypted_response_alg="ECDH-ES"),
        rp("front", frontchannel_logout_uri="https://app.example/front?x=1", frontchannel_logout_session_required=True),
    ]}


@pytest.fixture(scope="module")
def receiver():
    return Receiver()


@pytest.fixture(scope="module")
def s(receiver):
    made = mereau.Mereau(tenant=config(receiver), server={"net": {"allow": ["127.0.0.1"]}})
    made.start()
    yield made
    made.close()


def keys(s):
    return jwk.JWKSet.from_json(s.get("/jwks").text)


def claims(s, text):
    return json.loads(jwt.JWT(jwt=text, key=keys(s), algs=["ES256", "RS256"]).claims)


def signout(b, **params):
    return b.get("/signout?" + urllib.parse.urlencode(params))


def is_signed_in(b):
    return b.get("/account").status_code == 200


def test_metadata(s):
    m = s.get("/.well-known/openid-configuration").json()
    assert m["end_session_endpoint"] == s.url + "/signout"
    assert m["backchannel_logout_supported"] and m["backchannel_logout_session_supported"]
    assert m["frontchannel_logout_supported"] and m["frontchannel_logout_session_supported"]


def test_by_hint(s):
    b = s.browser("ann")
    hint = b.tokens(("plain", WEB[1]), scope="openid")["id_token"]
    r = signout(b, id_token_hint=hint, post_logout_redirect_uri=BYE, state="a b&c")
    assert r.status_code == 303 and r.headers["Location"] == BYE + "?state=a%20b%26c"
    assert not is_signed_in(b)
    # again, with nobody signed in: the way back all the same
    assert signout(b, id_token_hint=hint, post_logout_redirect_uri=BYE).headers["Location"] == BYE
    r = signout(b, id_token_hint=hint)
    assert r.status_code == 200 and "You are signed out" in r.text


def test_without_hint_the_person_is_asked(s):
    b = s.browser("ann")
    r = signout(b, client_id="plain", post_logout_redirect_uri=BYE, state="x")
    assert r.status_code == 200 and "Sign out?" in r.text and is_signed_in(b)
    assert "form-action 'self' https://app.example" in r.headers["Content-Security-Policy"]
    r = b.submit(r)
    assert r.status_code == 303 and r.headers["Location"] == BYE + "?state=x" and not is_signed_in(b)


def test_A86_unregistered_places_and_foreign_requests(s):
    b = s.browser("ann")
    hint = b.tokens(("plain", WEB[1]), scope="openid")["id_token"]
    for params in ({"id_token_hint": hint, "post_logout_redirect_uri": "https://evil.example/"},
                   {"id_token_hint": hint, "post_logout_redirect_uri": BYE + "/x"},
                   {"post_logout_redirect_uri": BYE}, {"client_id": "plain", "post_logout_redirect_uri": "https://evil.example/"},
                   {"id_token_hint": hint, "client_id": "other"}, {"id_token_hint": "x.y.z"}, {"client_id": "nobody"}):
        r = signout(b, **params)
        assert r.status_code == 400 and "Location" not in r.headers, params
    assert is_signed_in(b)
    # a logout that somebody else starts is a question, never done
    assert signout(b).status_code == 200 and is_signed_in(b)
    r = b.http.post(s.url + "/signout", data={"id_token_hint": "", "confirm": "0" * 32}, allow_redirects=False)
    assert r.status_code == 403 and is_signed_in(b)


def test_another_persons_hint_is_a_question(s):
    other = s.browser("bob").tokens(("plain", WEB[1]), scope="openid")["id_token"]
    b = s.browser("ann")
    assert signout(b, id_token_hint=other, post_logout_redirect_uri=BYE).status_code == 200 and is_signed_in(b)
    same_person = s.browser("ann").tokens(("plain", WEB[1]), scope="openid")["id_token"]
    assert signout(b, id_token_hint=same_person).status_code == 200 and is_signed_in(b)  # of another session


def test_A63_access_token_is_no_hint(fresh, receiver):
    s = fresh(tenant={"clients": [rp("plain", access_token_format="jwt")]})
    b = s.browser("ann")
    r = signout(b, id_token_hint=b.tokens(("plain", WEB[1]), scope="openid")["access_token"])
    assert r.status_code == 400 and is_signed_in(b)


def test_by_form(s):
    b = s.browser("ann")
    hint = b.tokens(("plain", WEB[1]), scope="openid")["id_token"]
    r = b.http.post(s.url + "/signout", data={"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": "f"}, allow_redirects=False)
    assert r.status_code == 303, r.text
    assert b.get(r.headers["Location"]).headers["Location"] == BYE + "?state=f" and not is_signed_in(b)


def judge(s, token, client, id_token, **want):
    head = json.loads(jwt.JWT(jwt=token, key=keys(s), algs=["ES256", "RS256"]).header)
    c, i = claims(s, token), claims(s, id_token)
    assert head["typ"] == "logout+jwt"
    assert c["iss"] == s.url and c["aud"] == client and c["sub"] == i["sub"] and c["sid"] == i["sid"] and "nonce" not in c
    assert c["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}} and 0 < c["exp"] - c["iat"] <= 120 and c["jti"]
    for k, v in want.items():
        assert c[k] == v


def test_back_channel(s, receiver):
    b = s.browser("ann")
    one, two = (b.tokens((c, WEB[1]), scope="openid") for c in ("back", "back2"))
    b.tokens(("back", WEB[1]), scope="openid")  # twice in one session is once
    encrypted = b.tokens(("backenc", WEB[1]), scope="openid")["id_token"]
    receiver.tokens.clear()
    assert b.submit(signout(b)).status_code == 303
    judge(s, receiver.wait("/back")[0][1], "back", one["id_token"])
    judge(s, receiver.wait("/back2")[0][1], "back2", two["id_token"])
    e = jwe.JWE()
    e.deserialize(receiver.wait("/backenc")[0][1], ENC)
    inner = jwe.JWE()
    inner.deserialize(encrypted, ENC)
    judge(s, e.payload.decode(), "backenc", inner.payload.decode())
    time.sleep(1)
    assert len(receiver.tokens) == 3


@pytest.mark.parametrize("how", ["session", "disable", "remove", "password"])
def test_back_channel_whoever_ends_it(fresh, receiver, how):
    s = fresh(tenant=config(receiver), server={"net": {"allow": ["127.0.0.1"]}})
    s.cli("user", "add", "cal", "password=-", stdin=mereau.PASSWORD)
    who = "cal" if how == "remove" else "ann"
    b = s.browser(who)
    t = b.tokens(("back", WEB[1]), scope="openid")
    t2 = s.browser("bob").tokens(("back", WEB[1]), scope="openid")
    receiver.tokens.clear()
    if how == "session":
        sid = next(i for i in s.cli_json("token", "list", "ann") if i.get("kind") == "session")["id"]
        s.cli("token", "revoke", sid, "--session")
    elif how == "disable":
        s.cli("user", "disable", "ann")
    elif how == "remove":
        s.cli("user", "remove", "cal")
    else:
        other = s.browser("ann")
        page = other.get("/account")
        csrf = re.search(r'action="/account/password".*?name="csrf" value="([^"]+)"', page.text, re.S).group(1)
        r = other.http.post(s.url + "/account/password", data={"csrf": csrf, "old_password": mereau.PASSWORD, "new_password": "another long password"},
                            allow_redirects=False)
        assert r.status_code in (200, 303), r.text[:500]
    judge(s, receiver.wait("/back", seconds=40)[0][1], "back", t["id_token"])
    time.sleep(1)
    assert len(receiver.tokens) == 1 and claims(s, t2["id_token"])["sid"] != claims(s, receiver.tokens[0][1])["sid"]


def test_back_channel_survives_a_kill_and_an_absent_client(fresh, receiver):
    s = fresh(tenant=config(receiver), server={"net": {"allow": ["127.0.0.1"]}})
    b = s.browser("ann")
    t = b.tokens(("back", WEB[1]), scope="openid")
    receiver.tokens.clear()
    receiver.answers[:] = [503]
    b.submit(signout(b))
    end = time.monotonic() + 20 * mereau.SLOW
    while not receiver.tokens:
        assert time.monotonic() < end
        time.sleep(0.05)
    s.kill()
    s.start()
    judge(s, receiver.wait("/back", seconds=60)[0][1], "back", t["id_token"])


def test_back_channel_refused_is_not_tried_again(s, receiver):
    b = s.browser("ann")
    b.tokens(("back", WEB[1]), scope="openid")
    receiver.tokens.clear()
    receiver.answers[:] = [400]
    b.submit(signout(b))
    end = time.monotonic() + 20 * mereau.SLOW
    while "outbox.given_up" not in s.log_text():
        assert time.monotonic() < end, s.log_text()[-1000:]
        time.sleep(0.1)
    assert [t[2] for t in receiver.tokens] == [400]


def test_front_channel(s):
    b = s.browser("ann")
    t = b.tokens(("front", WEB[1]), scope="openid")
    r = signout(b, id_token_hint=t["id_token"], post_logout_redirect_uri=BYE, state="z")
    assert r.status_code == 200 and not is_signed_in(b)
    frame = re.search(r'<iframe[^>]* src="([^"]+)"', r.text).group(1).replace("&amp;", "&")
    parts = urllib.parse.urlsplit(frame)
    query = dict(urllib.parse.parse_qsl(parts.query))
    assert frame.startswith("https://app.example/front?x=1&") and query["iss"] == s.url and query["sid"] == claims(s, t["id_token"])["sid"]
    assert "frame-src https://app.example" in r.headers["Content-Security-Policy"]
    assert 'http-equiv="refresh" content="3; url=%s?state=z"' % BYE in r.text.replace("&amp;", "&")
    assert "frame-src" not in s.get("/signin").headers["Content-Security-Policy"]


def test_offline_grant_outlives_sign_out(s):
    b = s.browser("ann")
    t = b.tokens(("back", WEB[1]), scope="openid offline_access")
    b.submit(signout(b))
    again = s.refresh(t["refresh_token"], ("back", WEB[1]))
    assert again.status_code == 200
    assert location_params(s.browser().authorize("back", mereau.Pkce(), scope="openid", prompt="none"))["error"] == "login_required"
