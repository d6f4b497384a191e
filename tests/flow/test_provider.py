"""Outside sign-in: mereau as a client of another OpenID provider. The provider here is a small one of our own that can be told to
lie; the last tests take a second mereau in its place."""
import base64
import hashlib
import http.server
import json
import re
import secrets
import threading
import time
import urllib.parse

import pytest
import requests
from jwcrypto import jwk, jwt

import mereau
from mereau import CALLBACK, PASSWORD, Browser, Pkce, form_fields

CLIENT_ID, CLIENT_SECRET = "mereau here", "a secret: with/odd+letters%and=more"


class Provider:
    """An OpenID provider with one person. `change` edits the claims of the next ID token, `lie` what else is wrong."""

    def __init__(self):
        self.key = jwk.JWK.generate(kty="RSA", size=2048, kid="k1", alg="RS256", use="sig")
        self.codes, self.requests = {}, []
        self.person = {"sub": "248289761001", "name": "Ann Elsewhere", "preferred_username": "ann", "email": "ann@elsewhere.example",
                       "email_verified": True}
        self.reset()
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *a):
                pass

            def answer(self, status, body, **headers):
                text = json.dumps(body).encode()
                self.send_response(status)
                for k, v in {"Content-Type": "application/json", "Content-Length": str(len(text)), **headers}.items():
                    self.send_header(k.replace("_", "-"), v)
                self.end_headers()
                self.wfile.write(text)

            def do_GET(self):
                provider.requests.append(self.path)
                path = urllib.parse.urlsplit(self.path).path
                if path == "/.well-known/openid-configuration":
                    self.answer(200, provider.metadata(), Cache_Control="max-age=60")
                elif path == "/jwks":
                    self.answer(200, {"keys": [json.loads(provider.key.export_public())]}, Cache_Control="max-age=60")
                elif path == "/userinfo" and self.headers["Authorization"] == "Bearer at-1":
                    self.answer(200, {k: v for k, v in {**provider.last, **provider.userinfo}.items() if v is not None})
                else:
                    self.answer(404, {"error": "not_found"})

            def do_POST(self):
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.answer(*provider.token(self.headers, {k: v[0] for k, v in form.items()}))

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reset(self):
        self.change, self.header, self.meta, self.userinfo = {}, {}, {}, {}
        self.sign_with, self.raw, self.claims_in_token, self.fail, self.wait_s = None, None, True, None, 0

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def metadata(self):
        return {"issuer": self.issuer, "authorization_endpoint": self.issuer + "/authorize", "token_endpoint": self.issuer + "/token",
                "jwks_uri": self.issuer + "/jwks", "userinfo_endpoint": self.issuer + "/userinfo", "response_types_supported": ["code"],
                "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"], **self.meta}

    def authorize(self, location, person=None):
        """What its authorization endpoint answers a browser with: code and state."""
        q = {k: v[0] for k, v in urllib.parse.parse_qs(urllib.parse.urlsplit(location).query, strict_parsing=True).items()}
        assert location.startswith(self.issuer + "/authorize?")
        assert q["response_type"] == "code" and q["code_challenge_method"] == "S256" and q["client_id"] == CLIENT_ID
        assert len(q["nonce"]) >= 43 and "openid" in q["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = (q, {**self.person, **(person or {})})
        return {"code": code, "state": q["state"]}, q

    def token(self, headers, form):
        if self.wait_s:
            time.sleep(self.wait_s)
        if self.fail:
            return self.fail
        q, person = self.codes.pop(form.get("code"), (None, None))
        if not q or form["redirect_uri"] != q["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if "client_secret" in form:
            who = form["client_id"], form["client_secret"]
        else:
            plain = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode().split(":")
            who = tuple(urllib.parse.unquote_plus(p) for p in plain)
        if challenge != q["code_challenge"] or who != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        return 200, {"access_token": "at-1", "token_type": "Bearer", "expires_in": 60, "id_token": self.id_token(q, person)}

    def id_token(self, q, person):
        now = int(time.time())
        self.last = person
        claims = {"iss": self.issuer, "aud": q["client_id"], "nonce": q["nonce"], "iat": now, "exp": now + 300,
                  **(person if self.claims_in_token else {"sub": person["sub"]}), **self.change}
        claims = {k: v for k, v in claims.items() if v is not None}
        if self.raw:
            return self.raw(claims)
        t = jwt.JWT(header={"alg": "RS256", "kid": "k1", **self.header}, claims=claims)
        t.make_signed_token(self.sign_with or self.key)
        return t.serialize()


@pytest.fixture(scope="module")
def provider():
    p = Provider()
    yield p
    p.close()


@pytest.fixture(autouse=True)
def truth(provider):
    provider.reset()


def config(provider, **more):
    return {"name": "acme", "display_name": "ACME", "issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **more}


@pytest.fixture(scope="module")
def here(provider):
    s = mereau.Mereau(server={"net": {"allow": ["127.0.0.1"]}},
                      tenant={"providers": [config(provider), config(provider, name="maker", display_name="", link="create",
                                                                     token_endpoint_auth_method="client_secret_post")]})
    s.start()
    yield s
    s.close()


def begin(b, name="acme", next_=None):
    r = b.get(b.prefix + "/signin/with/" + name + ("?" + urllib.parse.urlencode({"continue": next_}) if next_ else ""))
    assert r.status_code == 303, r.text
    return r.headers["Location"]


def back(b, answer, name="acme"):
    return b.get(b.prefix + "/signin/back/" + name + "?" + urllib.parse.urlencode(answer))


def through(b, provider, name="acme", next_=None, person=None, **answer):
    """From the button to the answer's page."""
    sent, _ = provider.authorize(begin(b, name, next_), person)
    return back(b, {**sent, **answer}, name)


def link(b, provider, username, person=None, next_=None):
    """The first time: asked for the password, and linked by it."""
    r = through(b, provider, person=person, next_=next_)
    assert r.status_code == 303 and "/signin?link=" in r.headers["Location"], (r.status_code, r.headers)
    page = b.get(r.headers["Location"])
    assert "Link your ACME account" in page.text and "Continue with" not in page.text and "Sign in without linking" in page.text
    return b.submit(page, username=username, password=PASSWORD)


def signed_in(b):
    return b.get("/account").status_code == 200


def refused(r, *words):
    assert r.status_code in (400, 403, 404, 410, 502), (r.status_code, r.headers.get("Location"))
    assert "mereau=" not in r.headers.get("Set-Cookie", "")
    for w in words:
        assert w in r.text, (w, r.text)


def unlink_all(s, username):
    for item in s.cli_json("token", "list", username):
        if item["kind"] == "identity":
            s.cli("token", "revoke", item["id"], "--identity")


# --- as it should be ---

def test_first_link_then_straight_in(here, provider):
    page = Browser(here).get("/signin?continue=account")
    assert "Continue with ACME" in page.text and "Continue with maker" in page.text
    assert 'href="/signin/with/acme?continue=account"' in page.text
    b = Browser(here)
    r = link(b, provider, "ann", next_="account?x")
    assert r.status_code == 303 and r.headers["Location"] == "/account?x"
    page = b.get("/account")
    assert "Accounts elsewhere" in page.text and "ACME, 248289761001" in page.text
    other = Browser(here)
    old = other.http.cookies.get("mereau")
    r = through(other, provider, next_="account")
    assert r.status_code == 303 and r.headers["Location"] == "/account" and other.http.cookies.get("mereau") != old
    assert other.get("/account").status_code == 200
    assert "identity.linked" in here.cli("audit", "list").stdout
    unlink_all(here, "ann")


def test_whole_code_flow_and_a16_new_session(here, provider):
    b = Browser(here)
    link(b, provider, "ann")
    b = Browser(here)
    planted = "mers_" + "0" * 49
    b.http.cookies.set("mereau", planted)
    pkce = Pkce()
    r = b.authorize("web", pkce)
    assert "/signin?continue=" in r.headers["Location"]
    page = b.get(r.headers["Location"])
    href = re.search(r'href="(/signin/with/acme\?[^"]*)"', page.text).group(1).replace("&amp;", "&")
    sent, _ = provider.authorize(b.get(href).headers["Location"])
    r = back(b, sent)
    assert r.headers["Location"].startswith("/authorize?")
    assert "mereau=mers_" in r.headers["Set-Cookie"] and planted not in r.headers["Set-Cookie"]
    b.http.cookies.clear()
    b.http.cookies.update(r.cookies)
    r = b.get(r.headers["Location"])
    assert r.headers["Location"].startswith(CALLBACK + "?") and "code=" in r.headers["Location"]
    unlink_all(here, "ann")


def test_prompt_login_is_passed_on(here, provider):
    b = here.browser("ann")
    r = b.authorize("web", Pkce(), prompt="login")
    assert "/signin?continue=" in r.headers["Location"]
    next_ = urllib.parse.parse_qs(urllib.parse.urlsplit(r.headers["Location"]).query)["continue"][0]
    _, q = provider.authorize(begin(Browser(here), next_=next_))
    assert q["prompt"] == "login"
    _, q = provider.authorize(begin(Browser(here)))
    assert "prompt" not in q


def test_new_account_is_made(here, provider):
    provider.claims_in_token = False  # they come from UserInfo
    person = {"sub": "new-1", "preferred_username": "Zoe", "email": "zoe@elsewhere.example"}
    b = Browser(here)
    r = through(b, provider, "maker", person=person)
    assert r.status_code == 303 and r.headers["Location"] == "/account"
    user = here.cli_json("user", "show", "maker:zoe")
    assert user["name"] == "Ann Elsewhere" and user["email"] == "zoe@elsewhere.example"
    assert not user.get("email_verified") and not user.get("roles")
    assert through(Browser(here), provider, "maker", person=person).headers["Location"] == "/account"
    assert len([u for u in here.cli("user", "list").stdout.splitlines() if "maker:" in u]) == 1
    # the name is taken by then: another person of the same name there gets another one here
    assert through(Browser(here), provider, "maker", person={**person, "sub": "new-2", "email": None}).status_code == 303
    names = re.findall(r"maker:\S+", here.cli("user", "list").stdout)
    assert len(set(names)) == 2
    for n in set(names):
        here.cli("user", "remove", n)
    assert through(Browser(here), provider, "maker", person=person).status_code == 303  # the link went with the account
    here.cli("user", "remove", "maker:zoe")


def test_hostile_claims_of_a_new_account(here, provider):
    b = Browser(here)
    r = through(b, provider, "maker", person={"sub": "h1", "name": "A\u0001<b>", "email": "not an address", "preferred_username": "../../x y"})
    assert r.status_code == 303 and signed_in(b)
    name = re.search(r"maker:[0-9a-f]{20}", here.cli("user", "list").stdout).group(0)
    user = here.cli_json("user", "show", name)
    assert not user.get("name") and not user.get("email")
    here.cli("user", "remove", name)


def test_trusted_address(fresh, provider):
    s = fresh(server={"net": {"allow": ["127.0.0.1"]}}, tenant={"providers": [config(provider, link="create", trust_email=True)]})
    through(Browser(s), provider, person={"sub": "t1", "preferred_username": "tom", "email": "tom@elsewhere.example"})
    assert s.cli_json("user", "show", "acme:tom")["email_verified"] is True
    through(Browser(s), provider, person={"sub": "t2", "preferred_username": "tim", "email": "tim@elsewhere.example", "email_verified": "true"})
    assert not s.cli_json("user", "show", "acme:tim").get("email_verified")


def test_shown_and_removed_by_person_and_administrator(here, provider):
    b = Browser(here)
    link(b, provider, "eve")
    page = b.get("/account")
    form = [f for f in re.findall(r"<form\b.*?</form>", page.text, re.S) if 'value="identity"' in f][0]
    fields, action = form_fields(form)
    r = b.http.post(here.url + action, data=fields, allow_redirects=False, timeout=20)
    assert r.status_code == 303
    assert through(Browser(here), provider).headers["Location"].startswith("/signin?link=")
    assert "identity.unlinked" in here.cli("audit", "list").stdout
    link(Browser(here), provider, "eve")
    key = here.cli_json("apikey", "add", "bob", "k")["key"]
    auth = {"Authorization": "Bearer " + key}
    items = requests.get(here.url + "/v1/admin/tokens?account=eve", headers=auth, timeout=20).json()["items"]
    item = [i for i in items if i["kind"] == "identity"][0]
    assert item["what"] == "ACME, 248289761001"
    assert requests.delete(here.url + "/v1/admin/tokens/identity/" + item["id"], headers=auth, timeout=20).status_code == 204
    assert through(Browser(here), provider).headers["Location"].startswith("/signin?link=")
    # somebody else's link is not to be undone by a person's own page
    link(Browser(here), provider, "eve")
    theirs = [i for i in here.cli_json("token", "list", "eve") if i["kind"] == "identity"][0]
    bob = here.browser("bob")
    fields, action = form_fields([f for f in re.findall(r"<form\b.*?</form>", bob.get("/account").text, re.S) if "account/revoke" in f][0])
    r = bob.http.post(here.url + action, data={**fields, "kind": "identity", "id": theirs["id"]}, allow_redirects=False, timeout=20)
    assert r.status_code == 404
    unlink_all(here, "eve")


def test_secret_is_never_shown(here):
    text = here.cli("provider", "show", "acme", "-o", "json").stdout + here.cli("config", "export").stdout
    assert CLIENT_SECRET not in text and CLIENT_SECRET not in here.log_text()


@pytest.mark.parametrize("field,value", [("issuer", "ftp://x.example"), ("issuer", "https://x.example/?a=b"), ("issuer", "https://x.example/#f"),
                                         ("scope", "profile"), ("name", "Upper"), ("name", "client"), ("link", "always"),
                                         ("client_id", "caf\u00e9")])
def test_configuration_is_checked(here, provider, field, value):
    key = here.cli_json("apikey", "add", "bob", "k" + secrets.token_hex(4))["key"]
    doc = config(provider, name="another")
    r = requests.post(here.url + "/v1/admin/providers", json={**doc, field: value}, headers={"Authorization": "Bearer " + key}, timeout=20)
    assert r.status_code == 400 and field in r.text, r.text


def test_added_by_the_command_line(fresh, provider):
    s = fresh(server={"net": {"allow": ["127.0.0.1"]}})
    s.cli("provider", "add", "acme", "display_name=ACME", "issuer=" + provider.issuer, "client_id=" + CLIENT_ID, "client_secret=-", stdin=CLIENT_SECRET)
    assert s.cli_json("provider", "show", "acme")["link"] == "ask"
    assert link(Browser(s), provider, "ann").status_code == 303
    s.restart()
    assert through(Browser(s), provider).headers["Location"] == "/account"


def test_slow_provider_slows_nobody_else(here, provider):
    """While every sign-in elsewhere waits, all else goes on."""
    provider.wait_s = 2
    browsers = [Browser(here) for _ in range(12)]
    sent = [provider.authorize(begin(b))[0] for b in browsers]
    threads = [threading.Thread(target=back, args=a) for a in zip(browsers, sent)]
    for t in threads:
        t.start()
    time.sleep(0.3)
    start = time.monotonic()
    here.machine_token()
    assert here.get("/signin").status_code == 200
    assert time.monotonic() - start < 1.5 * mereau.SLOW
    for t in threads:
        t.join()


# --- A79 ---

def test_A79_address_of_somebody_here_never_links(here, provider):
    """ann@example.com is verified and ann's; the provider says so of somebody else, verified even."""
    person = {"sub": "thief", "email": "ann@example.com", "email_verified": True, "preferred_username": "ann"}
    b = Browser(here)
    r = through(b, provider, person=person)
    assert "/signin?link=" in r.headers["Location"] and not signed_in(b)
    refused_page = b.submit(b.get(r.headers["Location"]), username="ann", password="a guess of theirs")
    assert refused_page.status_code == 401 and "Link your ACME account" in refused_page.text and not signed_in(b)
    b = Browser(here)
    r = through(b, provider, "maker", person=person)
    assert r.status_code == 303 and signed_in(b)
    user = here.cli_json("user", "show", "maker:ann")
    assert user["username"] == "maker:ann" and not user.get("email")  # the address stays ann's alone
    assert here.browser("ann@example.com").get("/account").status_code == 200
    here.cli("user", "remove", "maker:ann")


def test_A79_mutable_address_changes_nothing(here, provider):
    """Linked once by (iss, sub), the address may say what it likes; another sub with the old address is nobody."""
    link(Browser(here), provider, "eve", person={"sub": "eve-there", "email": "eve@elsewhere.example"})
    b = Browser(here)
    through(b, provider, person={"sub": "eve-there", "email": "ann@example.com", "email_verified": True})
    assert signed_in(b) and "eve-there" in b.get("/account").text
    b = Browser(here)
    r = through(b, provider, person={"sub": "not-eve", "email": "eve@elsewhere.example", "email_verified": True})
    assert "/signin?link=" in r.headers["Location"] and not signed_in(b)
    unlink_all(here, "eve")


def test_A79_same_sub_of_another_issuer_is_another_person(fresh, provider):
    other = Provider()
    try:
        s = fresh(server={"net": {"allow": ["127.0.0.1"]}},
                  tenant={"providers": [config(provider), config(other, name="other", display_name="Other")]})
        link(Browser(s), provider, "ann")
        b = Browser(s)
        r = through(b, other, "other")
        assert "/signin?link=" in r.headers["Location"] and not signed_in(b)
    finally:
        other.close()


def test_A79_link_only_once_and_only_here(here, provider):
    """The pending identity belongs to the browser that brought it, and is used up by one sign-in."""
    thief = Browser(here)
    r = through(thief, provider, person={"sub": "thief-2"})
    where = r.headers["Location"]
    victim = Browser(here)
    victim.get("/signin")
    refused(victim.get(where), "another browser")
    page = victim.get("/signin?continue=account")
    fields, action = form_fields(page.text)
    ticket = urllib.parse.parse_qs(urllib.parse.urlsplit(where).query)["link"][0]
    r = victim.http.post(here.url + action, data={**fields, "link": ticket, "username": "ann", "password": PASSWORD},
                         allow_redirects=False, timeout=20)
    refused(r)
    assert not [i for i in here.cli_json("token", "list", "ann") if i["kind"] == "identity"]
    # and once
    page = thief.get(where)
    pre = thief.http.cookies.get("mereau-pre")
    assert thief.submit(page, username="eve", password=PASSWORD).status_code == 303
    again = Browser(here)
    again.http.cookies.set("mereau-pre", pre)
    r = again.submit(page, username="ann", password=PASSWORD)
    refused(r, "used or took too long")
    unlink_all(here, "eve")


# --- A82 ---

def test_A82_unsolicited_and_unknown(here, provider):
    b = Browser(here)
    refused(back(b, {"code": "x"}), "no sign-in that was begun here")
    refused(back(b, {"code": "x", "state": "merl_" + "0" * 49}))
    refused(back(b, {"code": "x", "state": "../../etc"}))
    refused(back(b, {"code": "x", "state": "s"}, "nobody"))
    assert b.get("/signin/with/nobody").status_code == 404
    assert b.get("/signin/with/acme?continue=https://evil.example/").status_code == 400
    r = b.get("/signin/back/acme?code=a&code=b&state=c")
    assert r.status_code == 400


def test_A82_replayed_state(here, provider):
    link(Browser(here), provider, "ann")
    b = Browser(here)
    location = begin(b)
    pre = b.http.cookies.get("mereau-pre")
    sent, q = provider.authorize(location)
    assert back(b, sent).headers["Location"] == "/account"
    b = Browser(here)
    b.http.cookies.set("mereau-pre", pre)
    fresh_code, _ = provider.authorize(location)
    refused(back(b, fresh_code), "used or took too long")
    assert not signed_in(b)
    unlink_all(here, "ann")


def test_A82_replayed_state_at_the_same_moment(here, provider):
    link(Browser(here), provider, "ann")
    b = Browser(here)
    location = begin(b)
    pre = b.http.cookies.get("mereau-pre")
    answers = []

    def go(sent):
        r = requests.get(here.url + "/signin/back/acme", params=sent, cookies={"mereau-pre": pre}, allow_redirects=False, timeout=20)
        answers.append(r.status_code)

    threads = [threading.Thread(target=go, args=(provider.authorize(location)[0],)) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert answers.count(303) == 1, answers
    unlink_all(here, "ann")


def test_A82_other_browser(here, provider):
    link(Browser(here), provider, "ann")
    attacker, victim = Browser(here), Browser(here)
    sent, _ = provider.authorize(begin(attacker))
    refused(back(victim, sent), "another browser")
    begin(victim)  # with a cookie of its own
    refused(back(victim, sent), "another browser")
    assert not signed_in(victim)
    assert back(attacker, sent).status_code == 303  # it was not used up by that
    unlink_all(here, "ann")


def test_A82_state_of_another_provider(here, provider):
    b = Browser(here)
    sent, _ = provider.authorize(begin(b, "acme"))
    refused(back(b, sent, "maker"))


def test_A82_provider_disabled_removed_or_made_anew_meanwhile(fresh, provider):
    s = fresh(server={"net": {"allow": ["127.0.0.1"]}})
    key = s.cli_json("apikey", "add", "bob", "k")["key"]
    auth = {"Authorization": "Bearer " + key}
    url = s.url + "/v1/admin/providers"
    requests.put(url + "/acme", json=config(provider), headers=auth, timeout=20)
    link(Browser(s), provider, "ann")
    b, late = Browser(s), Browser(s)
    sent, sent_late = provider.authorize(begin(b))[0], provider.authorize(begin(late))[0]
    assert requests.post(url + "/acme/disable", headers=auth, timeout=20).status_code < 300
    refused(back(b, sent))
    assert "ACME" not in b.get("/signin").text and b.get("/signin/with/acme").status_code == 404
    assert requests.post(url + "/acme/enable", headers=auth, timeout=20).status_code < 300
    refused(back(late, sent_late))  # what began before stays dead
    b = Browser(s)
    assert through(b, provider).headers["Location"] == "/account"
    b = Browser(s)
    sent = provider.authorize(begin(b))[0]
    assert requests.delete(url + "/acme", headers=auth, timeout=20).status_code == 204
    refused(back(b, sent))
    assert requests.put(url + "/acme", json=config(provider), headers=auth, timeout=20).status_code in (200, 201)
    refused(back(b, sent))
    assert through(Browser(s), provider).headers["Location"] == "/account"  # the links are by issuer and stay


def test_A82_wait_is_bound_to_the_provider_too(fresh, provider):
    s = fresh(server={"net": {"allow": ["127.0.0.1"]}}, tenant={"providers": [config(provider)]})
    b = Browser(s)
    where = through(b, provider).headers["Location"]
    page = b.get(where)
    s.cli("provider", "disable", "acme")
    refused(b.submit(page, username="ann", password=PASSWORD))


@pytest.mark.parametrize("answer,words", [({"error": "access_denied"}, "was cancelled"), ({"error": "server_error", "error_description": "<b>call 0900</b>"}, "try again later"),
                                          ({"code": ""}, "try again later")])
def test_A82_error_answers(here, provider, answer, words):
    b = Browser(here)
    sent, _ = provider.authorize(begin(b))
    if "error" in answer:
        sent.pop("code")
    r = back(b, {**sent, **answer})
    refused(r, words, 'href="/signin"')
    assert "0900" not in r.text
    refused(back(b, sent))  # used up


def test_A82_issuer_of_the_answer(here, provider):
    """RFC 9207: wrong, or missing though the metadata promises it."""
    link(Browser(here), provider, "ann")
    refused(through(Browser(here), provider, iss="https://evil.example"), "not from ACME")
    assert through(Browser(here), provider, iss=provider.issuer).status_code == 303
    unlink_all(here, "ann")


def test_A82_issuer_promised_and_missing(fresh, provider):
    provider.meta = {"authorization_response_iss_parameter_supported": True}
    s = fresh(server={"net": {"allow": ["127.0.0.1"]}}, tenant={"providers": [config(provider)]})
    refused(through(Browser(s), provider), "not from ACME")
    assert "/signin?link=" in through(Browser(s), provider, iss=provider.issuer).headers["Location"]


def hs256_with_public_key(p):
    def make(claims):
        pem = p.key.export_to_pem()
        secret = jwk.JWK(kty="oct", k=base64.urlsafe_b64encode(pem).rstrip(b"=").decode())
        t = jwt.JWT(header={"alg": "HS256", "kid": "k1"}, claims=claims)
        t.make_signed_token(secret)
        return t.serialize()
    return make


def unsigned(claims):
    def part(x):
        return base64.urlsafe_b64encode(json.dumps(x).encode()).rstrip(b"=").decode()
    return part({"alg": "none"}) + "." + part(claims) + "."


LIES = {
    "nonce": {"nonce": "another"}, "no nonce": {"nonce": None}, "iss": {"iss": "https://evil.example"}, "iss with slash": None,
    "aud": {"aud": "somebody else"}, "aud list without us": {"aud": ["a", "b"]}, "several aud, no azp": {"aud": [CLIENT_ID, "b"]},
    "azp": {"aud": [CLIENT_ID, "b"], "azp": "b"}, "expired": {"exp": int(time.time()) - 3600, "iat": int(time.time()) - 7200},
    "no exp": {"exp": None}, "from the future": {"iat": int(time.time()) + 86400, "exp": int(time.time()) + 90000}, "no sub": {"sub": None},
    "empty sub": {"sub": ""}, "sub number": {"sub": 17}, "long sub": {"sub": "x" * 256}, "sub with line break": {"sub": "a\nb"},
    "logout token": {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
}


@pytest.mark.parametrize("lie", sorted(LIES))
def test_A82_id_token_claims(here, provider, lie):
    link(Browser(here), provider, "ann")
    provider.change = LIES[lie] if LIES[lie] is not None else {"iss": provider.issuer + "/"}
    b = Browser(here)
    refused(through(b, provider), "trusted")
    assert not signed_in(b)
    provider.reset()
    assert through(b, provider).headers["Location"] == "/account"
    unlink_all(here, "ann")


def test_A82_id_token_signature(here, provider):
    link(Browser(here), provider, "ann")
    theirs = jwk.JWK.generate(kty="RSA", size=2048, kid="k1", alg="RS256")
    provider.raw = unsigned
    refused(through(Browser(here), provider), "trusted")
    provider.raw = hs256_with_public_key(provider)
    refused(through(Browser(here), provider), "trusted")
    provider.raw, provider.sign_with = None, theirs
    refused(through(Browser(here), provider), "trusted")
    provider.sign_with, provider.header = theirs, {"jwk": json.loads(theirs.export_public())}
    refused(through(Browser(here), provider))
    for garbage in ("", "x", "a.b.c", "x" * 20000):
        provider.raw, provider.header, provider.sign_with = (lambda _claims, g=garbage: g), {}, None
        refused(through(Browser(here), provider))
    unlink_all(here, "ann")


def test_userinfo_of_somebody_else(here, provider):
    provider.claims_in_token, provider.userinfo = False, {"sub": "another"}
    refused(through(Browser(here), provider, "maker", person={"sub": "u1"}), "trusted")
    assert "maker:" not in here.cli("user", "list").stdout


@pytest.mark.parametrize("fail", [(400, {"error": "invalid_grant"}), (500, {}), (200, []), (200, {"token_type": "Bearer"}), (302, {})])
def test_token_endpoint_fails(here, provider, fail):
    provider.fail = fail
    refused(through(Browser(here), provider))


# --- the provider's metadata, and the network ---

@pytest.mark.parametrize("meta", [{"issuer": "https://evil.example"}, {"issuer": None}, {"token_endpoint": None}, {"jwks_uri": "http://169.254.169.254/"},
                                  {"authorization_endpoint": "javascript:alert(1)"}, {"token_endpoint": "http://10.0.0.1/token"}])
def test_metadata_is_checked(fresh, provider, meta):
    provider.meta = meta
    s = fresh(server={"net": {"allow": ["127.0.0.1"]}}, tenant={"providers": [config(provider)]})
    r = Browser(s).get("/signin/with/acme")
    assert r.status_code == 502 and "ACME" in r.text and "be asked now" in r.text
    before = len(provider.requests)
    assert Browser(s).get("/signin/with/acme").status_code == 502
    assert len(provider.requests) == before  # not asked again at once


def test_A21_private_provider_is_not_called(fresh, provider):
    s = fresh(tenant={"providers": [config(provider)]})
    before = len(provider.requests)
    assert Browser(s).get("/signin/with/acme").status_code == 502
    assert len(provider.requests) == before


def test_metadata_and_keys_are_kept(here, provider):
    link(Browser(here), provider, "ann")
    before = list(provider.requests)
    for _ in range(3):
        assert through(Browser(here), provider).status_code == 303
    assert not [p for p in provider.requests[len(before):] if "well-known" in p or "jwks" in p]
    unlink_all(here, "ann")


# --- accounts ---

def test_disabled_account_stays_out(here, provider):
    link(Browser(here), provider, "eve")
    here.cli("user", "disable", "eve")
    b = Browser(here)
    refused(through(b, provider), "disabled")
    assert not signed_in(b)
    here.cli("user", "enable", "eve")
    assert through(Browser(here), provider).headers["Location"] == "/account"
    unlink_all(here, "eve")


def test_identity_of_one_account_is_not_anothers(here, provider):
    """Two browsers bring the same new identity; the second to prove an account gets a refusal."""
    a, b = Browser(here), Browser(here)
    pages = [x.get(through(x, provider, person={"sub": "two"}).headers["Location"]) for x in (a, b)]
    assert a.submit(pages[0], username="ann", password=PASSWORD).status_code == 303
    assert b.submit(pages[1], username="eve", password=PASSWORD).status_code == 409
    unlink_all(here, "ann")


def test_tenants_apart(fresh, provider):
    s = fresh(server={"net": {"allow": ["127.0.0.1"]}},
              tenants={"default": {"providers": [config(provider)]}, "t2": {"users": mereau.TENANT["users"][2:], "providers": [config(provider)]}})
    link(Browser(s), provider, "ann")
    b = Browser(s, prefix="/t/t2")
    sent, q = provider.authorize(begin(b))
    assert q["redirect_uri"] == s.url + "/t/t2/signin/back/acme"
    r = back(b, sent)
    assert r.headers["Location"].startswith("/t/t2/signin?link=")  # nobody there
    sent, _ = provider.authorize(begin(Browser(s, prefix="/t/t2")))
    refused(back(Browser(s), sent))


# --- a second mereau as the provider ---

def test_mereau_at_mereau(fresh):
    up = fresh(start=False)
    down = fresh(start=False, server={"net": {"allow": ["127.0.0.1"]}},
                 tenant={"providers": [{"name": "up", "issuer": up.url, "client_id": "down", "client_secret": "s" * 40, "link": "create"}]})
    up.config["tenants"]["default"]["clients"].append(
        {"client_id": "down", "client_secret": "s" * 40, "redirect_uris": [down.url + "/signin/back/up"], "first_party": True,
         "grant_types": ["authorization_code"], "scope": "openid profile email"})
    up.write_config(up.config)
    up.start()
    down.start()
    there, b = up.browser("ann"), Browser(down)
    r = there.get(begin(b, "up"))
    assert r.status_code == 303 and r.headers["Location"].startswith(down.url + "/signin/back/up?"), r.text
    r = b.get(r.headers["Location"])
    assert r.status_code == 303 and r.headers["Location"] == "/account", r.text
    user = down.cli_json("user", "show", "up:ann")
    assert user["name"] == "Ann" and not user.get("email")  # that address is the local ann's
    b = Browser(down)
    assert b.get(there.get(begin(b, "up")).headers["Location"]).headers["Location"] == "/account"
    assert len(re.findall(r"up:\S+", down.cli("user", "list").stdout)) == 1
