"""Makes assets.c from the files named: their bytes, content types and ETags. usage: embed.py OUTPUT FILE..."""
import hashlib
import os
import sys

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".svg": "image/svg+xml"}

with open(sys.argv[1], "w", encoding="ascii") as out:
    out.write('#include "console/template.h"\n')
    rows = []
    for i, path in enumerate(sys.argv[2:]):
        data = open(path, "rb").read()
        out.write("static const unsigned char bytes_%d[] = {%s};\n" % (i, ",".join(map(str, data)) or "0"))
        rows.append('    {"%s", "%s", bytes_%d, %d, "\\"%s\\""},\n' % (
            os.path.basename(path), TYPES[os.path.splitext(path)[1]], i, len(data), hashlib.sha256(data).hexdigest()[:16]))
    out.write("const struct asset console_assets[] = {\n%s    {NULL, NULL, NULL, 0, NULL},\n};\n" % "".join(rows))
