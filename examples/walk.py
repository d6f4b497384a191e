#!/usr/bin/env python3
"""The five steps of a token's life, over HTTP, against a running server: each request, its answer, and what it means.

usage: walk.py --issuer URL --secrets DIR
"""
import argparse
import base64
import hashlib
import html
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import urllib.parse

import requests

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "orders-api"))
import orders_api  # noqa: E402

COLOUR = sys.stdout.isatty()
CALLBACK = "http://127.0.0.1:53682/callback"
failures = []


def paint(code, text):
    return "\033[%sm%s\033[0m" % (code, text) if COLOUR else text


def short(value, limit=110):
    value = str(value)
    return value if len(value) <= limit else value[:limit - 20] + " ... " + value[-12:]


def title(text):
    print("\n" + paint("1", text))


def means(text):
    print("    " + paint("32", text))


def expect(ok, text):
    if not ok:
        failures.append(text)
        print("    " + paint("31", "NOT AS EXPECTED: " + text))


def show(response, note="", hide=()):
    """Prints one exchange; values of form fields in `hide` are masked."""
    r = response.request
    print("  %s %s" % (r.method, short(r.url, 150)))
    if r.headers.get("Authorization"):
        print("    Authorization: " + short(r.headers["Authorization"], 60))
    if r.body:
        body = r.body.decode() if isinstance(r.body, bytes) else r.body
        fields = [(k, "********" if k in hide else v) for k, v in urllib.parse.parse_qsl(body)]
        print("    " + short("&".join("%s=%s" % f for f in fields), 170))
    print("  -> %d %s" % (response.status_code, response.reason))
    if response.headers.get("Location"):
        print("    Location: " + short(response.headers["Location"], 150))
    kind = response.headers.get("Content-Type", "")
    if "json" in kind and response.content:
        for k, v in (response.json().items() if isinstance(response.json(), dict) else enumerate(response.json())):
            print("    %s: %s" % (k, short(v)))
    if note:
        means(note)


def form_fields(page):
    fields = {}
    for tag in re.findall(r"<input\b[^>]*>", page):
        a = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if a.get("type") == "hidden":
            fields[html.unescape(a["name"])] = html.unescape(a.get("value", ""))
    return fields


def header(token):
    """What a token in compact form says of itself; anybody can read that much."""
    part = token.split(".")[0]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()


def mereau(*args, stdin):
    """The command-line tools for tokens and keys; they need no server."""
    print("  mereau " + " ".join(args))
    r = subprocess.run([os.environ.get("MEREAU_BINARY", "mereau"), *args], input=stdin, capture_output=True, text=True, timeout=30, check=False)
    expect(r.returncode == 0, "mereau %s: %s" % (args[0], r.stderr.strip()))
    return r.stdout.strip()


def who_is_it(tokens, metadata, key):
    """The ID token: signed, then encrypted, so that only the shop can read what it says of the person."""
    print("  The ID token is two things, one inside the other. Outside, encrypted to the shop's key:")
    print("    " + short(header(tokens["id_token"]), 170))
    signed = mereau("jwt", "decrypt", "-", "--key", key, stdin=tokens["id_token"])
    print("    " + header(signed) + "   <- what was inside: signed by mereau")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as keys:
        keys.write(requests.get(metadata["jwks_uri"], timeout=10).text)
        keys.flush()
        claims = json.loads(mereau("jwt", "verify", "-", "--key", keys.name, "--issuer", metadata["issuer"], "--audience", "web", "-o", "json", stdin=signed) or "{}")
    claims = claims.get("payload", {})
    for name in ("sub", "nonce", "auth_time", "amr", "sid"):
        print("    %s: %s" % (name, claims.get(name)))
    means("Anybody can check the signature; only the shop's key opens the envelope.")
    r = requests.get(metadata["userinfo_endpoint"], headers={"Authorization": "Bearer " + tokens["access_token"]}, timeout=10)
    show(r, "And what the person lets the shop know, asked for with the access token.")
    expect(r.status_code == 200 and r.json()["sub"] == claims.get("sub"), "UserInfo speaks of the same person")


def verify_in_c(token, issuer, audience):
    """examples/verify.c, compiled here and now against the library that lies beside the binary."""
    here = os.path.dirname(os.path.abspath(__file__))
    library = os.path.join(os.path.dirname(os.environ.get("MEREAU_BINARY", "")), "libmereau.so.0")
    print("  The same in C, with libmereau; the program has %d lines:" % len(open(os.path.join(here, "verify.c"), encoding="utf-8").readlines()))
    print("  cc -o verify examples/verify.c $(pkg-config --cflags --libs libmereau)")
    with tempfile.TemporaryDirectory() as place:
        program = os.path.join(place, "verify")
        subprocess.run(["cc", "-o", program, os.path.join(here, "verify.c"), "-I", os.path.join(here, "..", "src", "lib"), library,
                        "-Wl,-rpath," + os.path.dirname(library)], check=True, timeout=60)
        print("  verify %s %s %s" % (issuer, audience, short(token, 60)))
        r = subprocess.run([program, issuer, audience, token, "127.0.0.1"], capture_output=True, text=True, timeout=30, check=False)
    print("".join("    %s\n" % line for line in (r.stdout + r.stderr).splitlines()), end="")
    expect(r.returncode == 0 and "may read orders: yes" in r.stdout, "the C program takes the token")


class Device:
    """A browser of the person, and the client application it uses there."""

    def __init__(self, issuer, metadata, web_secret, loud):
        self.issuer, self.metadata, self.loud = issuer, metadata, loud
        self.browser = requests.Session()
        self.auth = ("web", web_secret)

    def say(self, response, note="", hide=()):
        if self.loud:
            show(response, note, hide)

    def sign_in(self, username, password, scope):
        """Steps 1 and 2. Returns the token answer."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        state = secrets.token_urlsafe(12)
        r = self.browser.get(self.metadata["authorization_endpoint"], allow_redirects=False, params={
            "response_type": "code", "client_id": "web", "redirect_uri": CALLBACK, "scope": scope, "state": state, "nonce": secrets.token_urlsafe(12),
            "code_challenge": challenge, "code_challenge_method": "S256"})
        self.say(r, "The shop sends the browser to mereau. Nobody is signed in there yet, so mereau asks who this is.")
        page_url = urllib.parse.urljoin(r.url, r.headers["Location"])
        page = self.browser.get(page_url)
        self.say(page, "The sign-in page: the only place that ever sees the password.")
        r = self.post_form(page, {"username": username, "password": password},
                           "The password is right. The browser gets a session cookie and goes back to where it came from.")
        if r.status_code != 303:
            return None
        r = self.follow(r)
        if r.status_code == 200:  # the consent page
            r = self.post_form(r, {"decision": "allow"}, "The person allows the shop what it asks for.")
        while r.status_code == 303 and not r.headers["Location"].startswith(CALLBACK):
            r = self.follow(r)
        back = urllib.parse.parse_qs(urllib.parse.urlsplit(r.headers.get("Location", "")).query)
        expect(back.get("state") == [state] and back.get("iss") == [self.issuer] and "code" in back, "a code, with our state and the issuer")
        if self.loud:
            title("2  Issue: mereau creates the tokens and sends them to the application")
        r = requests.post(self.metadata["token_endpoint"], auth=self.auth, timeout=10, data={
            "grant_type": "authorization_code", "code": back.get("code", [""])[0], "redirect_uri": CALLBACK, "code_verifier": verifier})
        self.say(r, "The code, good for one minute and one use, buys an access token (a signed JWT, sent with each call), a refresh "
                    "token (kept, to get the next ones) and an ID token (an encrypted JWT: who has signed in).")
        expect(r.status_code == 200, "tokens")
        return r.json()

    def post_form(self, page, fields, note):
        action = re.search(r'<form\b[^>]*action="([^"]*)"', page.text)
        url = urllib.parse.urljoin(page.url, html.unescape(action.group(1)) if action else "")
        r = self.browser.post(url, data={**form_fields(page.text), **fields}, allow_redirects=False)
        self.say(r, note if r.status_code == 303 else "", hide=("password", "csrf"))
        return r

    def follow(self, response):
        r = self.browser.get(urllib.parse.urljoin(response.url, response.headers["Location"]), allow_redirects=False)
        self.say(r)
        return r

    def refresh(self, token):
        return requests.post(self.metadata["token_endpoint"], auth=self.auth, timeout=10,
                             data={"grant_type": "refresh_token", "refresh_token": token})

    def revoke(self, token):
        return requests.post(self.metadata["revocation_endpoint"], auth=self.auth, timeout=10, data={"token": token})


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--issuer", required=True)
    p.add_argument("--secrets", required=True, help="the folder with demo-password and the clients' secrets")
    args = p.parse_args()

    def secret(name):
        with open(os.path.join(args.secrets, name), encoding="ascii") as f:
            return f.read().strip()

    metadata = requests.get(args.issuer + "/.well-known/openid-configuration", timeout=10).json()
    api = orders_api.server(orders_api.arguments([
        "--issuer", args.issuer, "--audience", "https://orders.example", "--client-id", "orders-api",
        "--client-secret-file", os.path.join(args.secrets, "demo-api-secret"), "--port", "0"]))
    threading.Thread(target=api.serve_forever, daemon=True).start()
    api_url = "http://127.0.0.1:%d/orders" % api.server_port

    def call(token, method="GET"):
        return requests.request(method, api_url, headers={"Authorization": "Bearer " + token}, timeout=10)

    title("1  Authenticate: the person proves who it is, once")
    laptop = Device(args.issuer, metadata, secret("demo-web-secret"), loud=True)
    tokens = laptop.sign_in("demo", secret("demo-password"), "openid profile email orders.read offline_access")
    if not tokens:
        expect(False, "the demo person can sign in")
        return 1

    who_is_it(tokens, metadata, os.path.join(args.secrets, "demo-web-key"))

    title("3  Present: the application sends the token instead of the password")
    r = call(tokens["access_token"])
    show(r, "A small API of somebody else's: it has never seen the password, and the token was all it needed.")
    expect(r.status_code == 200, "the API answers")

    title("4  Verify and permit: genuine, live, for this audience; and what does it allow?")
    claims = orders_api.JsonWebToken(["ES256"]).decode(tokens["access_token"], orders_api.Orders.verifier.key_set())
    print("  The access token is signed: " + header(tokens["access_token"]))
    print("  The API checked it locally, with the public key from %s:" % metadata["jwks_uri"])
    for name in ("iss", "sub", "aud", "client_id", "scope", "exp"):
        print("    %s: %s" % (name, claims.get(name)))
    verify_in_c(tokens["access_token"], args.issuer, "https://orders.example")
    r = requests.post(metadata["introspection_endpoint"], auth=("orders-api", secret("demo-api-secret")),
                      data={"token": tokens["access_token"]}, timeout=10)
    show(r, "... and by introspection, which also knows of revocations.")
    expect(r.json().get("active") is True, "introspection says active")
    r = call(tokens["access_token"], "POST")
    show(r, "Genuine and live, but it allows reading only: writing is refused.")
    expect(r.status_code == 403, "refused by scope")

    title("5  Revoke: one device is lost, and only its tokens die")
    phone = Device(args.issuer, metadata, secret("demo-web-secret"), loud=False)
    other = phone.sign_in("demo", secret("demo-password"), "orders.read offline_access")
    print("  (the same person has signed in on a second device meanwhile)")
    r = laptop.revoke(tokens["refresh_token"])
    show(r, "The lost device's refresh token is revoked, and with it everything that came from it.")
    expect(r.status_code == 200, "revoked")
    r = call(tokens["access_token"])
    show(r, "Its access token stopped working at once.")
    expect(r.status_code == 401, "the revoked token is refused")
    r = laptop.refresh(tokens["refresh_token"])
    show(r, "It cannot get new ones.")
    expect(r.status_code == 400, "no refresh")
    r = call(other["access_token"]) if other else None
    if r is not None:
        show(r, "The other device goes on working.")
    expect(r is not None and r.status_code == 200, "the other device still works")
    again = Device(args.issuer, metadata, secret("demo-web-secret"), loud=False).sign_in("demo", secret("demo-password"), "orders.read")
    expect(bool(again), "the password still works")
    means("And the person's password still works: nothing else has changed.")

    print()
    if failures:
        print(paint("31", "%d of the steps did not go as expected:" % len(failures)), *failures, sep="\n  ")
        return 1
    print("All five steps went as they should.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
