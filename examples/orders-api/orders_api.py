#!/usr/bin/env python3
"""A small protected API, as a shop would write it. It knows nothing of mereau but the issuer's address: it verifies each
access token itself as a JWT (signature, issuer, audience, time), asks the issuer by introspection whether the token has been
revoked, and permits by scope.

usage: orders_api.py --issuer URL --audience URI --client-id ID --client-secret-file FILE [--port N]
"""
import argparse
import http.server
import json
import time

import requests
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.jose.errors import JoseError

ORDERS = [{"order": 1, "what": "three brass tokens"}, {"order": 2, "what": "a bell"}]


class Verifier:
    def __init__(self, args):
        self.issuer, self.audience = args.issuer, args.audience
        with open(args.client_secret_file, encoding="ascii") as f:
            self.auth = (args.client_id, f.read().strip())
        self.metadata = requests.get(self.issuer + "/.well-known/oauth-authorization-server", timeout=5).json()
        self.keys, self.keys_at = None, 0.0

    def key_set(self):
        if time.monotonic() - self.keys_at > 300:
            self.keys = JsonWebKey.import_key_set(requests.get(self.metadata["jwks_uri"], timeout=5).json())
            self.keys_at = time.monotonic()
        return self.keys

    def scopes(self, token):
        """The token's scopes, or a ValueError that says what is wrong with it."""
        try:
            claims = JsonWebToken(["ES256", "RS256", "EdDSA"]).decode(
                token, self.key_set(),
                claims_options={"iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": self.audience},
                                "exp": {"essential": True}})
            claims.validate(leeway=60)
        except (JoseError, ValueError) as e:
            raise ValueError("not a valid token of this issuer for this API: %s" % e) from e
        answer = requests.post(self.metadata["introspection_endpoint"], data={"token": token}, auth=self.auth, timeout=5).json()
        if not answer.get("active"):
            raise ValueError("the token is no longer active")
        return claims.get("scope", "").split()


class Orders(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    verifier = None

    def answer(self, status, body, **headers):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def permitted(self, scope):
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            self.answer(401, {"error": "an access token is needed"}, WWW_Authenticate="Bearer")
            return False
        try:
            scopes = self.verifier.scopes(token)
        except ValueError as e:
            self.answer(401, {"error": "invalid_token", "error_description": str(e)}, WWW_Authenticate='Bearer error="invalid_token"')
            return False
        if scope not in scopes:
            self.answer(403, {"error": "insufficient_scope", "scope": scope},
                        WWW_Authenticate='Bearer error="insufficient_scope", scope="%s"' % scope)
            return False
        return True

    def do_GET(self):
        if self.path != "/orders":
            self.answer(404, {"error": "not found"})
        elif self.permitted("orders.read"):
            self.answer(200, ORDERS)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.permitted("orders.write"):
            self.answer(201, {"order": 3})

    def log_message(self, *args):
        pass


def server(args):
    Orders.verifier = Verifier(args)
    return http.server.ThreadingHTTPServer(("127.0.0.1", args.port), Orders)


def arguments(argv=None):
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--issuer", required=True)
    p.add_argument("--audience", required=True)
    p.add_argument("--client-id", required=True)
    p.add_argument("--client-secret-file", required=True)
    p.add_argument("--port", type=int, default=8090)
    return p.parse_args(argv)


if __name__ == "__main__":
    s = server(arguments())
    print("orders API on http://127.0.0.1:%d/orders" % s.server_port, flush=True)
    s.serve_forever()
