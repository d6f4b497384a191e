"""The pages, as a browser without JavaScript sees them."""
import re

from mereau import CALLBACK, PASSWORD, Browser, Pkce, location_params


def test_sign_in_and_out(server):
    b = server.browser("ann")
    page = b.get("/account")
    assert page.status_code == 200 and "this browser" in page.text
    r = b.submit(page)  # the bar's form: sign out
    assert r.status_code == 303 and r.headers["Location"].endswith("/signout")
    assert "You are signed out" in b.get("/signout").text
    assert b.get("/account").status_code == 303


def test_wrong_password_stays_on_the_page(server):
    b = Browser(server)
    page = b.get("/signin")
    r = b.submit(page, username="ann", password="not it at all")
    assert r.status_code in (401, 403) and "wrong" in r.text and "password" in r.text
    assert 'value="ann"' in r.text
    r = b.submit(r, username="ann", password=PASSWORD)  # the page that came back works
    assert r.status_code == 303


def test_unknown_person_reads_the_same(server):
    texts = []
    for name in ("eve", "nobody-of-that-name"):
        b = Browser(server)
        r = b.submit(b.get("/signin"), username=name, password="not it at all")
        texts.append((r.status_code, re.sub(r'value="[^"]*"', "", re.sub(r"Request \w+", "", r.text))))
    assert texts[0] == texts[1]


def test_a09_redirect_after_password_is_303_and_cookie_flags(server):
    r = Browser(server).sign_in("ann")
    assert r.status_code == 303
    cookie = [c for c in r.raw.headers.getlist("Set-Cookie") if c.startswith("mereau=")][0]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie


def test_a15_forms_need_their_token(server):
    b = server.browser("ann")
    pkce = Pkce()
    page = b.authorize("third", pkce)
    assert page.status_code == 200 and "Third Party" in page.text
    assert b.submit(page, decision="allow", csrf="x" * 32).status_code == 403
    other = server.browser("eve")
    other_page = other.authorize("third", Pkce(), scope="offline_access")
    token = re.search(r'name="csrf" value="([^"]+)"', other_page.text.split("/consent")[1]).group(1)
    fields = re.search(r'action="[^"]*/consent".*?</form>', page.text, re.S).group(0)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', fields))
    r = b.http.post(server.url + "/consent", data={**hidden, "csrf": token, "decision": "allow"}, allow_redirects=False, timeout=20)
    assert r.status_code == 403
    s = Browser(server)
    s.get("/signin")
    assert s.http.post(server.url + "/signin", data={"username": "ann", "password": PASSWORD, "csrf": "0" * 32},
                       allow_redirects=False, timeout=20).status_code == 403


def consent_submit(b, page, decision):
    """The consent form is the second of the page (the bar has none there) or the first."""
    form = re.search(r'<form[^>]*action="([^"]*/consent)".*?</form>', page.text, re.S)
    import html
    hidden = {k: html.unescape(v) for k, v in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form.group(0))}
    return b.http.post(b.server.url + form.group(1), data={**hidden, "decision": decision}, allow_redirects=False, timeout=20)


def test_consent_deny_allow_and_remembered(server):
    b = server.browser("eve")
    pkce = Pkce()
    r = consent_submit(b, b.authorize("third", pkce, scope="offline_access"), "deny")
    assert r.status_code == 303
    p = location_params(r)
    assert p["error"] == "access_denied" and p["state"] == "s1" and p["iss"] == server.url
    r = consent_submit(b, b.authorize("third", pkce, scope="offline_access"), "allow")
    assert "code" in location_params(r)
    assert b.authorize("third", pkce, scope="offline_access").status_code == 303  # not asked again


def test_continue_leads_nowhere_else(server):
    for bad in ("https://evil.example/", "//evil.example", "/\\evil", "authorize\r\nX: y", "signout", "accountx"):
        r = server.get("/signin", params={"continue": bad})
        assert r.status_code == 400 and "Location" not in r.headers, bad


def test_my_tokens_lists_and_revokes(server):
    b = server.browser("ann")
    tokens = b.tokens(scope="orders.read offline_access")
    page = b.get("/account")
    assert page.text.count("orders.read") >= 1
    item = [f for f in re.findall(r'<form method="post" action="[^"]*/account/revoke">.*?</form>', page.text, re.S) if 'value="grant"' in f][0]
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', item))
    assert server.active(tokens["access_token"])
    for grant in [f for f in re.findall(r'<form method="post" action="[^"]*/account/revoke">.*?</form>', page.text, re.S) if 'value="grant"' in f]:
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', grant))
        assert b.http.post(server.url + "/account/revoke", data=hidden, allow_redirects=False, timeout=20).status_code == 303
    assert not server.active(tokens["access_token"])
    assert server.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert b.get("/account").status_code == 200
    # somebody else's id finds nothing
    eve = server.browser("eve")
    csrf = re.search(r'name="csrf" value="([^"]+)"', eve.get("/account").text.split("/account/")[1]).group(1)
    other = b.tokens(scope="orders.read offline_access")
    page = b.get("/account")
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"',
                             [f for f in re.findall(r'<form method="post" action="[^"]*/account/revoke">.*?</form>', page.text, re.S) if 'value="grant"' in f][0]))
    r = eve.http.post(server.url + "/account/revoke", data={**hidden, "csrf": csrf}, allow_redirects=False, timeout=20)
    assert r.status_code in (403, 404)
    assert server.active(other["access_token"])


def test_api_key_made_used_revoked(server):
    b = server.browser("ann")
    page = b.get("/account")
    form = re.search(r'action="[^"]*/account/keys">.*?</form>', page.text, re.S).group(0)
    csrf = re.search(r'name="csrf" value="([^"]+)"', form).group(1)
    r = b.http.post(server.url + "/account/keys", data={"csrf": csrf, "name": "ci", "permissions": "orders.read", "days": "7"}, timeout=20)
    key = re.search(r"merp_[0-9A-Za-z]{49}", r.text).group(0)
    assert "merp_" not in b.get("/account").text  # shown once
    v = server.get("/verify", headers={"Authorization": "Bearer " + key})
    assert v.status_code == 200 and v.headers["Remote-User"] == "ann"
    r = b.http.post(server.url + "/account/keys", data={"csrf": csrf, "name": "x", "permissions": "admin"}, timeout=20)
    assert r.status_code >= 400 and "merp_" not in r.text  # nobody gives himself more than he has


def test_password_change_signs_out_others(fresh):
    s = fresh()
    here, there = s.browser("ann"), s.browser("ann")
    page = here.get("/account")
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text.split("/account/password")[1]).group(1)
    r = here.http.post(s.url + "/account/password", data={"csrf": csrf, "old_password": "wrong wrong wrong", "new_password": "another long one"}, timeout=20)
    assert r.status_code >= 400
    r = here.http.post(s.url + "/account/password", data={"csrf": csrf, "old_password": PASSWORD, "new_password": "another long one"}, timeout=20)
    assert r.status_code == 200 and "changed" in r.text
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303
    assert s.browser("ann", "another long one")


def test_reset_link_works_once_and_opening_changes_nothing(fresh):
    s = fresh()
    url = s.cli_json("user", "link", "ann")["url"]
    assert url.startswith(s.url + "/link/mer")
    b = Browser(s)
    assert b.get(url).status_code == 200 and Browser(s).get(url).status_code == 200
    r = b.submit(b.get(url), password="another long one")
    assert r.status_code == 303 and b.get("/account").status_code == 200
    assert Browser(s).get(url).status_code == 410  # A81
    assert s.browser("ann", "another long one")


def test_console_lists_edits_and_revokes(server):
    bob = server.browser("bob")
    assert "Clients" in bob.get("/console").text
    page = bob.get("/console/clients?search=machine")
    assert "machinejwt" in page.text and "third" not in page.text.split("<tbody>")[1]
    page = bob.get("/console/clients/object?_name=web")
    assert page.status_code == 200 and CALLBACK in page.text and "web-secret" not in page.text
    form = bob.get("/console/clients/object")
    csrf = re.search(r'name="_csrf" value="([^"]+)"', form.text).group(1)
    r = bob.http.post(server.url + "/console/clients/object", timeout=20, data={
        "_csrf": csrf, "client_id": "made", "client_name": "Made here", "redirect_uris": "https://a.example/cb\nhttps://b.example/cb",
        "grant_types": "authorization_code\nrefresh_token", "scope": "orders.read", "require_pkce": "true", "store_access_tokens": "true"})
    assert r.status_code == 200, r.text
    assert re.search(r"merc_[0-9A-Za-z]{49}", r.text)
    assert "Made here" in bob.get("/console/clients/object?_name=made").text
    action = re.search(r'name="csrf" value="([^"]+)"', r.text.split("/console/clients/action")[1]).group(1)
    r = bob.http.post(server.url + "/console/clients/action", data={"csrf": action, "name": "made", "action": "remove"}, timeout=20, allow_redirects=False)
    assert r.status_code == 303
    assert "made" not in bob.get("/console/clients?search=made").text.split("<tbody>")[1]
    assert bob.get("/console/audit").status_code == 200 and "object.removed" in bob.get("/console/audit").text
    assert bob.get("/console/keys").status_code == 200


def test_console_is_closed_to_others(server):
    ann = server.browser("ann")
    assert ann.get("/console/clients").status_code == 403
    assert ann.get("/console/audit").status_code == 403
    assert "Console" not in ann.get("/account").text


def test_browsers_have_names_people_know(server):
    b = Browser(server)
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
    b.http.headers["User-Agent"] = agent
    assert b.sign_in("ann").status_code == 303
    page = b.get("/account").text
    assert "Chrome on Linux" in page and 'title="%s"' % agent in page
