"""The documents that are printed from tables say what the tables say, and links in the documents lead somewhere."""
import glob
import importlib.machinery
import importlib.util
import os
import re

import mereau

DOCS = os.path.join(mereau.ROOT, "docs")
LATER = set()


def script():
    loader = importlib.machinery.SourceFileLoader("docs_script", os.path.join(mereau.ROOT, "scripts", "docs"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("docs_script", loader))
    loader.exec_module(module)
    return module


def test_documents_are_those_of_the_tables(server):
    for name, text in script().documents(server).items():
        with open(os.path.join(DOCS, name), encoding="utf-8") as f:
            assert f.read() == text, "docs/%s: write it anew with scripts/docs" % name


def test_every_error_is_listed():
    with open(os.path.join(mereau.ROOT, "src", "base", "err.def"), encoding="utf-8") as f:
        want = set(re.findall(r"^E\((\w+),", f.read(), re.M)) - {"OK"}
    assert {r[0] for r in script().rows("base/err.def", "E")} - {"OK"} == want


def test_links_lead_somewhere():
    for file in glob.glob(os.path.join(mereau.ROOT, "*.md")) + glob.glob(os.path.join(DOCS, "**", "*.md"), recursive=True):
        with open(file, encoding="utf-8") as f:
            for to in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", f.read()):
                path = os.path.join(os.path.dirname(file), to)
                assert os.path.exists(path) or os.path.relpath(path, mereau.ROOT) in LATER, (os.path.relpath(file, mereau.ROOT), to)
