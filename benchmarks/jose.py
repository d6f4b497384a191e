"""JOSE: whole signed tokens beside raw EVP on the same bytes and other C libraries (those whose Debian packages are installed)."""
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(HERE, "..", "build")
# The least share of EVP's rate: signing 90 %, ES256 and EdDSA verification 90 %, RS256 verification 85 %; HS256 at most 1.5 µs more.
SHARE = {"sign": 0.90, "verify": 0.90}
SHARES = {"RS256 verify": 0.85, "RS384 verify": 0.85, "RS512 verify": 0.85, "PS256 verify": 0.85, "PS384 verify": 0.85, "PS512 verify": 0.85, "RS256 libmereau verify": 0.85}
EXTRA_US = 1.5


def run(args):
    programs = ["benchmarks/bench-jose", "benchmarks/bench-jwe"]
    subprocess.run(["ninja", "-C", BUILD, *programs], check=True, stdout=subprocess.DEVNULL)
    out = "".join(subprocess.run([os.path.join(BUILD, p), "0.2" if args.quick else str(args.seconds / 5)], check=True, stdout=subprocess.PIPE,
                                 text=True).stdout for p in programs)
    rows, notes, missed = [], [], []
    for line in out.splitlines():
        name, ours, raw, *others = line.split("\t")
        ours, raw = float(ours), float(raw)
        others = {others[i]: float(others[i + 1]) for i in range(0, len(others), 2)}
        if name.startswith(("HS", "dir, A256GCM")):
            target = 1e6 / (1e6 / raw + EXTRA_US)
        elif name.split()[-1] in ("encrypt", "decrypt"):
            target = 0  # to be ahead of the libraries
        else:
            target = raw * SHARES.get(name, SHARE[name.split()[-1]])
        if ours < target or any(ours < rate for rate in others.values()):
            missed.append(name)
        rows.append({"name": name, "rate": ours, "target": int(target), "cpu_us": 1e6 / ours, "floor": ("EVP", raw) if raw else None, "others": others})
        if others:
            notes.append("%s, the others: %s" % (name, ", ".join("%s %s (%.1f times)" % (k, "{:,.0f}".format(v), ours / v)
                                                                   for k, v in others.items())))
    notes.append("under target or behind a library: %s" % (", ".join(missed) or "none"))
    return {"rows": rows, "notes": notes}
