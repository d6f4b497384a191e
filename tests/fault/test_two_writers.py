"""Two servers on one database, asked at the same moment: what happens once happens once, what is counted is counted, whoever is asked."""
import os
import re
import subprocess
import threading
import time

import pytest

import mereau

CALLERS = 50


def at_once(n, call):
    """call(i) from n threads let go together; the answers in order."""
    go, answers = threading.Barrier(n), [None] * n

    def work(i):
        go.wait()
        answers[i] = call(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return answers


def statuses(answers):
    return sorted(a.status_code for a in answers)


def test_A26_A27_a_code_is_used_once(pair):
    """Of 50 callers on two servers one gets tokens; and the replays end what it got."""
    pkce = mereau.Pkce()
    code = pair[0].browser("ann").code("web", pkce)
    answers = at_once(CALLERS, lambda i: pair[i % 2].token(mereau.WEB, grant_type="authorization_code", code=code, redirect_uri=mereau.CALLBACK, code_verifier=pkce.verifier))
    assert statuses(answers) == [200] + [400] * (CALLERS - 1)
    won = next(a for a in answers if a.status_code == 200).json()
    assert not pair[0].active(won["access_token"]) and not pair[1].active(won["access_token"])


def test_A34_a_refresh_token_has_one_successor(pair):
    """All callers within the grace window get the same one."""
    old = pair[0].tokens(scope="orders.read offline_access")["refresh_token"]
    answers = at_once(CALLERS, lambda i: pair[i % 2].refresh(old))
    assert statuses(answers) == [200] * CALLERS and len({a.json()["refresh_token"] for a in answers}) == 1


def test_A34_without_grace(strict_pair):
    old = strict_pair[0].tokens(scope="orders.read offline_access")["refresh_token"]
    answers = at_once(CALLERS, lambda i: strict_pair[i % 2].refresh(old))
    assert statuses(answers) == [200] + [400] * (CALLERS - 1)


def test_A33_reuse_ends_the_family_everywhere(strict_pair):
    a, b = strict_pair
    first = a.tokens(scope="orders.read offline_access")
    second = b.refresh(first["refresh_token"]).json()
    assert a.refresh(first["refresh_token"]).status_code == 400
    assert b.refresh(second["refresh_token"]).status_code == 400 and not b.active(second["access_token"]) and not a.active(second["access_token"])
    assert "refresh_reuse" in str(b.cli_json("audit", "list"))


def test_A40_an_assertion_is_used_once(pair):
    """A client's signed assertion with one jti, at both servers at once."""
    from jwcrypto import jwk, jwt
    key = jwk.JWK.generate(kty="EC", crv="P-256", kid="k1", use="sig", alg="ES256")
    a, b = pair
    a.cli("client", "add", "signer", "token_endpoint_auth_method=private_key_jwt", "grant_types=client_credentials", "scope=orders.read",
          "jwks=" + '{"keys":[%s]}' % key.export_public())
    for _ in range(3):
        now = int(time.time())
        assertion = jwt.JWT(header={"alg": "ES256", "kid": "k1"}, claims={"iss": "signer", "sub": "signer", "aud": a.url, "jti": os.urandom(8).hex(), "iat": now, "exp": now + 60})
        assertion.make_signed_token(key)
        text = assertion.serialize()
        answers = at_once(20, lambda i: pair[i % 2].post("/token", {  # noqa: B023
            "grant_type": "client_credentials", "client_assertion": text,  # noqa: B023
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}))
        assert statuses(answers) == [200] + [401] * 19, statuses(answers)


def test_A90_one_servers_clock_jumps(pg, fresh):
    """A server two years ahead, alone for a while, deletes nothing that lives; ids stay in order."""
    files = subprocess.run(["dpkg", "-L", "libfaketime"], capture_output=True, text=True, check=False).stdout.split()
    library = next((f for f in files if f.endswith("/libfaketimeMT.so.1")), None)
    if not library:
        pytest.skip("no libfaketime here")
    name = "jump%d" % time.monotonic_ns()
    subprocess.run(["psql", "-q", "-h", pg.dir, "-U", "postgres", "-c", "CREATE DATABASE " + name], check=True, stdout=subprocess.DEVNULL)
    a = fresh(server={"store": "postgresql://postgres@/%s?host=%s" % (name, pg.dir)})
    tokens = [a.machine_token() for _ in range(20)]
    grant = a.tokens(scope="orders.read offline_access")
    b = fresh(beside=a, env={"LD_PRELOAD": library, "FAKETIME": "+730d", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
    assert not b.active(tokens[0])
    revoked = a.machine_token()
    b.revoke(revoked, mereau.MACHINE)
    a.stop()
    time.sleep(4)  # b leads now
    assert b.machine_token()
    a.start()
    assert all(a.active(t) for t in tokens) and not a.active(revoked)
    assert a.refresh(grant["refresh_token"]).status_code == 200
    assert a.cli_json("audit", "verify")["ok"]


def test_guessing_is_counted_by_both(pair):
    """The free attempts are not twice as many with two servers."""
    browsers = [mereau.Browser(s) for s in pair * 10]
    answers = at_once(len(browsers), lambda i: browsers[i].sign_in("bob", "wrong-wrong-wrong"))
    assert statuses(answers) == [401] * 5 + [429] * 15, statuses(answers)


def test_keys_rotate_once(pair):
    a, b = pair
    a.cli("key", "rotate"), b.cli("key", "rotate", check=None)
    before = len(a.get("/jwks").json()["keys"])
    assert before == len(b.get("/jwks").json()["keys"])
    for s in pair:  # a published one waits: there is no second
        assert s.cli("key", "rotate", check=None).returncode != 0
    assert len(b.get("/jwks").json()["keys"]) == before


def change_password(browser, old, new):
    page = browser.get("/account").text.split("/account/password")[1]
    csrf = re.search(r'name="csrf" value="([^"]+)"', page).group(1)
    return browser.http.post(browser.server.url + "/account/password", data={"csrf": csrf, "old_password": old, "new_password": new}, timeout=60)


def test_sessions_end_with_the_password(pair):
    """A sign-in that verified the old password while it was being changed opens nothing that stays."""
    mine = pair[0].browser("ann")
    others = [mereau.Browser(s) for s in pair * 8]

    def work(i):
        if i == 0:
            return change_password(mine, mereau.PASSWORD, "another long password")
        return others[i - 1].sign_in("ann", mereau.PASSWORD)

    assert at_once(len(others) + 1, work)[0].status_code == 200
    assert not [o for o in others if o.get("/account").status_code == 200]
    assert mine.get("/account").status_code == 200


def test_first_starts_at_once(pg, fresh):
    """Two servers that start at the same moment on an empty database: with one key both come up and are one."""
    for _ in range(3):
        name = "first%d" % time.monotonic_ns()
        subprocess.run(["psql", "-q", "-h", pg.dir, "-U", "postgres", "-c", "CREATE DATABASE " + name], check=True, stdout=subprocess.DEVNULL)
        where = "postgresql://postgres@/%s?host=%s" % (name, pg.dir)
        one = fresh(start=False, server={"store": where})
        key = os.path.join(one.dir, "master.key")
        with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as f:
            f.write(os.urandom(32))
        one.config["server"]["master_key_file"] = key
        one.write_config(one.config)
        two = fresh(start=False, server={"store": where, "master_key_file": key, "issuer": one.url})
        for s in (one, two):
            s.start(wait=False)
        for s in (one, two):
            s.wait_ready()
        assert two.active(one.machine_token()) and one.active(two.machine_token())
        assert one.cli_json("audit", "verify")["ok"]
