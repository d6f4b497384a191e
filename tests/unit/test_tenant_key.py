"""Sharding by tenant: every table's key on PostgreSQL begins with tenant_id, and every query names the tenant of each table it reads or writes,
but for those of the housekeeper and the like, which are listed here with the one file that may run each."""
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Tables of the store as a whole.
OF_ALL_TENANTS = {
    "meta": "a few numbers and keys of the store",
    "audit_checkpoint": "signs the heads of all tenants",
}
# Queries over all tenants, by the file that runs them: none of these answers a request.
OVER_ALL_TENANTS = {
    "store/sqlite_open.c": ["META_LAST_ID"],
    "token/expire.c": ["EXPIRE_*", "OLDEST_*"],
    "token/dead.c": ["DEAD_NODE_ALL", "DEAD_NODE_PAGE"],
    "token/keyring_tend.c": ["TENANT_KEY_DUE", "TENANT_KEY_AGES"],
    "token/keyring_rewrap.c": ["TENANT_KEY_WRAPPED"],
    "token/audit_seal.c": ["AUDIT_SEALS_SINCE"],
    "token/audit_checkpoint.c": ["AUDIT_TENANTS_SINCE"],
    "token/audit_verify.c": ["AUDIT_END", "AUDIT_COUNT", "AUDIT_SEALS", "AUDIT_ROWS"],
    "token/audit_retain.c": ["AUDIT_RETAIN_PAGE", "AUDIT_RETAIN"],
    "event/deliver.c": ["OUTBOX_DUE", "OUTBOX_PENDING", "OUTBOX_PURGE"],
    "oauth/register_store.c": ["REGISTRATION_DUE"],
    "app/restore.c": ["RESTORE_*"],
}


def preprocessed(define, include):
    source = "#define %s\n#include \"%s\"\n" % (define, include)
    return subprocess.run(["gcc", "-E", "-P", "-I", str(ROOT / "src"), "-x", "c", "-"], input=source, capture_output=True, text=True, check=True).stdout


def queries():
    text = preprocessed("Q(id, sql) QUERY id sql ;", "store/queries.def")
    for name, body in re.findall(r"QUERY (\w+) (.*?) ;", text, re.S):
        yield name, "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', body))


def tables():
    text = preprocessed("MIGRATION(version, what, sql) sql ;", "store/migrations.def")
    sql = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text))
    dropped = set(re.findall(r"DROP TABLE (\w+)", sql))
    return {name: body for name, body in re.findall(r"CREATE TABLE (\w+) \((.*?)\);", sql, re.S) if name not in dropped}


def levels(sql):
    """The statement and each SELECT within it, apart."""
    inner, at = [], 0
    while (m := re.compile(r"\(\s*SELECT\b").search(sql, at)) is not None:
        depth, end = 0, m.start()
        while True:
            depth += {"(": 1, ")": -1}.get(sql[end], 0)
            end += 1
            if depth == 0:
                break
        inner.append(sql[m.start() + 1:end - 1])
        sql = sql[:m.start()] + "(...)" + sql[end:]
        at = m.start() + 5
    parts = re.split(r"\bUNION ALL\b", sql)
    return parts + [p for s in inner for p in levels(s)]


def without_tenant(sql, keyed):
    """The tables in this statement whose tenant it does not name."""
    missing = []
    for level in levels(sql):
        if "INSERT INTO" in level:
            into = re.search(r"INSERT INTO (\w+)\s*\(([^)]*)\)", level)
            if into.group(1) in keyed and "tenant_id" not in into.group(2):
                missing.append(into.group(1))
            level = level[into.end():]
            level = level.split(" ON CONFLICT")[0]
        used = [(t, a) for t, a in re.findall(r"\b(?:FROM|JOIN|UPDATE)\s+(\w+)(?:\s+(?:AS\s+)?(?!WHERE|SET|ON|JOIN|LEFT|CROSS|ORDER|GROUP|LIMIT)(\w+))?", level)
                if t in keyed]
        for table, alias in used:
            names = [re.escape(n) + r"\." for n in (alias, table) if n]
            own = r"(?:%s)" % "|".join(names) + ("?" if len(used) == 1 else "")
            if not re.search(own + r"tenant_id\s*=\s*(?:\$\d|\w+\.tenant_id|0\b)|=\s*" + "(?:%s)tenant_id" % "|".join(names), level):
                missing.append(table)
    return missing


def listed(name):
    return [f for f, names in OVER_ALL_TENANTS.items() if any(re.fullmatch(n.replace("*", ".*"), name) for n in names)]


QUERIES, TABLES = dict(queries()), tables()
KEYED = set(TABLES) - set(OF_ALL_TENANTS)


@pytest.mark.parametrize("table", sorted(TABLES))
def test_key(table):
    keyed = "{key}" in TABLES[table] or re.search(r"PRIMARY KEY \(tenant_id\b", TABLES[table]) or re.search(r"\btenant_id BIGINT PRIMARY KEY", TABLES[table])
    assert bool(keyed) == (table not in OF_ALL_TENANTS)


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_query(name):
    missing = without_tenant(QUERIES[name], KEYED)
    if not listed(name):
        assert not missing, QUERIES[name]


def test_listed_ones_stay_where_they_are():
    for path in sorted((ROOT / "src").rglob("*.c")):
        text = path.read_text()
        for name in set(re.findall(r"\bQ_([A-Z_0-9]+)\b", text)):
            if files := listed(name):
                assert str(path.relative_to(ROOT / "src")) in files, name


@pytest.mark.parametrize("bad", [
    "SELECT scope FROM token WHERE id = $1",
    "UPDATE token SET revoked_s = $1 WHERE id = $2",
    "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE tenant_id = $1)",
    "SELECT 1 FROM grant_node g JOIN session s ON s.id = g.session_id WHERE g.tenant_id = $1",
    "INSERT INTO token (id, kind) VALUES ($1, $2)",
    "SELECT 1 FROM account WHERE tenant_id = $1 UNION ALL SELECT 1 FROM session WHERE id = $2",
])
def test_the_lint_itself(bad):
    assert without_tenant(bad, KEYED)
