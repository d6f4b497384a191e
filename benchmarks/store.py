"""The two engines side by side: the same server on SQLite and on PostgreSQL, two servers on one database, and a table of many rows. Beside
the figures on PostgreSQL stands its floor: pgbench with the same single-row insert and the same look-up, in the same run."""
import importlib.machinery
import importlib.util
import os
import re
import subprocess
import tempfile
import threading
import time

import mereau
from mereau import API, MACHINE, WEB
from oauth import LIFE, Bench, basic, cpu_s, sample, say, tokens_file, wrk

loader = importlib.machinery.SourceFileLoader("with_postgres", os.path.join(mereau.ROOT, "tests", "with_postgres"))
with_postgres = importlib.util.module_from_spec(importlib.util.spec_from_loader("with_postgres", loader))
loader.exec_module(with_postgres)
OPTIONS = ("shared_buffers=4GB", "max_wal_size=16GB", "checkpoint_timeout=30min", "maintenance_work_mem=1GB")
ISSUE = {"METHOD": "POST", "PATH_": "/token", "BODY": "grant_type=client_credentials", "AUTH": basic(MACHINE)}
FAMILIES = 500
MACHINE_ONLY = {"refresh_grace": 0}
ID_STEP = 2048  # between the ids of filled rows


class Database:
    """One database of the server, and what the programs of PostgreSQL say of it."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        self.sql("CREATE DATABASE " + name, "postgres")
        self.dsn = "postgresql://postgres@/%s?host=%s" % (name, server.dir)

    def sql(self, text, database=None):
        r = subprocess.run(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-h", self.server.dir, "-U", "postgres", "-d", database or self.name, "-c", text],
                           check=True, capture_output=True, text=True)
        return r.stdout.strip()

    def pgbench(self, script, args):
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as f:
            f.write(script)
            f.flush()
            out = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", str(min(args.connections, 32)), "-j", "1", "-T", str(round(args.seconds)), "-f", f.name,
                                  "-h", self.server.dir, "-U", "postgres", self.name], check=True, capture_output=True, text=True).stdout
        return float(re.search(r"tps = (\S+)", out).group(1))


def postgres_cpu_s(server):
    """Of all its processes that live."""
    total = 0.0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid, encoding="ascii", errors="replace") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            if int(pid) == server.process.pid or int(fields[1]) == server.process.pid:
                total += cpu_s(int(pid))
        except OSError:
            pass
    return total


def measure_calls(b, s, suffix, targets, floors=(None, None, None)):
    """Issuing, introspection, rotation."""
    b.row("client_credentials, opaque" + suffix, s, "constant", ISSUE, targets[0], floors[0])
    opaque = tokens_file(s, "opaque", sample(s, "machine", 2000))
    b.row("introspection, opaque" + suffix, s, "plain", {"METHOD": "POST", "PATH_": "/introspect", "TOKENS": opaque, "AUTH": basic(API)}, targets[1], floors[1])
    browser = s.browser("ann")
    families = tokens_file(s, "families", [browser.tokens(scope=LIFE)["refresh_token"] for _ in range(FAMILIES)])
    b.row("refresh rotation, %d families" % FAMILIES + suffix, s, "refresh", {"TOKENS": families, "AUTH": basic(WEB)}, targets[2], floors[2])


def take_floors(b, db, args):
    """Single rows, as many callers at once as the server has, each its own commit; and single look-ups."""
    columns = db.sql("SELECT string_agg(column_name, ',' ORDER BY ordinal_position) FROM information_schema.columns WHERE table_name = 'token'").split(",")
    values = ",".join("nextval('floor_id')" if c == "id" else c for c in columns)
    db.sql("CREATE TABLE floor_token (LIKE token INCLUDING ALL); CREATE SEQUENCE floor_id; CREATE TABLE floor_row AS SELECT * FROM token LIMIT 1")
    insert = "INSERT INTO floor_token (%s) SELECT %s FROM floor_row;\n" % (",".join(columns), values)
    b.floors["pgbench, one row inserted"] = db.pgbench(insert, args)
    tenant, low, n = db.sql("SELECT min(tenant_id), min(id), count(*) FROM floor_token").split("|")
    look = "\\set id random(%s, %d)\nSELECT kind, hash, client_id, scope, audience, expires_s, revoked_s FROM floor_token WHERE tenant_id = %s AND id = :id;\n" % (
        low, int(low) + int(n) - 1, tenant)
    b.floors["pgbench, one row looked up"] = db.pgbench(look, args)
    db.sql("DROP TABLE floor_token, floor_row; DROP SEQUENCE floor_id")


def measure_two(b, first, second, args):
    """Both at once, half of the callers each; CPU an operation of both together beside one's alone."""
    say("  two servers")
    results = {}

    def load(key, s):
        results[key] = wrk(s.url, "constant", args, ISSUE, s.process.pid, connections=max(args.connections // 2, 1))

    one = wrk(first.url, "constant", args, ISSUE, first.process.pid)
    threads = [threading.Thread(target=load, args=(k, s)) for k, s in (("a", first), ("b", second))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    rate = sum(r["rate"] for r in results.values())
    cpu = sum(r["cpu_us"] * r["rate"] for r in results.values()) / rate
    b.rows.append({"name": "client_credentials, opaque, two servers on one database", "rate": rate, "cpu_us": cpu, "target": None})
    b.notes.append("two servers: %.1f CPU µs an operation, one of them alone %.1f in the same run (%+.0f %%; target: within 10 %%)" % (cpu, one["cpu_us"], 100 * (cpu / one["cpu_us"] - 1)))


def measure_engines(b, pg, args):
    lite = mereau.Mereau(tenant=MACHINE_ONLY).start()
    try:
        measure_calls(b, lite, ", SQLite", (None, None, None))
    finally:
        lite.close()
    db = Database(pg, "engines")
    s = mereau.Mereau(tenant=MACHINE_ONLY, server={"store": db.dsn}).start()
    second = None
    try:
        s.machine_token()
        take_floors(b, db, args)
        before = postgres_cpu_s(pg)
        begin = time.monotonic()
        measure_calls(b, s, ", PostgreSQL", (3000, 8000, 2000), ("pgbench, one row inserted", "pgbench, one row looked up", "pgbench, one row inserted"))
        b.notes.append("PostgreSQL's own CPU in those: %.0f %% of a core" % (100 * (postgres_cpu_s(pg) - before) / (time.monotonic() - begin)))
        second = mereau.Mereau(**s.beside()).start()
        measure_two(b, s, second, args)
    finally:
        if second:
            second.close()
        s.close()


# --- many rows ---

def fill(db, server, rows, expired_share=50):
    """Rows of the last 30 days in the order of their ids, half of them of grants, one in fifty expired already; made inside the database."""
    tenant, client = db.sql("SELECT tenant_id, client_id FROM token LIMIT 1").split("|")
    indexes = [line.split("|", 1) for line in db.sql("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'token' AND indexname NOT LIKE '%pkey'").splitlines()]
    have = int(db.sql("SELECT count(*) FROM token WHERE kind = 'x'"))
    for name, _ in indexes:
        db.sql("DROP INDEX " + name)
    base = int((time.time() - 30 * 86400 - 1704067200) * 1000) << 21
    step = max((30 * 86400 * 1000 << 21) // 32000000, ID_STEP)
    now = int(time.time())
    for start in range(have, rows, 1000000):
        say("    %d of %d rows" % (start, rows))
        db.sql("SET synchronous_commit = off; INSERT INTO token (tenant_id, id, kind, hash, client_id, account_id, grant_id, scope, audience, issued_s, expires_s, generation)"
               " SELECT %s, %d + g * CAST(%d AS BIGINT), 'x', decode(md5(g::text) || md5((g + 1)::text), 'hex'), %s,"
               " CASE WHEN g %% 2 = 0 THEN %d + g END, CASE WHEN g %% 2 = 0 THEN %d + g END, 'orders.read', '', %d,"
               " CASE WHEN g %% %d = 0 THEN %d ELSE %d + g %% 86400 END, 0 FROM generate_series(CAST(%d AS BIGINT), %d) AS g"
               % (tenant, base, step, client, base, base, now, expired_share, now - 10, now + 30 * 86400, start, min(rows, start + 1000000) - 1))
    for _, definition in indexes:
        db.sql("SET max_parallel_maintenance_workers = 0; " + definition)
    db.sql("ANALYZE token")
    db.sql("CHECKPOINT")


def expiry_rate(s, db, rows, share=50):
    """The housekeeper alone with what has expired: rows a second of the time until it is all gone."""
    begin, left = time.monotonic(), rows // share
    total = left
    while left and time.monotonic() - begin < 120:
        time.sleep(0.25)
        left = int(db.sql("SELECT count(*) FROM token WHERE expires_s < %d" % time.time()))
    return (total - left) / (time.monotonic() - begin)


def measure_rows(b, pg, args):
    db = Database(pg, "many")
    s = mereau.Mereau(tenant=MACHINE_ONLY, server={"store": db.dsn}).start()
    rates = {}
    try:
        s.machine_token()
        for rows in (args.rows, args.many):
            s.stop()
            say("  filling up to {:,} rows ...".format(rows))
            begin = time.monotonic()
            fill(db, s, rows)
            b.notes.append("{:,} rows made in {:.0f} s".format(rows, time.monotonic() - begin))
            s.start()
            expiry = expiry_rate(s, db, rows)
            suffix = ", PostgreSQL, {:,} rows".format(rows)
            opaque = tokens_file(s, "opaque", sample(s, "machine", 2000))
            look = b.row("introspection, opaque" + suffix, s, "plain", {"METHOD": "POST", "PATH_": "/introspect", "TOKENS": opaque, "AUTH": basic(API)})["rate"]
            issue = b.row("client_credentials, opaque" + suffix, s, "constant", ISSUE)["rate"]
            b.rows.append({"name": "expired rows deleted, the housekeeper alone" + suffix, "rate": expiry})
            rates[rows] = {"look-up": look, "issue": issue, "expiry": expiry}
        sizes = [line.split("|") for line in db.sql("SELECT indexrelname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes WHERE relname = 'token' ORDER BY 2 DESC").splitlines()]
        sizes = [(n, int(size)) for n, size in sizes if int(size) > 1 << 20]
        table = int(db.sql("SELECT pg_table_size('token')"))
        few, many = rates[args.rows], rates[args.many]
        b.notes.append("at {:,} rows beside {:,}: ".format(args.many, args.rows) + ", ".join("%s %.2f" % (k, many[k] / few[k]) for k in few) + " (target: 0.5)")
        for name, size in [("token (the table)", table), *sizes]:
            b.notes.append("{}: {:.2f} GiB at {:,} rows, {:.0f} bytes a row; {:.0f} GiB at 1,000,000,000".format(
                name, size / 2**30, args.many, size / args.many, size / args.many * 1e9 / 2**30))
    finally:
        s.close()


def run(args):
    b = Bench(args)
    pg = with_postgres.Server(*OPTIONS).start()
    try:
        measure_engines(b, pg, args)
        if not args.quick:
            measure_rows(b, pg, args)
    finally:
        pg.stop()
    return {"rows": b.rows, "notes": b.notes, "floors": b.floors}
