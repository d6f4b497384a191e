"""What can be wrong at start: one clear message, exit 1, nothing overwritten."""
import hashlib
import os
import socket

import mereau


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def refused(s, *words):
    before = s.log_text() if os.path.exists(s.log_file) else ""
    s.start(wait=False)
    assert s.process.wait(timeout=20 * mereau.SLOW) == 1, s.log_text()
    s.log.close()
    s.process = None
    text = s.log_text()[len(before):]
    for w in words:
        assert w in text, text
    assert len(text.strip().splitlines()) <= 3, text
    return text


def test_damaged_store(fresh):
    s = fresh()
    s.machine_token()
    s.stop()
    path = os.path.join(s.data, "mereau.db")
    with open(path, "r+b") as f:
        f.write(b"this is not a database at all" * 40)
    before = digest(path)
    refused(s, "damaged")
    assert digest(path) == before


def test_wrong_and_missing_master_key(fresh):
    s = fresh()
    s.stop()
    key = os.path.join(s.data, "master.key")
    good = open(key, "rb").read()
    store = os.path.join(s.data, "mereau.db")
    before = digest(store)
    os.rename(key, key + ".away")
    refused(s, "master key")
    assert not os.path.exists(key) and digest(store) == before
    with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as f:
        f.write(bytes(b ^ 1 for b in good) if b"\n" not in good else good[::-1])
    wrong = digest(key)
    refused(s, "master key")
    assert digest(key) == wrong and digest(store) == before
    os.rename(key + ".away", key)
    s.start()
    assert s.machine_token()


def test_port_in_use(fresh):
    s = fresh(start=False)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", s.port))
        other.listen()
        refused(s, str(s.port), "in use")
    s.start()


def test_two_servers_on_one_store(fresh):
    s = fresh()
    other = fresh(start=False, server={"data": s.data})
    refused(other, "another process")
    assert s.machine_token()


def test_unreadable_configuration(fresh):
    s = fresh(start=False)
    with open(s.config_file, "w", encoding="utf-8") as f:
        f.write("server:\n  issuer: http://127.0.0.1:1\n  lisen: x\n")
    text = refused(s, "mereau.yaml:3", "lisen", "listen")
    assert text
    with open(s.config_file, "w", encoding="utf-8") as f:
        f.write("server: [\n")
    refused(s, "mereau.yaml")
    os.unlink(s.config_file)
    refused(s, "mereau.yaml")
    assert not os.path.exists(os.path.join(s.data, "mereau.db"))


def test_store_of_a_newer_version(fresh):
    import sqlite3
    s = fresh()
    s.stop()
    db = sqlite3.connect(os.path.join(s.data, "mereau.db"))
    version = db.execute("PRAGMA user_version").fetchone()[0]
    assert version >= 1
    db.execute("PRAGMA user_version = 9999")
    db.commit()
    db.close()
    refused(s, "newer")


def test_demo_objects_stay_on_loopback(fresh):
    s = fresh(start=False, tenant={"demo": True}, server={"listen": "0.0.0.0:%d" % mereau.free_port(), "trusted_proxies": ["127.0.0.1"]})
    refused(s, "demo")
