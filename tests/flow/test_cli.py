"""Every command, through a running server and without one; exit codes, JSON, completion, manual pages."""
import json
import os
import re
import shutil
import stat
import subprocess
import time

import mereau
import pytest
import requests

LINK = re.compile(r"http://[^ \n]*/link/merl_[0-9A-Za-z]{49}")


def run(*args, **kw):
    return subprocess.run([mereau.BINARY, *args], capture_output=True, text=True, timeout=60 * mereau.SLOW, check=False, **kw)


def commands():
    r = run("--help")
    assert r.returncode == 0
    rows = [re.match(r"  ([a-z-]+(?: [a-z-]+)*)  +\S", line) for line in r.stdout.splitlines()]
    return [m.group(1) for m in rows if m]


def test_every_command_of_the_list_is_there():
    have = set(commands())
    want = {"serve", "doctor", "version", "backup", "restore", "migrate", "audit verify", "key list", "key rotate", "key master rotate"}
    want |= {"config " + w for w in ("check", "show", "diff", "apply", "export")}
    want |= {"token " + w for w in ("check", "inspect", "introspect", "revoke", "list")}
    want |= {"%s %s" % (k, v) for k in ("tenant", "client", "user", "role", "resource", "webhook", "service-account")
             for v in ("add", "list", "show", "set", "remove", "disable", "enable")}
    assert want <= have, want - have


@pytest.mark.parametrize("words", commands())
def test_help(words):
    r = run(*words.split(), "--help")
    assert r.returncode == 0 and r.stdout.startswith("usage: mereau " + words) and not r.stderr


@pytest.mark.parametrize("args", [("clint",), ("client", "nope"), ("client", "add"), ("client", "list", "--nope"), ("client", "list", "x"),
                                  ("version", "-o", "xml"), ("client", "list", "--tenant"), ("client", "list", "--limit", "0"), ("-x",)])
def test_wrong_usage_is_2(server, args):
    r = server.cli(*args, check=2)
    assert r.stderr and not r.stdout


def test_version():
    r = run("version")
    assert r.returncode == 0 and re.fullmatch(r"mereau \d+\.\d+\.\d+\n", r.stdout)
    assert run("--version").stdout == r.stdout
    assert json.loads(run("version", "-o", "json").stdout)["version"] in r.stdout


def test_manual_pages_are_those_of_the_tables():
    for section, name in ((8, "mereau.8"), (5, "mereau.yaml.5")):
        with open(os.path.join(mereau.ROOT, "docs", "man", name), encoding="utf-8") as f:
            assert f.read() == run("man", str(section)).stdout, "write it anew: mereau man %d > docs/man/%s" % (section, name)


def test_completion(tmp_path):
    script = tmp_path / "complete"
    script.write_text(run("completion", "bash").stdout + """
complete_words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _mereau 2>/dev/null; printf '%s\\n' "${COMPREPLY[@]}" | sort -u | tr '\\n' ' '; echo; }
complete_words mereau co
complete_words mereau key master ''
complete_words mereau client add x redirect
complete_words mereau serve --list
complete_words mereau token revoke --se
""")
    r = subprocess.run(["bash", str(script)], capture_output=True, text=True, check=True)
    assert r.stdout.splitlines() == ["completion config ", "rotate ", "redirect_uris= ", "--listen ", "--session "]


KINDS = {"role": ("auditors", ["permissions=a.read,b.read"], ["description=text"]),
         "client": ("c1", ["grant_types=client_credentials", "scope=a b"], ["client_name=C"]),
         "resource": ("https://r.example", ["scopes=x"], ["description=text"]),
         "webhook": ("hook", ["url=https://hooks.example/x", "events=*"], ["events=token.revoked"]),
         "user": ("carl", ["email=carl@example.com"], ["name=Carl"]),
         "service-account": ("robot9", [], ["name=Robot"]),
         "tenant": ("other", [], ["display_name=Other"])}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("running", [True, False])
def test_objects(fresh, kind, running):
    s = fresh()
    if not running:
        s.stop()
    name, fields, change = KINDS[kind]
    secret = "0123456789abcdef0123456789abcdef\n" if kind == "webhook" else None
    if secret:
        fields = fields + ["secret=-"]
    s.cli(kind, "add", name, *fields, stdin=secret)
    assert "already" in s.cli(kind, "add", name, *fields, stdin=secret, check=1).stderr
    shown = s.cli_json(kind, "show", name)
    assert shown["managed_by"] == "api" and name in shown.values()
    assert name in s.cli(kind, "list").stdout and name in [v for o in s.cli_json(kind, "list") for v in o.values() if isinstance(v, str)]
    s.cli(kind, "set", name, *change)
    key, value = change[0].split("=")
    after = s.cli_json(kind, "show", name)
    assert after[key] in (value, [value]) and after["version"] == shown["version"] + 1
    assert "as it was" in s.cli(kind, "set", name, *change).stdout
    s.cli(kind, "disable", name)
    assert s.cli_json(kind, "show", name)["disabled"] is True
    s.cli(kind, "enable", name)
    assert s.cli_json(kind, "show", name)["disabled"] is False
    s.cli(kind, "remove", name)
    assert s.cli(kind, "show", name, check=1).stderr
    assert s.cli(kind, "remove", name, check=1).stderr
    assert s.cli("audit", "verify").stdout.startswith("the audit trail is whole")


def test_unknown_field_and_bad_value(server):
    assert "nope" in server.cli("client", "add", "x", "nope=1", check=2).stderr
    assert "true or false" in server.cli("client", "add", "x", "first_party=maybe", check=2).stderr
    assert "FIELD=VALUE" in server.cli("client", "add", "x", "first_party", check=2).stderr
    assert "access_token_format" in server.cli("client", "add", "x", "access_token_format=paper", check=1).stderr
    server.cli("client", "show", "x", check=1)


def test_secrets_come_on_standard_input(server):
    assert "standard input" in server.cli("user", "add", "dora", "password=plain-on-argv", check=2).stderr
    server.cli("user", "add", "dora", "password=-", stdin="a password of dora\n")
    assert server.browser("dora", "a password of dora")
    assert "nothing came" in server.cli("user", "add", "dan", "password=-", stdin="", check=2).stderr


def test_client_secret_is_made_and_printed_once(server):
    made = server.cli_json("client", "add", "made", "grant_types=client_credentials", "scope=orders.read")
    secret = made["client_secret"]
    assert re.fullmatch(r"merc_[0-9A-Za-z]{49}", secret)
    assert "secret" not in json.dumps(server.cli_json("client", "show", "made")).replace("client_secret_basic", "").replace("keep_previous_secret", "")
    assert server.machine_token(("made", secret))
    new = server.cli_json("client", "secret", "made")["client_secret"]
    assert new != secret and server.machine_token(("made", new))
    assert server.token(("made", secret), grant_type="client_credentials").status_code == 401
    public = server.cli_json("client", "add", "pub", "token_endpoint_auth_method=none", "redirect_uris=http://127.0.0.1/cb", "grant_types=authorization_code")
    assert "client_secret" not in public


def test_tenants_are_apart(server):
    server.cli("tenant", "add", "acme")
    server.cli("role", "add", "r1", "--tenant", "acme")
    assert "r1" not in server.cli("role", "list").stdout
    assert "r1" in server.cli("role", "list", "--tenant", "acme").stdout
    assert "no tenant" in server.cli("role", "list", "--tenant", "nobody", check=1).stderr


def test_user_link(server):
    link = LINK.search(server.cli("user", "link", "eve").stdout).group(0)
    assert requests.get(link, timeout=10).status_code == 200
    assert LINK.fullmatch(server.cli_json("user", "link", "eve", "--purpose", "enrol")["url"])
    server.cli("user", "link", "nobody", check=1)
    server.cli("user", "link", "eve", "--purpose", "x", check=2)
    assert LINK.search(server.cli("user", "first-admin").stdout)


def test_api_keys(server):
    made = server.cli_json("apikey", "add", "bob", "ci", "--life", "1d")
    assert abs(made["expires_at"] - time.time() - 86400) < 60
    assert [k["id"] for k in server.cli_json("apikey", "list", "bob")] == [made["id"]]
    head = {"Authorization": "Bearer " + made["key"]}
    assert server.get("/v1/admin/roles", headers=head).status_code == 200
    server.cli("apikey", "revoke", made["id"])
    assert server.get("/v1/admin/roles", headers=head).status_code == 401
    server.cli("apikey", "revoke", "00000000000", check=1)
    server.cli("apikey", "add", "bob", check=2)


def test_keys(server):
    server.machine_token(("machinejwt", mereau.MACHINE[1]))
    before = server.cli_json("key", "list")
    server.cli("key", "rotate")
    after = server.cli_json("key", "list")
    assert len(after) == len(before) + 1 and [k["state"] for k in after].count("announced") == 1
    server.cli("key", "rotate", "HS256", check=2)


def test_master_key(fresh):
    s = fresh()
    token = s.machine_token(("machinejwt", mereau.MACHINE[1]))
    path = os.path.join(s.data, "master.key")
    with open(path, "rb") as f:
        old = f.read()
    s.cli("key", "master", "rotate")
    with open(path, "rb") as f:
        assert f.read() != old
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert s.active(token, mereau.API)
    s.restart()
    assert s.active(token, mereau.API) and s.machine_token(("machinejwt", mereau.MACHINE[1]))
    s.stop()
    s.cli("key", "master", "rotate")
    s.start()
    assert s.machine_token(("machinejwt", mereau.MACHINE[1]))


def test_token_check_is_offline():
    good = "mera_" + "0" * 43
    import zlib
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    crc, tail = zlib.crc32(good.encode()), ""
    while len(tail) < 6:
        crc, d = divmod(crc, 62)
        tail = digits[d] + tail
    assert run("token", "check", good + tail).returncode == 0
    assert "access token" in run("token", "check", "-", input=good + tail + "\n").stdout
    assert run("token", "check", good + "000000").returncode == 1
    assert json.loads(run("token", "check", good + tail, "-o", "json").stdout) == {"well_formed": True, "kind": "access token"}


def test_tokens(server):
    token = server.machine_token()
    assert server.cli_json("token", "introspect", token)["active"] is True
    assert server.cli_json("token", "introspect", "-", stdin=token)["active"] is True
    assert server.cli_json("token", "inspect", token)["live"] is True
    assert "revoked" in server.cli("token", "revoke", token).stdout
    assert not server.active(token)
    server.cli("token", "introspect", token, check=1)
    assert server.cli_json("token", "inspect", token)["live"] is False
    assert "no such token" in server.cli("token", "revoke", "mera_" + "0" * 49, check=1).stderr


def test_a_refresh_token_stands_for_its_grant(server):
    t = server.tokens("ann")
    listed = server.cli_json("token", "list", "ann")
    assert {"session", "grant"} <= {i["kind"] for i in listed}
    server.cli("token", "revoke", t["refresh_token"])
    assert server.refresh(t["refresh_token"]).json()["error"] == "invalid_grant"
    b = server.browser("eve")
    session = [i["id"] for i in server.cli_json("token", "list", "eve") if i["kind"] == "session"][0]
    server.cli("token", "revoke", "--session", session)
    assert b.get("/account").status_code == 303


def test_inspect_a_jwt(server, tmp_path):
    token = server.machine_token(("machinejwt", mereau.MACHINE[1]))
    r = server.cli("token", "inspect", token)
    assert "signature right, by this store's keys" in r.stdout and "expires" in r.stdout and "(in " in r.stdout
    jwks = tmp_path / "jwks.json"
    jwks.write_text(server.get("/jwks").text)
    alone = {"cwd": str(tmp_path)}
    assert "right, by the keys in the file" in run("token", "inspect", token, "--jwks", str(jwks), "--data", "none", **alone).stdout
    assert "right, by the keys of its issuer" in run("token", "inspect", token, "--issuer", server.url, "--data", "none", **alone).stdout
    assert "NOT checked" in run("token", "inspect", token, "--data", "none", **alone).stdout
    forged = token[:-6] + ("AAAAAA" if token[-6:] != "AAAAAA" else "BBBBBB")
    r = server.cli("token", "inspect", forged, check=1)
    assert "WRONG" in r.stdout
    assert json.loads(server.cli("token", "inspect", forged, "-o", "json", check=1).stdout)["signature"] == "invalid"
    server.cli("token", "inspect", "nonsense", check=1)
    other = run("token", "inspect", token, "--issuer", "http://127.0.0.1:1", "--data", "none", **alone)
    assert other.returncode == 1 and "another one" in other.stdout
    bad = tmp_path / "bad.json"
    bad.write_text("{}x")
    assert run("token", "inspect", token, "--jwks", str(bad), "--data", "none", **alone).returncode == 1


def test_audit(fresh):
    s = fresh()
    s.cli("role", "add", "one")
    s.cli("role", "remove", "one")
    rows = s.cli_json("audit", "list", "--object", "role:one")
    assert [r["event"] for r in rows] == ["object.removed", "object.created"]
    assert rows[0]["actor"].startswith("operator:")
    assert len(s.cli_json("audit", "list", "--limit", "3")) == 3
    older = s.cli_json("audit", "list", "--limit", "1", "--before", s.cli_json("audit", "list", "--limit", "2")[0]["id"])
    assert older[0]["id"] == s.cli_json("audit", "list", "--limit", "2")[1]["id"]
    assert s.cli_json("audit", "verify")["ok"] is True
    s.stop()
    s.sql("UPDATE audit SET payload = '{}' WHERE event = 'object.removed'")
    assert s.cli("audit", "verify", check=1).stderr


@mereau.sqlite_only
def test_backup_and_restore(fresh, tmp_path):
    s = fresh()
    token = s.machine_token()
    revoked = s.machine_token()
    copy = str(tmp_path / "copy.db")
    s.cli("backup", copy)
    assert stat.S_IMODE(os.stat(copy).st_mode) & 0o077 == 0
    with open(os.path.join(s.data, "master.key"), "rb") as f:
        key = f.read().strip()
    with open(copy, "rb") as f:
        assert key not in f.read()
    s.cli("backup", copy, check=1)  # never over a file
    s.cli("token", "revoke", revoked)
    later = s.machine_token()
    assert "stop it first" in s.cli("restore", copy, "--force", check=1).stderr
    s.stop()
    assert "--force" in s.cli("restore", copy, check=1).stderr
    assert "1 revocations" in s.cli("restore", copy, "--force").stdout
    s.start()
    assert s.active(token) and not s.active(revoked) and not s.active(later)
    assert s.cli("audit", "verify").returncode == 0
    assert s.cli_json("audit", "list", "--event", "store.restored")[0]["data"]["all_refused"] is False


@mereau.sqlite_only
def test_restore_without_the_list_of_revocations(fresh, tmp_path):
    s = fresh()
    b = s.browser("ann")
    t = s.tokens("ann", browser=b, scope="orders.read offline_access")
    machine = s.machine_token()
    key = s.cli_json("apikey", "add", "bob", "k")["key"]
    copy = str(tmp_path / "copy.db")
    s.cli("backup", copy)
    s.stop()
    master = os.path.join(s.data, "master.key")
    os.rename(master, str(tmp_path / "master.key"))
    shutil.rmtree(s.data)
    assert "master key" in s.cli("restore", copy, check=1).stderr
    assert not os.path.exists(os.path.join(s.data, "mereau.db"))
    os.rename(str(tmp_path / "master.key"), master)
    assert "refused" in s.cli("restore", copy).stdout
    s.start()
    assert not s.active(machine) and b.get("/account").status_code == 303
    assert s.refresh(t["refresh_token"]).json()["error"] == "invalid_grant"
    assert s.get("/v1/admin/roles", headers={"Authorization": "Bearer " + key}).status_code == 401
    assert s.machine_token() and s.tokens("ann")


@mereau.sqlite_only
def test_restore_refuses_what_is_no_backup(fresh, tmp_path):
    s = fresh()
    token = s.machine_token()
    s.stop()
    bad = tmp_path / "bad"
    bad.write_bytes(b"SQLite format 3\0" + b"x" * 8192)
    s.cli("restore", str(bad), "--force", check=1)
    s.cli("restore", __file__, "--force", check=1)
    s.cli("restore", str(tmp_path / "none"), "--force", check=1)
    s.start()
    assert s.active(token)


def test_migrate(fresh, tmp_path):
    s = fresh()
    assert "up to date" in s.cli("migrate", "--plan").stdout
    assert s.cli("migrate").returncode == 0
    s.stop()
    assert "up to date" in s.cli("migrate", "--plan").stdout
    s.cli("migrate")
    assert "would be made" in run("migrate", "--plan", "--data", str(tmp_path / "none")).stdout
    assert not (tmp_path / "none").exists()


def test_doctor(fresh, tmp_path):
    s = fresh()
    rows = {r["check"]: r for r in s.cli_json("doctor")}
    assert rows["master key"]["result"] == "warn" and rows["store"]["result"] == "ok" and rows["administrator"]["result"] == "ok"
    s.stop()
    os.chmod(s.data, 0o777)
    assert "WRONG" in s.cli("doctor", check=1).stdout
    os.chmod(s.data, 0o700)
    if mereau.POSTGRES:
        return
    with open(os.path.join(s.data, "mereau.db"), "r+b") as f:
        f.write(b"damage" * 100)
    r = s.cli("doctor", check=1)
    assert "damaged" in r.stderr and "issuer" in r.stdout


def test_no_store_is_made_by_accident(tmp_path):
    r = run("user", "list", "--data", str(tmp_path / "none"))
    assert r.returncode == 1 and "no store" in r.stderr and not (tmp_path / "none").exists()


def test_control_socket_is_private(server):
    path = os.path.join(server.data, "control.sock")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    import socket
    for junk in (b"", b"q\xff\xff\xff\xff", b"q\0\0\0\x02{}", b"x\0\0\0\0", b"q\0\0\0\x09" + b"{\"words\":"):
        with socket.socket(socket.AF_UNIX) as k:
            k.connect(path)
            k.sendall(junk)
            k.shutdown(socket.SHUT_WR)
            k.settimeout(10)
            while k.recv(4096):
                pass
    assert server.cli("version").returncode == 0 and server.cli("user", "list").returncode == 0


def test_first_administrator_link(fresh):
    s = fresh(start=False)
    s.write_config({"server": {"issuer": s.url, "listen": s.url[7:], "management": s.management[7:], "data": s.data}})
    s.start()
    link = s.first_admin_link()
    b = mereau.Browser(s)
    r = b.submit(b.get(link[len(s.url):]), username="root9", password="a password to begin with", new_password="a password to begin with")
    assert r.status_code in (200, 303), r.text
    before = len(s.log_text())
    s.restart()
    assert "first administrator" not in s.log_text()[before:]


@mereau.sqlite_only
def test_a_list_of_another_store_is_not_believed(fresh, tmp_path):
    s, other = fresh(), fresh()
    token = s.machine_token()
    copy = str(tmp_path / "copy.db")
    s.cli("backup", copy)
    other.stop()
    shutil.copy(os.path.join(s.data, "master.key"), os.path.join(other.data, "master.key"))
    assert "refused" in other.cli("restore", copy, "--force").stdout
    other.start()
    assert not other.active(token)
    other.stop()
    named = str(tmp_path / "revoked.log")
    shutil.copy(os.path.join(s.data, "revoked.log"), named)
    assert "0 revocations" in other.cli("restore", copy, "--force", "--revoked-log", named).stdout
    other.start()
    assert other.active(token)
