"""The configuration: one file is the desired state; faults name file, line and what was expected; environment, flags, reload."""
import copy
import json
import os
import re
import signal
import subprocess
import time

import mereau
import pytest

BASE = """server:
  issuer: "http://127.0.0.1:8080"
tenants:
  default:
"""

# text behind BASE, the line of the fault, words it must hold
FAULTS = [
    ("    rolls: {}\n", 5, ["tenants.default.rolls", "unknown key", "did you mean roles"]),
    ("    roles: {a: {permisions: [x]}}\n", 5, ["roles.a.permisions", "did you mean permissions"]),
    ("    roles: 7\n", 5, ["roles", "expected a list"]),
    ("    roles: [7]\n", 5, ["roles[0]", "fields of a role"]),
    ("    roles:\n      - {permissions: [x]}\n", 6, ["roles[0].name", "expected"]),
    ("    roles: [{name: a}, {name: a}]\n", 5, ["roles[1]", "given twice"]),
    ("    roles: {a: {name: b}}\n", 5, ["roles.a.name", "differs"]),
    ("    clients:\n      - client_id: c\n        first_party: perhaps\n", 7, ["clients[0].first_party", "true or false"]),
    ("    clients:\n      - client_id: c\n        redirect_uris: {a: b}\n", 7, ["redirect_uris", "list"]),
    ("    clients:\n      - client_id: c\n        access_token_life: 5 parsecs\n", 7, ["access_token_life"]),
    ("    clients:\n      - client_id: c\n        access_token_format: paper\n", 7, ["access_token_format", "opaque"]),
    ("    clients:\n      - client_id: c\n        id: x\n", 7, ["id"]),
    ("    clients:\n      - client_id: c\n        client_secret: {env: NOT_THERE_AT_ALL}\n", 7, ["client_secret", "NOT_THERE_AT_ALL"]),
    ("    clients:\n      - client_id: c\n        client_secret: {file: /nonexistent/secret}\n", 7, ["client_secret", "No such file"]),
    ("    clients:\n      - client_id: c\n        client_secret: {vault: x}\n", 7, ["client_secret", "{env: NAME}"]),
    ("    clients:\n      - client_id: c\n        redirect_uris: ['https://*.example/']\n        grant_types: [authorization_code]\n", 7, ["redirect_uris"]),
    ("    users: [{username: ann, roles: [ghost]}]\n", 5, ["users[0].roles", "ghost"]),
    ("    users: [{username: ann, email_verified: 'yes'}]\n", 5, ["email_verified", "true or false"]),
    ("    access_token_life: -5\n", 5, ["access_token_life"]),
    ("    demo: 3\n", 5, ["demo", "true or false"]),
    ("    demo: true\n    demo: false\n", 6, ["demo", "given twice"]),
    ("    name: other\n", 5, ["name"]),
    ("    display_name: *x\n", 5, ["anchor"]),
    ("    display_name: !!python/name:os.system x\n", 5, ["tags"]),
    ("    display_name: \"a\\0b\"\n", 5, ["NUL"]),
    ("    <<: {demo: true}\n", 5, ["merge"]),
    ("    ? [a]\n    : b\n", 5, ["key"]),
    ("    display_name: 99999999999999999999\n", 5, ["too large"]),
    ("    display_name: [\n", 6, ["not YAML"]),
    ("---\na: b\n", 5, ["second document"]),
]


def check(tmp_path, text, *args, mode=0o600, env=None, command=("config", "check")):
    path = tmp_path / "mereau.yaml"
    path.write_text(text)
    path.chmod(mode)
    return subprocess.run([mereau.BINARY, *command, "--config", "mereau.yaml", *args], capture_output=True, text=True, timeout=60 * mereau.SLOW,
                          cwd=tmp_path, env=dict(os.environ, **(env or {})), check=False)


@pytest.mark.parametrize("text,line,words", FAULTS)
def test_fault(tmp_path, text, line, words):
    r = check(tmp_path, BASE + text)
    assert r.returncode == 1 and not r.stdout
    assert r.stderr.startswith("mereau.yaml:%d: " % line), r.stderr
    for w in words:
        assert w in r.stderr, r.stderr


SERVER_FAULTS = [
    ("lisen: x", ["server.lisen", "did you mean listen"]),
    ("issuer: http://127.0.0.1:8080/", ["no slash at its end", "http://127.0.0.1:8080"]),
    ("issuer: http://id.example", ["https"]),
    ("issuer: https://id.example/path", ["no path"]),
    ("issuer: https://id.example?x", ["https://HOST"]),
    ("issuer: https://ID.example", ["lower case"]),
    ("issuer: ftp://id.example", ["https://HOST"]),
    ("issuer: 7", ["server.issuer"]),
    ("listen: nowhere", ["server.listen", "HOST:PORT"]),
    ("listen: [\"127.0.0.1:99999\"]", ["HOST:PORT"]),
    ("listen: 0.0.0.0:8080", ["loopback", "tls.certificate"]),
    ("store: postgres-x", ["sqlite or postgresql://"]),
    ("store: mysql", ["sqlite"]),
    ("tls: {certificate: a.pem}", ["tls.certificate and tls.key"]),
    ("tls: yes please", ["server.tls", "keys and values"]),
    ("tls: {cert: a.pem}", ["server.tls.cert", "unknown key"]),
    ("log: {level: loud}", ["server.log.level", "debug"]),
    ("workers: {store: many}", ["server.workers.store", "number"]),
    ("workers: {store: 100000}", ["server.workers.store"]),
    ("limits: {drain: 5 parsecs}", ["server.limits.drain"]),
    ("mail: {smtp_url: 'http://x'}", ["smtp://"]),
    ("mail: {smtp_url: 'smtp://x:25'}", ["server.mail.from"]),
    ("data: ''", ["server.data"]),
]


@pytest.mark.parametrize("text,words", SERVER_FAULTS)
def test_server_fault(tmp_path, text, words):
    r = check(tmp_path, "server:\n  %s\n" % text)
    assert r.returncode == 1 and r.stderr.startswith("mereau.yaml:2: "), r.stderr
    for w in words:
        assert w in r.stderr, r.stderr


def test_top_level_and_several_faults_at_once(tmp_path):
    r = check(tmp_path, "sever: {}\nserver: {lisen: x, isuer: y}\ntenants: {default: {rolls: {}}}\n")
    assert r.returncode == 1
    assert [line.split(": ")[0] for line in r.stderr.splitlines()] == ["mereau.yaml:1", "mereau.yaml:2", "mereau.yaml:2", "mereau.yaml:3"]
    assert "did you mean server" in r.stderr and "did you mean issuer" in r.stderr


SECRET = BASE + "    clients: [{client_id: c, grant_types: [client_credentials], client_secret: plain-secret-0123456789012345678901}]\n"


@pytest.mark.parametrize("mode,ok", [(0o600, True), (0o400, True), (0o640, False), (0o604, False), (0o644, False)])
def test_plain_secret_wants_a_private_file(tmp_path, mode, ok):
    r = check(tmp_path, SECRET, mode=mode)
    assert (r.returncode == 0) == ok, r.stderr
    assert ok or ("mereau.yaml:5" in r.stderr and "chmod 600" in r.stderr and "plain-secret" not in r.stderr)


def test_secrets_by_reference(tmp_path):
    (tmp_path / "s").write_text("secret-of-a-file-0123456789012345678\n")
    text = BASE + "    clients:\n      - {client_id: c, grant_types: [], client_secret: {env: THE_SECRET}}\n      - {client_id: d, grant_types: [], client_secret: {file: s}}\n"
    assert check(tmp_path, text, mode=0o644, env={"THE_SECRET": "x" * 40}).returncode == 0


def test_sample_and_issue_example(tmp_path):
    sample = subprocess.run([mereau.BINARY, "config", "show", "--sample"], capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert check(tmp_path, sample).returncode == 0
    uncommented = re.sub(r"^(  (?:  )?)# (issuer|listen|data|level|store|header_timeout): ", r"\1\2: ", sample, flags=re.M)
    r = check(tmp_path, uncommented)
    assert r.returncode in (0, 1)
    example = """server: {issuer: "http://127.0.0.1:8080", listen: "127.0.0.1:8080", management: "127.0.0.1:8081", data: ./var}
tenants:
  default:
    roles: {support: {permissions: [orders.read]}}
    users: [{username: demo, email: demo@example.com, password: {env: DEMO_PASSWORD}, roles: [support]}]
    clients:
      - {client_id: web, client_secret: {env: WEB_SECRET}, redirect_uris: ["https://app.example/callback"], grant_types: [authorization_code, refresh_token], scope: "orders.read offline_access"}
"""
    r = check(tmp_path, example, env={"DEMO_PASSWORD": "correct horse battery", "WEB_SECRET": "s" * 40})
    assert r.returncode == 0, r.stderr
    assert not (tmp_path / "var").exists()


def show(tmp_path, text="", args=(), env=None):
    r = check(tmp_path, text, "-o", "json", *args, env=env, command=("config", "show"))
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def test_flag_over_environment_over_file_over_default(tmp_path):
    file = "server: {data: from-file, log: {level: warn}}\n"
    v = show(tmp_path)
    assert v["server"]["data"] == "./var" and v["origin"]["data"] == "default"
    v = show(tmp_path, file)
    assert v["server"]["data"] == "from-file" and v["origin"]["data"] == "mereau.yaml:1" and v["server"]["log"]["level"] == "warn"
    env = {"MEREAU_SERVER__DATA": "from-env", "MEREAU_SERVER__LOG__LEVEL": "error", "MEREAU_SERVER__TRUSTED_PROXIES": "10.0.0.0/8,192.0.2.1"}
    v = show(tmp_path, file, env=env)
    assert v["server"]["data"] == "from-env" and v["server"]["log"]["level"] == "error"
    assert v["server"]["trusted_proxies"] == ["10.0.0.0/8", "192.0.2.1"] and v["origin"]["data"] == "MEREAU_SERVER__DATA"
    v = show(tmp_path, file, args=("--data", "from-flag", "--log-level=debug"), env=env)
    assert v["server"]["data"] == "from-flag" and v["server"]["log"]["level"] == "debug" and v["origin"]["log.level"] == "--log-level"


def test_environment_from_files(tmp_path):
    (tmp_path / "pw").write_text("hunter2\n")
    env = {"MEREAU_SERVER__MAIL__PASSWORD_FILE": str(tmp_path / "pw"), "MEREAU_SERVER__MASTER_KEY_FILE": "/etc/mereau/master.key"}
    v = show(tmp_path, env=env)
    assert v["server"]["master_key_file"] == "/etc/mereau/master.key" and "hunter2" not in json.dumps(v)
    assert v["origin"]["mail.password"] == "MEREAU_SERVER__MAIL__PASSWORD_FILE"
    r = check(tmp_path, "", env={"MEREAU_SERVER__NOPE": "1"})
    assert r.returncode == 1 and "MEREAU_SERVER__NOPE" in r.stderr
    r = check(tmp_path, "", env={"MEREAU_SERVER__DATA_FILE": "/nonexistent"})
    assert r.returncode == 1
    assert check(tmp_path, "", env={"MEREAU_HOME": "x"}).returncode == 0


def test_several_files_and_folders(tmp_path):
    d = tmp_path / "conf"
    d.mkdir()
    (d / "10-server.yaml").write_text("server: {data: x}\n")
    (d / "20-tenant.yml").write_text("tenants: {default: {roles: {a: {permissions: [p]}}}}\n")
    (d / "30-more.yaml").write_text("tenants: {default: {roles: {b: {permissions: [q]}}}}\n")
    (d / "ignored.txt").write_text("not: [yaml\n")
    r = check(tmp_path, "", "--config", "conf", "-o", "json")
    assert r.returncode == 0 and json.loads(r.stdout)["objects"] == 3
    (d / "40-clash.yaml").write_text("server: {data: y}\ntenants: {default: {roles: {a: {}}}}\n")
    r = check(tmp_path, "", "--config", "conf")
    assert r.returncode == 1 and "conf/40-clash.yaml:1: server.data: given twice; first at conf/10-server.yaml:1" in r.stderr
    (d / "40-clash.yaml").write_text("tenants: {default: {roles: {a: {}}}}\n")
    assert "given twice; first at conf/20-tenant.yml:1" in check(tmp_path, "", "--config", "conf").stderr


def test_aliases_are_bounded(tmp_path):
    text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join("a%d: &a%d [%s]\n" % (i, i, ",".join(["*a%d" % (i - 1)] * 10)) for i in range(1, 9))
    begin = time.monotonic()
    r = check(tmp_path, text)
    assert r.returncode == 1 and "expand" in r.stderr and time.monotonic() - begin < 5 * mereau.SLOW
    assert "deep" in check(tmp_path, "a: " + "[" * 50 + "]" * 50 + "\n").stderr
    ok = BASE + "    roles: {a: &r {permissions: [p]}, b: *r}\n"
    assert check(tmp_path, ok).returncode == 0
    assert "larger" in check(tmp_path, "#" * (8 * 1024 * 1024 + 1)).stderr or "too large" in check(tmp_path, "#" * (8 * 1024 * 1024 + 1)).stderr


# --- against a store ---

def test_diff_apply_prune_export(fresh):
    s = fresh()
    assert "nothing differs" in s.cli("config", "diff").stdout
    config = copy.deepcopy(s.config)
    tenant = config["tenants"]["default"]
    tenant["clients"] = [c for c in tenant["clients"] if c["client_id"] != "spa"]
    tenant["clients"][0]["client_name"] = "Renamed"
    tenant["clients"][1]["client_secret"] = "another-secret-01234567890123456789012"
    tenant["roles"]["new"] = {"permissions": ["x.read"]}
    tenant["users"].append({"username": "nina", "roles": ["new"]})
    s.write_config(config)
    lines = s.cli("config", "diff", "--prune").stdout.splitlines()
    assert lines[:-1] == ["create  role default/new", "change  client default/web: client_name", "change  client default/webjwt: secret",
                          "create  user default/nina", "remove  client default/spa"] or set(lines[:-1]) == {
        "create  role default/new", "change  client default/web: client_name", "change  client default/webjwt: secret",
        "create  user default/nina", "remove  client default/spa"}
    assert s.cli_json("client", "show", "spa") and "Renamed" not in json.dumps(s.cli_json("client", "show", "web"))
    s.cli("client", "add", "by-hand", "grant_types=client_credentials")
    r = s.cli("config", "apply", "--prune")
    assert "remove  client default/spa" in r.stdout and "--yes" in r.stderr and s.cli_json("client", "show", "spa")
    s.cli("config", "apply")
    assert s.cli_json("client", "show", "web")["client_name"] == "Renamed" and s.cli_json("client", "show", "spa")
    done = s.cli_json("config", "apply", "--prune", "--yes")
    assert done["remove"] == 1 and done["changes"][0]["name"] == "spa"
    s.cli("client", "show", "spa", check=1)
    assert s.cli_json("client", "show", "by-hand")["managed_by"] == "api"
    assert "nothing differs" in s.cli("config", "diff", "--prune").stdout
    exported = s.cli("config", "export").stdout
    assert "secret-" not in exported and "Renamed" in exported and "by-hand" in exported
    import yaml
    doc = yaml.safe_load(exported)["tenants"]["default"]
    assert {u["username"] for u in doc["users"]} == {"ann", "bob", "eve", "nina"}


def test_export_is_a_configuration(fresh, tmp_path):
    s = fresh(tenants={"acme": {"display_name": "yes", "roles": {"1": {"permissions": ["a"]}}, "clients": [
        {"client_id": "pub", "token_endpoint_auth_method": "none", "redirect_uris": ["http://127.0.0.1/cb"], "grant_types": ["authorization_code"],
         "access_token_life": "10m"}]}})
    path = tmp_path / "out.yaml"
    path.write_text(s.cli("config", "export", "--tenant", "acme").stdout)
    r = subprocess.run([mereau.BINARY, "config", "check", str(path)], capture_output=True, text=True, check=False)
    assert r.returncode == 0, r.stderr
    r = subprocess.run([mereau.BINARY, "config", "diff", str(path), "--data", s.data], capture_output=True, text=True, check=False)
    assert "nothing differs" in r.stdout, r.stdout + r.stderr


def test_serve_removes_nothing_and_file_objects_are_the_files(fresh):
    s = fresh()
    config = copy.deepcopy(s.config)
    config["tenants"]["default"]["clients"].pop()
    s.write_config(config)
    s.restart()
    assert s.cli_json("client", "show", "api")["managed_by"] == "file"
    r = s.cli("client", "set", "web", "client_name=x", check=1)
    assert "file" in r.stderr
    s.cli("client", "remove", "web", check=1)
    s.cli("client", "disable", "web")


def test_password_is_set_at_creation_only(fresh):
    s = fresh()
    config = copy.deepcopy(s.config)
    for u in config["tenants"]["default"]["users"]:
        u["password"] = "a very different password"
    s.write_config(config)
    s.restart()
    assert s.browser("ann", mereau.PASSWORD)


def test_a_bad_file_applies_nothing(fresh):
    s = fresh()
    config = copy.deepcopy(s.config)
    config["tenants"]["default"]["roles"]["early"] = {"permissions": ["x"]}
    config["tenants"]["default"]["clients"].append({"client_id": "bad", "first_party": "perhaps"})
    s.write_config(config)
    r = s.cli("config", "apply", check=1)
    assert re.search(r"mereau.yaml:\d+: tenants.default.clients\[\d+\].first_party: ", r.stderr)
    s.cli("role", "show", "early", check=1)


def wait_for(s, text, since):
    end = time.monotonic() + 10 * mereau.SLOW
    while text not in s.log_text()[since:]:
        assert time.monotonic() < end, s.log_text()[since:]
        time.sleep(0.05)


def test_reload(fresh):
    s = fresh()
    since = len(s.log_text())
    config = copy.deepcopy(s.config)
    config["tenants"]["default"]["roles"]["later"] = {"permissions": ["x"]}
    config["server"]["workers"] = {"store": 4}
    s.write_config(config)
    s.process.send_signal(signal.SIGHUP)
    wait_for(s, "config.reload", since)
    assert s.cli_json("role", "show", "later") and "server.workers.store has changed" in s.log_text()[since:]
    since = len(s.log_text())
    config["tenants"]["default"]["rolls"] = {}
    config["tenants"]["default"]["roles"]["never"] = {"permissions": ["x"]}
    s.write_config(config)
    s.process.send_signal(signal.SIGHUP)
    wait_for(s, "config.reload", since)
    text = s.log_text()[since:]
    assert "the old configuration stays" in text and "did you mean roles" in text
    s.cli("role", "show", "never", check=1)
    assert s.machine_token()


def test_systemd_notify_and_sockets(fresh, tmp_path):
    import socket
    note = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    note.bind(str(tmp_path / "notify"))
    note.settimeout(10 * mereau.SLOW)
    s = fresh(start=False, env={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"})
    s.start()
    assert b"READY=1" in note.recv(4096)
    assert b"WATCHDOG=1" in note.recv(4096)
    s.process.send_signal(signal.SIGHUP)
    seen = b""
    while b"READY=1" not in seen:
        seen += note.recv(4096)
    assert b"RELOADING=1" in seen and b"MONOTONIC_USEC=" in seen
    s.stop()
    while True:
        if b"STOPPING=1" in note.recv(4096):
            break


def test_socket_activation(fresh):
    import socket
    s = fresh(start=False)
    main, management = socket.socket(), socket.socket()
    main.bind(("127.0.0.1", s.port))
    management.bind(("127.0.0.1", s.management_port))
    main.listen()
    management.listen()
    code = ("import os,sys\nos.dup2(%d,100);os.dup2(%d,101);os.dup2(100,3);os.dup2(101,4)\nfor f in (3,4): os.set_inheritable(f,True)\n"
            "os.environ.update(LISTEN_PID=str(os.getpid()),LISTEN_FDS='2',LISTEN_FDNAMES='web:management')\nos.execv(sys.argv[1],sys.argv[1:])"
            % (main.fileno(), management.fileno()))
    s.log = open(s.log_file, "ab")
    s.process = subprocess.Popen(["python3", "-c", code, mereau.BINARY, "serve", "--config", s.config_file], pass_fds=(main.fileno(), management.fileno()),
                                 stdout=s.log, stderr=s.log, cwd=s.dir)
    main.close()
    management.close()
    s.wait_ready()
    assert s.machine_token() and "fd:3" in s.log_text()


def test_all_faults_at_once(tmp_path):
    text = """server: {issuer: "http://127.0.0.1:8080/", listen: "nonsense", dta: x}
tenants:
  default:
    users: [{username: demo, email: 7, locale: [1], nme: x}]
    clients:
      - {client_id: web, redirect_uris: 5, scop: x,
         access_token_life: "zz", token_endpoint_auth_method: wat}
"""
    path = tmp_path / "all.yaml"
    path.write_text(text)
    path.chmod(0o600)
    r = subprocess.run([mereau.BINARY, "config", "check", "--config", str(path)], capture_output=True, text=True, check=False)
    assert r.returncode == 1
    told = r.stderr
    for line, name in ((1, "server.dta"), (1, "server.issuer"), (1, "server.listen"), (4, "users[0].email"), (4, "users[0].locale"), (4, "users[0].nme"),
                       (6, "clients[0].redirect_uris"), (6, "clients[0].scop"), (7, "clients[0].access_token_life"), (7, "clients[0].token_endpoint_auth_method")):
        assert any(":%d: " % line in one and name in one for one in told.splitlines()), (line, name, told)
    assert len(told.splitlines()) == 11, told  # server.listen twice: no address, and not a loopback one
