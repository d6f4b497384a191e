"""A loaded run of some length: memory stays bounded, nothing fails, the audit trail verifies. MEREAU_SOAK_S seconds (default 5)."""
import os
import threading
import time

from test_kill import Load

SECONDS = float(os.environ.get("MEREAU_SOAK_S", "5"))


def rss_mib(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024


def test_soak(fresh):
    s = fresh(tenant={"refresh_grace": 0})
    load = Load(s, s.browser("ann"))
    threads = [threading.Thread(target=fn) for fn in (load.machine, load.machine, load.person, load.person)]
    for t in threads:
        t.start()
    time.sleep(SECONDS / 2)
    half = rss_mib(s.process.pid)
    time.sleep(SECONDS / 2)
    load.stop.set()
    for t in threads:
        t.join()
    assert load.access and load.live_refresh
    assert rss_mib(s.process.pid) < half + 30
    for token in load.access[-20:]:
        assert s.active(token)
    assert "ERROR" not in s.log_text() and '"level":"error"' not in s.log_text()
    assert "rows" in s.cli("audit", "verify").stdout
