"""examples/node, with the library it names."""
import json
import os
import shutil
import subprocess

import pytest

import mereau

HERE = os.path.dirname(os.path.abspath(__file__))
NODE = os.path.join(mereau.ROOT, "examples", "node")


def test_node_example_names_the_version_tested():
    wanted = json.load(open(os.path.join(NODE, "package.json"), encoding="utf-8"))["dependencies"]["jose"]
    assert json.load(open(os.path.join(HERE, "package.json"), encoding="utf-8"))["dependencies"]["jose"] == wanted


@pytest.mark.skipif(not shutil.which("node"), reason="no node here")
def test_node_example(server, tmp_path):
    shutil.copy(os.path.join(NODE, "verify.mjs"), tmp_path)
    os.symlink(os.path.join(HERE, "node_modules"), tmp_path / "node_modules")
    good = server.machine_token(("machinejwt", mereau.MACHINE[1]))
    id_like = server.machine_token(mereau.MACHINE)
    head, body, sig = good.split(".")

    def run(audience, token):
        return subprocess.run(["node", str(tmp_path / "verify.mjs"), server.url, audience, token], capture_output=True, text=True, timeout=60, check=False)

    r = run("https://orders.example", good)
    assert r.returncode == 0 and "subject: " in r.stdout and "scope: orders.read" in r.stdout, r.stdout + r.stderr
    for audience, token in (("https://orders.example", ".".join([head, body, "A" * len(sig)])), ("https://other.example", good),
                            ("https://orders.example", id_like)):
        r = run(audience, token)
        assert r.returncode == 1 and "refused" in r.stderr and not r.stdout, r.stdout + r.stderr
