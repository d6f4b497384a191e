"""./bench GROUP...: runs groups of measurements on the release build and prints a table for each.

usage: ./bench [GROUP ...] [--seconds S] [--connections C] [--rows N] [--json FILE] [--quick]
groups: oauth, oidc, jose, store"""
import argparse
import json
import os
import platform
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "tests", "flow")]

import jose  # noqa: E402
import oauth  # noqa: E402
import oidc  # noqa: E402
import store  # noqa: E402

GROUPS = {"oauth": oauth.run, "oidc": oidc.run, "jose": jose.run, "store": store.run}


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        cpu = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo", encoding="utf-8") as f:
        gib = int(f.readline().split()[1]) / 1048576
    return "%d cores of %s, %.0f GiB, Linux %s, load generator on the same cores, plain HTTP on loopback" % (
        os.cpu_count(), cpu, gib, platform.release().split("-")[0])


def table(rows):
    """rows: dicts with name, rate, cpu_us, p50_ms, p99_ms, target, floor (name, rate), note."""
    print("| operation | operations/s | target | CPU µs/op | p50 ms | p99 ms | floor of the same run | ratio |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |")
    for r in rows:
        floor = r.get("floor")
        print("| %s | %s | %s | %s | %s | %s | %s | %s |" % (
            r["name"], "{:,.0f}".format(r["rate"]), "{:,}".format(r["target"]) if r.get("target") else "",
            "%.1f" % r["cpu_us"] if r.get("cpu_us") else "", "%.2f" % r["p50_ms"] if r.get("p50_ms") else "",
            "%.2f" % r["p99_ms"] if r.get("p99_ms") else "", "%s: %s" % (floor[0], "{:,.0f}".format(floor[1])) if floor else "",
            "%.2f" % (r["rate"] / floor[1]) if floor else ""))


def main():
    p = argparse.ArgumentParser(prog="./bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("groups", nargs="*", help="oauth, oidc, jose, store (default: all)")
    p.add_argument("--seconds", type=float, default=5, help="seconds a measurement (default 5)")
    p.add_argument("--connections", type=int, default=64)
    p.add_argument("--rows", type=int, default=1000000, help="live tokens of the large store (default 1,000,000)")
    p.add_argument("--many", type=int, default=20000000, help="rows of the largest table (default 20,000,000)")
    p.add_argument("--quick", action="store_true", help="leaves out what needs the large store and the long run")
    p.add_argument("--json", metavar="FILE", help="writes the figures there as well")
    args = p.parse_args()
    unknown = [g for g in args.groups if g not in GROUPS]
    if unknown:
        p.error("no such group: %s (there are: %s)" % (", ".join(unknown), ", ".join(GROUPS)))
    out = {"machine": machine(), "groups": {}}
    print(out["machine"])
    for name in args.groups or GROUPS:
        print("\n## %s" % name)
        result = GROUPS[name](args)
        out["groups"][name] = result
        table(result["rows"])
        for line in result["notes"]:
            print("- " + line)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(out, f, indent=1)


if __name__ == "__main__":
    main()
