"""jwk and jwt commands, without a server: every algorithm there and back with python3-jwcrypto, forms, options, refusals."""
import json
import os
import subprocess
import time

import pytest
from jwcrypto import jwe, jwk, jws
from jwcrypto.common import base64url_encode, json_encode

import mereau

SIG = {"HS256": [], "HS384": [], "HS512": [], "RS256": [], "RS384": [], "RS512": [], "PS256": [], "PS384": [], "PS512": [], "ES256": [], "ES384": [],
       "ES512": [], "ES256K": [], "EdDSA": []}
OCT = ["A128KW", "A192KW", "A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW"]
ECDH = ["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"]
PBES2 = ["PBES2-HS256+A128KW", "PBES2-HS384+A192KW", "PBES2-HS512+A256KW"]
ENCS = {"A128GCM": 128, "A192GCM": 192, "A256GCM": 256, "A128CBC-HS256": 256, "A192CBC-HS384": 384, "A256CBC-HS512": 512}
CLAIMS = '{"iss":"https://id.example","sub":"ann","aud":["api","web"]}'
PASSPHRASE = "correct horse battery staple"


class Box:
    """A directory and the binary in it."""

    def __init__(self, path):
        self.path = str(path)

    def file(self, name, text):
        path = os.path.join(self.path, name)
        with open(path, "wb" if isinstance(text, bytes) else "w") as f:
            f.write(text)
        return path

    def run(self, *args, stdin="", check=0, text=True):
        if text is False and isinstance(stdin, str):
            stdin = stdin.encode()
        r = subprocess.run([mereau.BINARY, *args], input=stdin, capture_output=True, text=text, timeout=60 * mereau.SLOW, cwd=self.path, check=False)
        assert r.returncode == check, "mereau %s: exit %d\n%s%s" % (" ".join(args), r.returncode, r.stdout, r.stderr)
        return r.stderr if check else r.stdout

    def new(self, alg, *options, name="key.json"):
        text = self.run("jwk", "new", alg, *options)
        self.file(name, text)
        return jwk.JWK.from_json(text)

    def json(self, *args, **kw):
        return json.loads(self.run(*args, "-o", "json", **kw))


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path)


def both_ways_signed(box, alg, key):
    token = box.run("jwt", "sign", "--key", "key.json", "--typ", "JWT", stdin=CLAIMS).strip()
    theirs = jws.JWS()
    theirs.allowed_algs = [alg]
    theirs.deserialize(token, key)
    assert theirs.payload.decode() == CLAIMS and json.loads(theirs.objects["protected"])["kid"] == key.kid
    made = jws.JWS(CLAIMS)
    made.allowed_algs = [alg]
    made.add_signature(key, alg, json_encode({"alg": alg, "kid": key.kid}))
    box.file("public.json", box.run("jwk", "public", "key.json") if key.has_public else key.export())
    assert box.json("jwt", "verify", "--key", "public.json", stdin=made.serialize(compact=True))["payload"]["sub"] == "ann"
    bad = token[:-8] + ("AAAAAAAA" if token[-8:] != "AAAAAAAA" else "BBBBBBBB")
    assert json.loads(subprocess.run([mereau.BINARY, "jwt", "verify", "--key", "public.json", "-o", "json"], input=bad, cwd=box.path, text=True,
                                     capture_output=True, check=False).stdout)["signature"] == "invalid"


@pytest.mark.parametrize("alg", SIG)
def test_signatures_round_trip(box, alg):
    both_ways_signed(box, alg, box.new(alg))


def test_ed448(box):
    both_ways_signed(box, "EdDSA", box.new("EdDSA", "--curve", "Ed448"))


def their_jwe(alg, enc, key, plain, header=None):
    token = jwe.JWE(plain.encode(), json_encode({"alg": alg, "enc": enc, **(header or {})}), algs=[alg, enc])
    token.add_recipient(key)
    return token.serialize(compact=True)


def their_plain(alg, enc, key, token):
    t = jwe.JWE(algs=[alg, enc])
    t.deserialize(token, key)
    return t.payload.decode()


def both_ways_encrypted(box, alg, enc, key):
    assert their_plain(alg, enc, key, box.run("jwt", "encrypt", "--key", "key.json", "--enc", enc, stdin=CLAIMS).strip()) == CLAIMS
    assert box.run("jwt", "decrypt", "--key", "key.json", stdin=their_jwe(alg, enc, key, CLAIMS, {"kid": key.kid})) == CLAIMS


@pytest.mark.parametrize("alg", OCT + ["RSA-OAEP", "RSA-OAEP-256"])
def test_key_management_round_trips(box, alg):
    both_ways_encrypted(box, alg, "A128CBC-HS256", box.new(alg))


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521", "X25519", "X448"])
@pytest.mark.parametrize("alg", ECDH)
def test_key_agreement_round_trips(box, alg, curve):
    both_ways_encrypted(box, alg, "A256GCM", box.new(alg, "--curve", curve))


@pytest.mark.parametrize("enc", ENCS)
def test_contents_round_trip(box, enc):
    both_ways_encrypted(box, "dir", enc, box.new("dir", "--bits", str(ENCS[enc])))


@pytest.mark.parametrize("alg", PBES2)
def test_passphrases_round_trip(box, alg):
    box.file("password", PASSPHRASE + "\n")
    token = box.run("jwt", "encrypt", "--password-file", "password", "--alg", alg, stdin=CLAIMS).strip()
    key = jwk.JWK(kty="oct", k=base64url_encode(PASSPHRASE))
    assert their_plain(alg, "A256GCM", key, token) == CLAIMS
    assert box.run("jwt", "decrypt", "--password-file", "password", stdin=token) == CLAIMS
    box.file("other", "another passphrase")
    assert "decryption failed" in box.run("jwt", "decrypt", "--password-file", "other", stdin=token, check=1)


def test_passphrases_are_no_arguments(box):
    assert "key" in box.run("jwt", "encrypt", stdin=CLAIMS, check=2)
    assert "--password" in box.run("jwt", "encrypt", "--password", "x", stdin=CLAIMS, check=2)


def test_rsa1_5_and_zip_have_errors_of_their_own(box):
    key = box.new("RSA-OAEP")
    box.file("plain.json", key.export(as_dict=False))
    token = their_jwe("RSA1_5", "A128CBC-HS256", key, CLAIMS)
    assert "RSA1_5" in box.run("jwt", "decrypt", "--key", "key.json", stdin=token, check=1)
    token = their_jwe("RSA-OAEP", "A128CBC-HS256", key, CLAIMS, {"zip": "DEF"})
    assert "zip" in box.run("jwt", "decrypt", "--key", "key.json", stdin=token, check=1)
    assert box.run("jwk", "new", "RSA1_5", check=1) and box.run("jwk", "new", "none", check=1)


def test_nested(box):
    box.new("ES256", name="sign.json")
    box.new("ECDH-ES+A256KW", name="enc.json")
    inner = box.run("jwt", "sign", "--key", "sign.json", stdin=CLAIMS).strip()
    outer = box.run("jwt", "encrypt", "--key", "enc.json", "--cty", "JWT", stdin=inner)
    assert box.json("jwt", "decrypt", "--key", "enc.json", stdin=outer)["cty"] == "JWT"
    opened = box.run("jwt", "decrypt", "--key", "enc.json", stdin=outer)
    assert box.json("jwt", "verify", "--key", "sign.json", stdin=opened)["payload"]["sub"] == "ann"


# --- forms ---

@pytest.mark.parametrize("form", ["flattened", "general"])
def test_json_forms_of_signatures(box, form):
    key = box.new("ES256")
    text = box.run("jwt", "sign", "--key", "key.json", "--form", form, stdin=CLAIMS)
    theirs = jws.JWS()
    theirs.deserialize(text, key)
    assert theirs.payload.decode() == CLAIMS
    assert box.json("jwt", "verify", "--key", "key.json", stdin=text)["valid"] is True
    made = jws.JWS(CLAIMS)
    made.add_signature(key, "ES256", json_encode({"alg": "ES256", "kid": key.kid}))
    assert box.json("jwt", "verify", "--key", "key.json", stdin=made.serialize())["valid"] is True


def test_general_form_has_several_signatures(box):
    keys = [box.new("ES256"), box.new("EdDSA")]
    box.file("set.json", json.dumps({"keys": [k.export(as_dict=True) for k in keys]}))
    text = box.run("jwt", "sign", "--key", "set.json", "--form", "general", stdin=CLAIMS)
    assert len(json.loads(text)["signatures"]) == 2
    box.run("jwt", "sign", "--key", "set.json", stdin=CLAIMS, check=1)
    for k in keys:
        box.file("one.json", k.export())
        assert box.json("jwt", "verify", "--key", "one.json", stdin=text)["valid"] is True


@pytest.mark.parametrize("form", ["flattened", "general"])
def test_json_forms_of_encryption(box, form):
    key = box.new("ECDH-ES+A128KW")
    box.file("aad", "more")
    text = box.run("jwt", "encrypt", "--key", "key.json", "--form", form, "--aad", "aad", stdin=CLAIMS)
    t = jwe.JWE()
    t.deserialize(text, key)
    assert t.payload.decode() == CLAIMS
    said = box.json("jwt", "decrypt", "--key", "key.json", stdin=text)
    assert said["plaintext"] == CLAIMS and said["aad"] == "more"


def test_detached_and_unencoded(box):
    box.new("ES256")
    box.file("body", "a.b$c")
    token = box.run("jwt", "sign", "--key", "key.json", "--detached", "--unencoded", "body").strip()
    assert ".." in token
    assert box.json("jwt", "verify", "--key", "key.json", "--payload", "body", stdin=token)["valid"] is True
    box.file("body", "a.b$d")
    box.run("jwt", "verify", "--key", "key.json", "--payload", "body", stdin=token, check=1)
    token = box.run("jwt", "sign", "--key", "key.json", "--detached", stdin="x").strip()
    box.file("body", "x")
    assert box.json("jwt", "verify", "--key", "key.json", "--payload", "body", stdin=token)["text"] == "x"


# --- verify and inspect ---

def test_verdicts(box):
    box.new("ES256")
    now = int(time.time())
    good = box.run("jwt", "sign", "--key", "key.json", "--life", "1h", stdin=CLAIMS)
    text = box.run("jwt", "verify", "--key", "key.json", "--issuer", "https://id.example", "--audience", "web", stdin=good)
    assert "verdict   valid" in text and "expires" in text and "in 59 min" in text or "in 60 min" in text
    for claims, why in (({"exp": now - 100}, "expired"), ({"nbf": now + 100}, "not valid yet"), ({"iat": now + 100}, "in the future")):
        token = box.run("jwt", "sign", "--key", "key.json", stdin=json.dumps(claims))
        r = subprocess.run([mereau.BINARY, "jwt", "verify", "--key", "key.json"], input=token, cwd=box.path, text=True, capture_output=True, check=False)
        assert r.returncode == 1 and why in r.stdout
    for option in (("--issuer", "https://other"), ("--audience", "other"), ("--typ", "at+jwt")):
        box.run("jwt", "verify", "--key", "key.json", *option, stdin=good, check=1)
    assert "NOT checked" in box.run("jwt", "inspect", stdin=good)
    assert box.json("jwt", "inspect", "--key", "key.json", stdin=good)["valid"] is True
    assert "ECDH-ES" in box.run("jwt", "inspect", stdin=their_jwe("ECDH-ES", "A128GCM", box.new("ECDH-ES", name="e.json"), "x"))


def test_wrong_use(box):
    box.new("ES256")
    assert "key" in box.run("jwt", "verify", stdin="x", check=2)
    assert "no token" in box.run("jwt", "verify", "--key", "key.json", stdin="nothing", check=1)
    assert "--form" in box.run("jwt", "sign", "--key", "key.json", "--form", "x", stdin="x", check=2)
    assert "--enc" in box.run("jwt", "encrypt", "--key", "key.json", "--enc", "x", stdin="x", check=2)
    assert "missing.json" in box.run("jwt", "sign", "--key", "missing.json", stdin="x", check=1)
    assert "--life" in box.run("jwt", "sign", "--key", "key.json", "--life", "1h", stdin="x", check=1)
    assert "--to" in box.run("jwk", "convert", "key.json", check=2)
    assert "--key" in box.run("jwt", "sign", "--help")


def test_a_key_verifies_with_its_own_algorithm_alone(box):  # A65
    box.new("RS256")
    box.file("public.pem", box.run("jwk", "convert", "--to", "pem", "--public", "key.json"))
    with open(os.path.join(box.path, "public.pem"), "rb") as f:
        secret = jwk.JWK(kty="oct", k=base64url_encode(f.read()))
    forged = jws.JWS(CLAIMS)
    forged.add_signature(secret, "HS256", json_encode({"alg": "HS256"}))
    box.run("jwt", "verify", "--key", "public.pem", stdin=forged.serialize(compact=True), check=1)
    token = box.run("jwt", "sign", "--key", "key.json", stdin=CLAIMS)
    box.run("jwt", "verify", "--key", "public.pem", "--alg", "PS256", stdin=token, check=1)
    assert box.run("jwt", "verify", "--key", "public.pem", stdin=token)


# --- keys ---

@pytest.mark.parametrize("alg,curve", [("ES256", None), ("ES384", None), ("ES512", None), ("ES256K", None), ("EdDSA", "Ed25519"), ("EdDSA", "Ed448"),
                                       ("PS256", None), ("ECDH-ES", "X25519"), ("ECDH-ES", "X448"), ("RSA-OAEP-256", None)])
def test_conversions(box, alg, curve):
    key = box.new(alg, *(["--curve", curve] if curve else []))
    thumb = box.run("jwk", "thumbprint", "key.json").strip()
    assert thumb == key.thumbprint() == key.kid
    pem = box.run("jwk", "convert", "--to", "pem", "key.json")
    assert "PRIVATE KEY" in pem
    if alg != "ECDH-ES":  # jwcrypto does not read X25519 and X448 from PEM
        assert jwk.JWK.from_pem(pem.encode()).thumbprint() == thumb
    public = box.run("jwk", "convert", "--to", "pem", "--public", "key.json")
    assert "PUBLIC KEY" in public
    der = box.run("jwk", "convert", "--to", "der", "key.json", text=False)
    public_der = box.run("jwk", "convert", "--to", "der", "--public", "key.json", text=False)
    for text in (pem, public, der, public_der):
        box.file("other", text)
        back = json.loads(box.run("jwk", "convert", "--to", "jwk", "--alg", alg, "other"))
        assert jwk.JWK(**back).thumbprint() == thumb and ("d" in back) == (text in (pem, der))
    assert box.run("jwk", "thumbprint", "--uri", "key.json").strip() == "urn:ietf:params:oauth:jwk-thumbprint:sha-256:" + thumb
    assert set(json.loads(box.run("jwk", "public", "key.json"))) & {"d", "p", "q", "k"} == set()


def test_show_and_files(box):
    box.run("jwk", "new", "RS256", "--bits", "3072", "--kid", "mine", "--out", "k.json")
    assert os.stat(os.path.join(box.path, "k.json")).st_mode & 0o777 == 0o600
    assert "k.json" in box.run("jwk", "new", "RS256", "--out", "k.json", check=1)
    assert box.json("jwk", "show", "k.json")[0]["kid"] == "mine"
    text = box.run("jwk", "show", "k.json")
    assert "RS256" in text and "private" in text
    box.new("HS256")
    assert "secret" in box.run("jwk", "show", "key.json")
    assert box.run("jwk", "public", "key.json", check=1) and box.run("jwk", "convert", "--to", "pem", "key.json", check=1)
    for bad in ("", "{}", "[]", '{"kty":"oct"}', "-----BEGIN PUBLIC KEY-----\nAA\n", "\x00\x01"):
        box.file("bad", bad)
        assert "key" in box.run("jwk", "show", "bad", check=1)
