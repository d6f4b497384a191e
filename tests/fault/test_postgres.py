"""The store in PostgreSQL when the database fails: killed under load, restarted, of the wrong kind, used by two."""
import os
import shutil
import socket
import struct
import subprocess
import threading
import time

import pytest
import requests

import mereau
from conftest import with_postgres


def sql(pg, text, database="postgres"):
    subprocess.run(["psql", "-q", "-h", pg.dir, "-U", "postgres", "-d", database, "-c", text], check=True, stdout=subprocess.DEVNULL)


def store(pg, name, options=""):
    sql(pg, "CREATE DATABASE %s %s" % (name, options))
    return "postgresql://postgres@/%s?host=%s" % (name, pg.dir)


def test_killed_under_load(pg, fresh):
    """503 with Retry-After while it lasts, recovery by itself, nothing answered is lost, nothing one-time happens twice (A91)."""
    s = fresh(server={"store": store(pg, "killed")})
    refreshing = s.tokens(scope="orders.read offline_access")["refresh_token"]
    kept, statuses, stop = [], [], threading.Event()

    def work():
        while not stop.is_set():
            try:
                r = s.token(grant_type="client_credentials")
                statuses.append((r.status_code, r.headers.get("Retry-After")))
                if r.status_code == 200:
                    kept.append(r.json()["access_token"])
            except requests.RequestException:
                statuses.append((0, None))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for _ in range(3):
        time.sleep(1)
        pg.kill()
        time.sleep(1)
        r = s.refresh(refreshing)
        assert r.status_code == 503 and r.headers["Retry-After"], r.text
        pg.start()
        end = time.monotonic() + 20 * mereau.SLOW
        while s.token(grant_type="client_credentials").status_code != 200:
            assert time.monotonic() < end, s.log_text()[-2000:]
            time.sleep(0.1)
    stop.set()
    for t in threads:
        t.join()
    assert {c for c, _ in statuses} <= {200, 503} and all(after for c, after in statuses if c == 503)
    assert len(kept) > 100 and all(s.active(t) for t in kept[::7])
    again = s.refresh(refreshing)  # the old one is good after all that
    assert again.status_code == 200 and s.refresh(refreshing).json()["refresh_token"] == again.json()["refresh_token"]
    assert s.cli_json("audit", "verify")["ok"] is True


def test_another_key_is_refused(pg, fresh):
    """Servers on one database have one master key."""
    where = store(pg, "owned")
    first = fresh(server={"store": where})
    second = fresh(start=False, server={"store": where})
    second.start(wait=False)
    assert second.process.wait(timeout=20 * mereau.SLOW) == 1 and "master key" in second.log_text()
    second.process = None
    assert first.machine_token()


@pytest.mark.parametrize("name,options,words", [
    ("latin", "ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0", "UTF8"),
])
def test_of_the_wrong_kind(pg, fresh, name, options, words):
    s = fresh(start=False, server={"store": store(pg, name, options)})
    s.start(wait=False)
    assert s.process.wait(timeout=20 * mereau.SLOW) == 1 and words in s.log_text()
    s.process = None


def refused(fresh, where, *words):
    s = fresh(start=False, server={"store": where})
    s.start(wait=False)
    assert s.process.wait(timeout=20 * mereau.SLOW) == 1
    text = s.log_text()
    s.process = None
    for w in words:
        assert w in text, text
    assert "password" not in text or "hunter2" not in text


def test_clear_words(pg, fresh):
    refused(fresh, "postgresql://postgres@/nothere?host=" + pg.dir, 'database "nothere" does not exist')
    refused(fresh, "postgresql://postgres:hunter2@127.0.0.1:1/x", "onnection refused")
    where = store(pg, "readonly")
    sql(pg, "ALTER DATABASE readonly SET default_transaction_read_only = on")
    refused(fresh, where, "takes no writes")
    where = store(pg, "rights")
    sql(pg, "CREATE ROLE guest LOGIN")
    refused(fresh, where.replace("postgres@", "guest@"), "permission denied")
    where = store(pg, "future")
    sql(pg, "CREATE TABLE mereau_schema (version INTEGER PRIMARY KEY); INSERT INTO mereau_schema VALUES (9999)", "future")
    refused(fresh, where, "newer")


def test_too_old_a_server(fresh):
    """A server that says it is 9.6; the rest of it is not needed."""
    def answer(listener):
        c, _ = listener.accept()
        with c:
            c.recv(4096)  # the startup message
            status = b"".join(b"S" + struct.pack("!i", 4 + len(kv)) + kv for kv in (b"server_version\x009.6.24\x00", b"client_encoding\x00UTF8\x00"))
            c.sendall(b"R" + struct.pack("!ii", 8, 0) + status + b"Z" + struct.pack("!i", 5) + b"I")
            while c.recv(4096):
                c.sendall(b"C" + struct.pack("!i", 8) + b"SET\x00" + b"Z" + struct.pack("!i", 5) + b"I")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        refused(fresh, "postgresql://postgres@127.0.0.1:%d/x?sslmode=disable" % listener.getsockname()[1], "13 or later is needed; this server is 9.6")


def test_tls(fresh, tmp_path):
    """verify-full against a certificate of its own; a wrong root is refused, and so is plain TCP to who demands TLS."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / "key", "-out", tmp_path / "cert",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"], check=True, stderr=subprocess.DEVNULL)
    server = with_postgres.Server("ssl=on", "ssl_cert_file=server.crt", "ssl_key_file=server.key", "port=%d" % mereau.free_port(), "listen_addresses=localhost")
    server.make()
    for name, to in (("cert", "server.crt"), ("key", "server.key")):
        path = os.path.join(server.data, to)
        shutil.copy(tmp_path / name, path)
        os.chmod(path, 0o600)
        if server.user:
            os.chown(path, server.user.pw_uid, server.user.pw_gid)
    server.start()
    try:
        where = "postgresql://postgres@localhost:%s/postgres?sslmode=verify-full&sslrootcert=" % server.port()
        s = fresh(server={"store": where + str(tmp_path / "cert")})
        assert s.active(s.machine_token())
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null", "-out", tmp_path / "other",
                        "-subj", "/CN=localhost", "-days", "2"], check=True, stderr=subprocess.DEVNULL)
        refused(fresh, where + str(tmp_path / "other"), "certificate verify failed")
    finally:
        server.stop()


def test_a_replica_is_refused(pg, fresh):
    replica = with_postgres.Server()
    try:
        replica.run("pg_basebackup", "-h", pg.dir, "-U", "postgres", "-D", replica.data, "-R", "-c", "fast")
        replica.start()
        refused(fresh, "postgresql://postgres@/postgres?host=" + replica.dir, "is a replica that only reads")
    finally:
        replica.stop()
