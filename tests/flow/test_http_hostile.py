"""Wrong, oversized and slow requests by raw sockets (A89), and what strangers say of themselves (A84): against the real
binary, and against the HTTP layer alone (http-echo), where time limits can be short."""
import contextlib
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
import warnings

import pytest

import mereau

ECHO = os.environ.get("MEREAU_HTTP_ECHO", os.path.join(os.path.dirname(mereau.BINARY), "tests", "unit", "http-echo"))
SLOW = mereau.SLOW
HEADERS_MAX, LINES_MAX, BODY_MAX = 12 * 1024, 96, 64 * 1024  # base/limits.h


class Echo:
    """One http-echo process. echo(*arguments): a context."""

    def __init__(self, *args):
        self.process = subprocess.Popen([ECHO, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline().split()
        assert line, self.process.stderr.read()
        self.ports = [int(p) for p in line]
        self.port = self.ports[0]
        self.get, self.post, self.public = "/hello", "/echo", "/info"

    def end(self, check=True):
        self.process.send_signal(signal.SIGTERM)
        err = self.process.communicate(timeout=30 * SLOW)[1]
        if check:
            assert self.process.returncode == 0, err.decode()


@contextlib.contextmanager
def echo(*args):
    if not os.path.exists(ECHO):
        pytest.skip("http-echo is not built")
    e = Echo(*args)
    try:
        yield e
    finally:
        e.end()


@pytest.fixture(scope="module")
def plain():
    with echo("--listen", "127.0.0.1:0") as e:
        yield e


class Real:
    def __init__(self, server):
        self.port, self.get, self.post = server.port, "/.well-known/oauth-authorization-server", "/token"


@pytest.fixture(scope="module", params=["layer", "mereau"])
def target(request):
    if request.param == "layer":
        return request.getfixturevalue("plain")
    return Real(request.getfixturevalue("server"))


def connect(port, timeout=15):
    s = socket.create_connection(("127.0.0.1", port), timeout=timeout * SLOW)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


def read_answer(s, head=False):
    """One answer; None if the connection ended before one."""
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            got = s.recv(65536)
            if not got:
                return None
            data += got
        top, body = data.split(b"\r\n\r\n", 1)
        lines = top.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            k, v = line.split(": ", 1)
            headers.setdefault(k.lower(), []).append(v)
        length = 0 if head else int(headers.get("content-length", ["0"])[0])
        while len(body) < length:
            got = s.recv(65536)
            if not got:
                break
            body += got
        return Answer(int(lines[0].split(" ")[1]), headers, body)
    except ConnectionResetError:
        return None


def closed(s, within=5):
    """True if the server ends the connection in time (and says nothing more)."""
    s.settimeout(within * SLOW)
    try:
        return s.recv(1) == b""
    except ConnectionResetError:
        return True
    except socket.timeout:
        return False


def ask(port, request, **kw):
    with connect(port) as s:
        s.sendall(request)
        return read_answer(s, **kw)


def head(target, *lines, method="GET", path=None, version="HTTP/1.1", host=True):
    path = path or (target.get if method == "GET" else target.post)
    out = [b"%s %s %s" % (method.encode(), path.encode(), version.encode())]
    if host:
        out.append(b"Host: 127.0.0.1:%d" % target.port)
    out += [line if isinstance(line, bytes) else line.encode() for line in lines]
    return b"\r\n".join(out) + b"\r\n\r\n"


def alive(target):
    a = ask(target.port, head(target))
    return a is not None and a.status == 200


# Head lines that make a request wrong, and the method. All are answered 400 and the connection is closed.
WRONG_HEADS = {
    "length with coding": ("POST", "Content-Length: 3", "Transfer-Encoding: chunked"),
    "coding with length": ("POST", "Transfer-Encoding: chunked", "Content-Length: 3"),
    "two lengths": ("POST", "Content-Length: 3", "Content-Length: 4"),
    "the same length twice": ("POST", "Content-Length: 3", "Content-Length: 3"),
    "length list": ("POST", "Content-Length: 3, 3"),
    "negative length": ("POST", "Content-Length: -1"),
    "signed length": ("POST", "Content-Length: +3"),
    "hexadecimal length": ("POST", "Content-Length: 0x3"),
    "empty length": ("POST", "Content-Length: "),
    "word for a length": ("POST", "Content-Length: abc"),
    "length with a space inside": ("POST", "Content-Length: 1 0"),
    "two codings": ("POST", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "coding gzip": ("POST", "Transfer-Encoding: gzip"),
    "coding list": ("POST", "Transfer-Encoding: gzip, chunked"),
    "coding identity": ("POST", "Transfer-Encoding: identity"),
    "coding with a tab": ("POST", "Transfer-Encoding: chunked\t;q=1"),
    "odd coding": ("POST", "Transfer-Encoding: xchunked"),
    "empty coding": ("POST", "Transfer-Encoding:"),
    "two hosts": ("GET", "Host: other.example"),
    "space before the colon": ("GET", "X-Test : 1"),
    "space before the colon of the length": ("POST", "Content-Length : 3"),
    "tab before the colon": ("GET", "X-Test\t: 1"),
    "space in a name": ("GET", "X Test: 1"),
    "CR in a name": ("GET", b"X-Te\rst: 1"),
    "CR at the start of a name": ("GET", b"\rX-Test: 1"),
    "CR in a value": ("GET", b"X-Test: a\rContent-Length: 5"),
    "control in a value": ("GET", b"X-Test: a\x01"),
    "DEL in a value": ("GET", b"X-Test: a\x7f"),
    "no name": ("GET", ": 1"),
    "no colon": ("GET", "X-Test"),
    "parenthesis in a name": ("GET", "X(Test): 1"),
    "a name that is not ASCII": ("GET", b"X-T\xc3\xa9st: 1"),
    "folded line": ("GET", "X-Test: a\r\n b"),
    "folded with a tab": ("GET", "X-Test: a\r\n\tb"),
    "fold hiding a length": ("POST", "X-Test: a\r\n Content-Length: 3"),
    "first line folded": ("GET", " X-Test: a"),
    "NUL in a value": ("GET", b"X-Test: a\0b"),
    "NUL hiding a length": ("POST", b"Content-Length: 3\0004"),
    "NUL in a name": ("GET", b"X-T\0est: 1"),
    "NUL before a name": ("GET", b"\0Content-Length: 5", b"X-Test: 1"),
}


@pytest.mark.parametrize("name", WRONG_HEADS)
def test_A89_wrong_head(target, name):
    method, *lines = WRONG_HEADS[name]
    with connect(target.port) as s:
        # what follows would be a second request to somebody who reads the lengths another way
        s.sendall(head(target, *lines, method=method) + b"abc" + head(target))
        answer = read_answer(s)
        assert answer is not None, "no answer"
        assert answer.status == 400
        assert closed(s), "the connection stays open, or a second answer came"
    assert alive(target)


WRONG_STARTS = {
    "NUL in the target": b"GET /hello\0x HTTP/1.1\r\nHost: a\r\n\r\n",
    "space in the target": b"GET /hel lo HTTP/1.1\r\nHost: a\r\n\r\n",
    "no version": b"GET /hello\r\n\r\n",
    "HTTP/1.2": b"GET /hello HTTP/1.2\r\nHost: a\r\n\r\n",
    "lower case version": b"GET /hello http/1.1\r\nHost: a\r\n\r\n",
    "no host": b"GET /hello HTTP/1.1\r\n\r\n",
    "empty host": b"GET /hello HTTP/1.1\r\nHost:\r\n\r\n",
    "host with a path": b"GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "host with a user": b"GET /hello HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "host with a space": b"GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n",
    "host list": b"GET /hello HTTP/1.1\r\nHost: a, b\r\n\r\n",
    "coding on 1.0": b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", WRONG_STARTS)
def test_A89_wrong_start(target, name):
    with connect(target.port) as s:
        s.sendall(WRONG_STARTS[name])
        answer = read_answer(s)
        assert answer is not None and answer.status == 400
        assert closed(s)
    assert alive(target)


@pytest.mark.parametrize("version,status", [("HTTP/2.0", 505), ("HTTP/0.9", 505), ("HTTP/3.0", 505)])
def test_A89_other_versions(target, version, status):
    with connect(target.port) as s:
        s.sendall(head(target, version=version))
        answer = read_answer(s)
        assert answer is not None and answer.status == status
        assert closed(s)


def test_http2_preface_is_refused(target):
    with connect(target.port) as s:
        s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        answer = read_answer(s)
        assert answer is None or answer.status in (400, 505)
        assert closed(s)


WRONG_PATHS = ["/../etc/passwd", "/a/../hello", "/%2e%2e/hello", "/.%2E/hello", "/hello/.", "/hello%2f..", "/hel%2Flo", "/hello%00",
               "/hello%0d%0aX: 1", "//hello", "/a//b", "/hello\\..", "/hello%5c..", "/hello%", "/hello%zz", "/%c0%af", "*", "hello"]


@pytest.mark.parametrize("path", WRONG_PATHS)
def test_wrong_path(target, path):
    with connect(target.port) as s:
        s.sendall(head(target, path=path.replace(" ", "%20")))
        answer = read_answer(s)
        assert answer.status == 400
        s.sendall(head(target))  # the framing was right: the connection lives
        assert read_answer(s).status == 200


def test_not_found_and_not_allowed_keep_the_connection(target):
    with connect(target.port) as s:
        s.sendall(head(target, path="/no/such/thing"))
        assert read_answer(s).status == 404
        s.sendall(head(target, "Content-Length: 3", method="DELETE", path=target.get) + b"abc")
        answer = read_answer(s)
        assert answer.status == 405
        assert "GET" in answer.headers["allow"][0] and "HEAD" in answer.headers["allow"][0]
        s.sendall(head(target, method="BREW", path=target.get))
        assert read_answer(s).status == 405
        s.sendall(head(target, method="HEAD", path=target.get))
        answer = read_answer(s, head=True)
        assert answer.status == 200 and int(answer.headers["content-length"][0]) > 0 and answer.body == b""
        s.sendall(head(target))
        assert read_answer(s).status == 200


def test_every_answer_has_its_headers(target):
    ids = set()
    for request in (head(target), head(target, path="/none"), head(target, host=False)):
        answer = ask(target.port, request)
        assert len(answer.headers["x-request-id"]) == 1 and len(answer.headers["x-request-id"][0]) == 26
        assert "date" in answer.headers and len(answer.headers["cache-control"]) == 1
        ids.add(answer.headers["x-request-id"][0])
    assert len(ids) == 3


def test_absolute_form(plain):
    answer = ask(plain.port, b"GET http://other.example:99/info?x=1 HTTP/1.1\r\nHost: first.example\r\n\r\n")
    assert answer.status == 200
    assert answer.json()["host"] == "other.example:99" and answer.json()["query"] == "x=1"
    assert ask(plain.port, b"GET http://a@b/info HTTP/1.1\r\nHost: c\r\n\r\n").status == 400


def test_http10(plain):
    with connect(plain.port) as s:
        s.sendall(b"GET /info HTTP/1.0\r\n\r\n")
        answer = read_answer(s)
        assert answer.status == 200 and answer.json()["host"] == ""
        assert closed(s)


def test_pipelining(plain):
    with connect(plain.port) as s:
        s.sendall((head(plain) + head(plain, "Content-Length: 3", method="POST") + b"abc" + head(plain, path="/work")) * 20)
        data = b""
        while data.count(b"HTTP/1.1 200") < 60 or not data.endswith(b"world\n"):
            got = s.recv(65536)
            assert got
            data += got
        assert data.count(b"\r\n\r\nabc") == 20


# --- sizes ---

def head_of(target, size):
    """A head of exactly so many bytes."""
    short = head(target, "X-Test: ")
    return head(target, "X-Test: " + "a" * (size - len(short)))


def test_A89_header_limit(target):
    assert len(head_of(target, HEADERS_MAX)) == HEADERS_MAX
    assert ask(target.port, head_of(target, HEADERS_MAX)).status == 200
    with connect(target.port) as s:
        s.sendall(head_of(target, HEADERS_MAX + 1))
        assert read_answer(s).status == 431
        assert closed(s)
    assert alive(target)


@pytest.mark.parametrize("size", [20_000, 64 * 1024, 1024 * 1024])
def test_A89_oversized_header(target, size):
    with connect(target.port) as s:
        with contextlib.suppress(ConnectionError):
            s.sendall(head_of(target, size))
        answer = read_answer(s)
        assert answer is not None and answer.status == 431
    assert alive(target)


def test_A89_header_lines(target):
    fits = ["X-Test: %d" % i for i in range(LINES_MAX - 1)]  # and Host
    assert ask(target.port, head(target, *fits)).status == 200
    assert ask(target.port, head(target, *fits, "X-Test: more")).status == 431
    assert ask(target.port, head(target, *(fits * 20))).status == 431
    assert alive(target)


def test_A89_oversized_target(target):
    for n in (HEADERS_MAX, 64 * 1024):
        with connect(target.port) as s:
            with contextlib.suppress(ConnectionError):
                s.sendall(head(target, path=target.get + "?" + "a" * n))
            assert read_answer(s).status in (414, 431)
    assert alive(target)


def chunked(*parts):
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n"


def test_body_limit(plain):
    def post(path, n):
        return ask(plain.port, head(plain, "Content-Length: %d" % n, method="POST", path=path) + b"a" * n)

    for path, limit in (("/echo", BODY_MAX), ("/work-echo", BODY_MAX), ("/small", 100)):
        assert post(path, limit).body == b"a" * limit
        assert post(path, limit + 1).status == 413
    assert post("/large", 5_000_000).body == b"a" * 5_000_000
    assert post("/echo", 0).status == 200


def test_body_limit_chunked(plain):
    def post(path, body):
        return ask(plain.port, head(plain, "Transfer-Encoding: chunked", method="POST", path=path) + body)

    assert post("/small", chunked(b"a" * 60, b"b" * 40)).body == b"a" * 60 + b"b" * 40
    assert post("/small", chunked(b"a" * 60, b"b" * 41)).status == 413
    assert post("/echo", chunked(*[b"c"] * 1000)).body == b"c" * 1000
    assert post("/echo", chunked(b"x" * BODY_MAX)).body == b"x" * BODY_MAX
    assert post("/echo", chunked(b"x" * BODY_MAX, b"y")).status == 413
    assert post("/echo", b"0\r\nX-Trailer: 1\r\n\r\n").status == 200


@pytest.mark.parametrize("body", [b"xyz\r\nabc", b"-1\r\na\r\n0\r\n\r\n", b"ffffffffffffffffff\r\na", b"3\r\nabcd\r\n0\r\n\r\n", b"\r\n"])
def test_wrong_chunks(target, body):
    with connect(target.port) as s:
        s.sendall(head(target, "Transfer-Encoding: chunked", method="POST") + body)
        answer = read_answer(s)
        assert answer is None or answer.status in (400, 413)
        assert closed(s)
    assert alive(target)


def test_A89_large_form_is_refused_before_it_is_sent(target):
    with connect(target.port) as s:
        s.sendall(head(target, "Content-Length: 10000000", "Content-Type: application/x-www-form-urlencoded", method="POST"))
        assert read_answer(s).status == 413
    assert alive(target)


def test_A89_large_form_sent_all_the_same(target):
    """Who sends first and reads later gets his answer too: the rest is read, not reset."""
    with connect(target.port) as s:
        s.sendall(head(target, "Content-Length: 10000000", method="POST"))
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 10_000_000:
                sent += s.send(b"a" * 65536)
        answer = read_answer(s)
        assert answer is not None and answer.status == 413
    assert alive(target)


def test_A89_large_chunked_form(target):
    with connect(target.port) as s:
        s.sendall(head(target, "Transfer-Encoding: chunked", method="POST"))
        for _ in range(160):
            s.sendall(b"10000\r\n" + b"a" * 65536 + b"\r\n")
        s.sendall(b"0\r\n\r\n")
        assert read_answer(s).status == 413
    assert alive(target)


def test_endless_chunks_are_cut(plain):
    with connect(plain.port) as s:
        s.sendall(head(plain, "Transfer-Encoding: chunked", method="POST"))
        with pytest.raises(ConnectionError):
            for _ in range(4096):
                s.sendall(b"10000\r\n" + b"a" * 65536 + b"\r\n")
    assert alive(plain)


def test_expect_continue(plain):
    with connect(plain.port) as s:
        s.sendall(head(plain, "Content-Length: 3", "Expect: 100-continue", method="POST"))
        assert s.recv(100).startswith(b"HTTP/1.1 100 ")
        s.sendall(b"abc")
        assert read_answer(s).body == b"abc"
        s.sendall(head(plain, "Content-Length: 3", "Expect: 100-continue", method="POST", path="/none"))
        assert read_answer(s).status == 404  # and nothing was sent in vain


def test_response_headers_cannot_be_split(plain):
    answer = ask(plain.port, head(plain, path="/headers"))
    assert "x-bad" not in answer.headers and "x-injected" not in answer.headers
    assert answer.headers["set-cookie"] == ["a=1", "b=2"] and answer.headers["cache-control"] == ["max-age=60"]


def test_cookies_and_headers(plain):
    answer = ask(plain.port, head(plain, "Cookie: a=1; xsession=no; session=yes; b=2", "X-TEST:  v1 \t", "x-test: v2", path="/info"))
    assert answer.json()["cookie"] == "yes"
    assert answer.json()["x"] == "v1" and answer.json()["nx"] == 2
    answer = ask(plain.port, head(plain, "Cookie: a=1", "Cookie: session=second", path="/t/acme/info"))
    assert answer.json()["cookie"] == "second" and answer.json()["capture"] == "acme"
    answer = ask(plain.port, head(plain, path="/files/a%20b/v/c/d"))
    assert answer.json()["capture"] == "a b" and answer.json()["capture2"] == "c/d"


# --- slow ones ---

def drip(s, data, stop, pause=0.2):
    """Sends a byte at a time until the connection ends; when it did."""
    start = time.monotonic()
    try:
        for i in range(len(data)):
            if time.monotonic() - start > stop:
                return None
            s.sendall(data[i:i + 1])
            time.sleep(pause)
            s.setblocking(False)
            try:
                if s.recv(1) == b"":
                    return time.monotonic() - start
            except BlockingIOError:
                pass
            s.setblocking(True)
    except ConnectionError:
        return time.monotonic() - start
    return None


@pytest.fixture(scope="module")
def hasty():
    with echo("--header-s", "2", "--body-s", "3", "--idle-s", "4") as e:
        yield e


def test_A89_slow_header(hasty):
    with connect(hasty.port) as s:
        took = drip(s, head_of(hasty, 2000), 10 * SLOW)
    assert took is not None and 1.5 < took < 6 * SLOW
    assert alive(hasty)


def test_A89_slow_second_header(hasty):
    """On a kept connection too, where nobody tells when a request begins."""
    with connect(hasty.port) as s:
        s.sendall(head(hasty))
        assert read_answer(s).status == 200
        took = drip(s, head_of(hasty, 2000), 20 * SLOW)
    assert took is not None and took < 12 * SLOW


def test_A89_slow_body(hasty):
    with connect(hasty.port) as s:
        s.sendall(head(hasty, "Content-Length: 5000", method="POST"))
        took = drip(s, b"a" * 5000, 10 * SLOW)
    assert took is not None and 2 < took < 8 * SLOW


def test_A89_slow_chunks(hasty):
    with connect(hasty.port) as s:
        s.sendall(head(hasty, "Transfer-Encoding: chunked", method="POST"))
        took = drip(s, b"1\r\na\r\n" * 5000, 10 * SLOW)
    assert took is not None and 2 < took < 8 * SLOW


def test_silent_connections_end(hasty):
    with connect(hasty.port) as silent, connect(hasty.port) as kept:
        kept.sendall(head(hasty))
        assert read_answer(kept).status == 200
        start = time.monotonic()
        assert closed(silent, 8)
        assert closed(kept, 10)
        assert 3 < time.monotonic() - start < 10 * SLOW


def test_slow_reader_ends(hasty):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", hasty.port))
        s.sendall(head(hasty, path="/big?900000") * 20)
        time.sleep(1)
    assert alive(hasty)


def test_slow_handler_is_not_cut(hasty):
    answer = ask(hasty.port, head(hasty, path="/slow?6000"))
    assert answer is not None and answer.status == 200


def test_A89_slow_ones_do_not_hurt_others(target):
    sockets = [connect(target.port) for _ in range(300)]
    try:
        for i, s in enumerate(sockets):
            s.sendall(head(target, "X-Test: 1", method="POST")[:20 + i % 20])
        start = time.monotonic()
        for _ in range(100):
            assert alive(target)
        assert time.monotonic() - start < 5 * SLOW
    finally:
        for s in sockets:
            s.close()


def test_A89_slow_header_real_limit(server):
    with connect(server.port) as s:
        took = drip(s, head_of(Real(server), 4000), 20 * SLOW)
    assert took is not None and 8 < took < 14 * SLOW


# --- many ---

def test_connection_limit_drops_cleanly():
    with echo("--connections", "20") as e:
        kept = [connect(e.port) for _ in range(20)]
        time.sleep(0.2)
        with connect(e.port) as s:
            assert closed(s)
        kept[0].close()
        time.sleep(0.2)
        assert alive(e)
        for s in kept:
            s.close()


def test_limit_per_address():
    """Loopback has none; who comes through a trusted proxy does."""
    with echo("--proxy", "127.0.0.1:0", "--trust", "127.0.0.1", "--per-address", "3") as e:
        def come(address):
            s = connect(e.port)
            s.sendall(proxy_v2(address) + head(e, path="/info"))
            return s, read_answer(s)

        first = [come("9.9.9.9") for _ in range(3)]
        assert all(a.status == 200 for _, a in first)
        s, answer = come("9.9.9.9")
        assert answer is None
        s.close()
        assert come("9.9.9.8")[1].status == 200
        first[0][0].close()
        time.sleep(0.3)
        assert come("9.9.9.9")[1].status == 200


def test_full_queue_answers_at_once():
    with echo("--workers", "1", "--queue", "4") as e:
        busy = [connect(e.port) for _ in range(5)]
        for s in busy:
            s.sendall(head(e, path="/slow?1500"))
            time.sleep(0.05)
        start = time.monotonic()
        answer = ask(e.port, head(e, path="/slow?1500"))
        assert answer.status == 503 and answer.headers["retry-after"] == ["1"]
        assert time.monotonic() - start < 1 * SLOW
        assert alive(e)  # inline routes do not wait
        for s in busy[:2]:
            assert read_answer(s).status == 200
        for s in busy:
            s.close()


def test_tenants_take_turns():
    """One tenant fills the queue; another's request makes room for itself and does not wait for all of it."""
    with echo("--workers", "1", "--queue", "16") as e:
        hog = [connect(e.port) for _ in range(17)]
        for s in hog:
            s.sendall(head(e, path="/t/hog/slow?200"))
            time.sleep(0.01)
        start = time.monotonic()
        answer = ask(e.port, head(e, path="/t/small/slow?1"))
        assert answer.status == 200 and time.monotonic() - start < 1.5 * SLOW
        statuses = [read_answer(s).status for s in hog]
        assert statuses.count(503) == 1 and statuses.count(200) == 16
        for s in hog:
            s.close()


def test_quarter_of_the_workers():
    """While another waits, a tenant holds no more than a quarter of the threads."""
    with echo("--workers", "4", "--queue", "64") as e:
        hog = [connect(e.port) for _ in range(40)]
        for s in hog:
            s.sendall(head(e, path="/t/hog/slow?100"))
        time.sleep(0.05)
        start = time.monotonic()
        small = [connect(e.port) for _ in range(9)]
        for s in small:
            s.sendall(head(e, path="/t/small/slow?100"))
        assert all(read_answer(s).status == 200 for s in small)
        assert time.monotonic() - start < 0.9 * SLOW  # 9 of 49 requests of 100 ms on 4 threads
        for s in hog + small:
            s.close()


# --- who is it ---

def proxy_v2(address, family=0x11, tlv=b"", command=0x21):
    pack = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    if ":" in address:
        family = 0x21
    body = pack + pack + struct.pack("!HH", 1000, 443) + tlv
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH", command, family, len(body)) + body


FORGED = ("X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example")


def test_A84_strangers_are_not_believed(plain):
    got = ask(plain.port, head(plain, *FORGED, path="/info")).json()
    assert got["peer"] == "127.0.0.1" and got["https"] is False and got["host"] == "127.0.0.1:%d" % plain.port


@pytest.fixture(scope="module")
def behind():
    with echo("--listen", "127.0.0.1:0", "--proxy", "127.0.0.1:0", "--trust", "127.0.0.0/8", "--trust", "10.0.0.0/8") as e:
        yield e


FORWARDED = {
    "plain": (FORGED, "1.2.3.4", True, "evil.example"),
    "invented on the left": (("X-Forwarded-For: 6.6.6.6, 1.2.3.4",), "1.2.3.4", False, None),
    "through two trusted": (("X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.1.1.1",), "1.2.3.4", False, None),
    "in two fields": (("X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 1.2.3.4, 10.1.1.1"), "1.2.3.4", False, None),
    "across two fields": (("X-Forwarded-For: 6.6.6.6, 1.2.3.4", "X-Forwarded-For: 10.1.1.1"), "1.2.3.4", False, None),
    "not an address": (("X-Forwarded-For: localhost",), "127.0.0.1", False, None),
    "markup": (("X-Forwarded-For: <script>alert(1)</script>",), "127.0.0.1", False, None),
    "an address behind junk": (("X-Forwarded-For: 1.2.3.4, evil.example",), "127.0.0.1", False, None),
    "junk behind fields": (("X-Forwarded-For: 1.2.3.4", "X-Forwarded-For: junk"), "127.0.0.1", False, None),
    "IPv6 with port": (("X-Forwarded-For: [2001:db8::7]:443",), "2001:db8::7", False, None),
    "odd proto": (("X-Forwarded-Proto: gopher",), "127.0.0.1", False, None),
    "proto list": (("X-Forwarded-Proto: http, https",), "127.0.0.1", True, None),
    "host list": (("X-Forwarded-Host: a.example, b.example",), "127.0.0.1", False, "b.example"),
    "host that is none": (("X-Forwarded-Host: a/b",), "127.0.0.1", False, None),
}


@pytest.mark.parametrize("name", FORWARDED)
def test_A84_trusted_peers(behind, name):
    lines, peer, https, host = FORWARDED[name]
    got = ask(behind.port, head(behind, *lines, path="/info")).json()
    assert (got["peer"], got["https"], got["host"]) == (peer, https, host or "127.0.0.1:%d" % behind.port)


def test_proxy_protocol(behind):
    port = behind.ports[1]

    def info(start, *lines):
        return ask(port, start + head(behind, *lines, path="/info"))

    assert info(proxy_v2("1.2.3.4")).json()["peer"] == "1.2.3.4"
    assert info(proxy_v2("2001:db8::7")).json()["peer"] == "2001:db8::7"
    assert info(proxy_v2("1.2.3.4", tlv=b"\x20\x00\x05\x01\0\0\0\0")).json()["https"] is True
    assert info(proxy_v2("1.2.3.4", command=0x20)).json()["peer"] == "127.0.0.1"
    # whom the proxy names is a stranger again; a proxy of ours behind it is not
    assert info(proxy_v2("1.2.3.4"), *FORGED).json()["peer"] == "1.2.3.4"
    assert info(proxy_v2("10.0.0.1"), *FORGED).json()["peer"] == "1.2.3.4"
    assert info(b"") is None
    assert info(b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n") is None
    assert alive(behind)


def test_proxy_protocol_in_pieces(behind):
    with connect(behind.ports[1]) as s:
        for byte in proxy_v2("1.2.3.4"):
            s.sendall(bytes([byte]))
            time.sleep(0.005)
        s.sendall(head(behind, path="/info"))
        assert read_answer(s).json()["peer"] == "1.2.3.4"


def test_proxy_protocol_silent():
    with echo("--proxy", "127.0.0.1:0", "--trust", "127.0.0.1", "--header-s", "1") as e:
        with connect(e.port) as s:
            assert closed(s, 5)
        with connect(e.port) as s:
            s.sendall(proxy_v2("1.2.3.4")[:14])
            assert closed(s, 5)


def test_proxy_protocol_needs_trust():
    if not os.path.exists(ECHO):
        pytest.skip("http-echo is not built")
    r = subprocess.run([ECHO, "--proxy", "127.0.0.1:0"], capture_output=True, text=True, timeout=10 * SLOW)
    assert r.returncode == 1 and "trusted_proxies" in r.stderr
    with echo("--proxy", "127.0.0.1:0", "--trust", "10.0.0.1") as e:
        with connect(e.port) as s:
            s.sendall(proxy_v2("1.2.3.4"))
            assert closed(s)


# --- listeners, start, end ---

def test_listeners(tmp_path):
    path = str(tmp_path / "http.sock")
    with socket.socket() as old:  # what a killed server leaves
        with socket.socket(socket.AF_UNIX) as u:
            u.bind(path)
    passed = socket.create_server(("127.0.0.1", 0))
    os.set_inheritable(passed.fileno(), True)
    p = subprocess.Popen([ECHO, "--listen", "unix:" + path, "--listen", "[::1]:0", "--management", "127.0.0.1:0",
                          "--listen", "fd:%d" % passed.fileno(), "--trust", "unix"], stdout=subprocess.PIPE, pass_fds=[passed.fileno()])
    ports = [int(x) for x in p.stdout.readline().split()]
    assert ports[3] == passed.getsockname()[1]
    request = b"GET /info HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as u:
        u.connect(path)
        u.sendall(request)
        assert read_answer(u).json()["peer"] == "1.2.3.4"
    with socket.create_connection(("::1", ports[1])) as s:
        s.sendall(request)
        assert read_answer(s).json()["peer"] == "::1"
    assert ask(ports[3], request).json()["peer"] == "127.0.0.1"
    assert ask(ports[2], request).status == 404  # management has its own routes
    assert ask(ports[2], b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n").status == 200
    assert ask(ports[3], b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n").status == 404
    second = subprocess.run([ECHO, "--listen", "unix:" + path], capture_output=True, text=True, timeout=10 * SLOW)
    assert second.returncode == 1 and "in use" in second.stderr
    p.terminate()
    assert p.wait(20 * SLOW) == 0
    assert not os.path.exists(path)
    passed.close()


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost:80", "127.0.0.1:99999", "::1:80", "[::1]", "unix:relative", "fd:1", "fd:99", ""])
def test_wrong_listener(plain, address):
    r = subprocess.run([ECHO, "--listen", address], capture_output=True, text=True, timeout=10 * SLOW)
    assert r.returncode == 1 and "server.listen" in r.stderr


def test_port_in_use(plain):
    r = subprocess.run([ECHO, "--listen", "127.0.0.1:%d" % plain.port], capture_output=True, text=True, timeout=10 * SLOW)
    assert r.returncode == 1 and "in use" in r.stderr


def test_stop_finishes_what_is_under_way():
    with echo("--grace", "10") as e:
        with connect(e.port) as slow, connect(e.port) as idle, connect(e.port) as body:
            idle.sendall(head(e))
            assert read_answer(idle).status == 200
            slow.sendall(head(e, path="/slow?1200"))
            body.sendall(head(e, "Content-Length: 4", method="POST") + b"ab")
            time.sleep(0.3)
            e.process.send_signal(signal.SIGTERM)
            assert closed(idle, 2)
            time.sleep(0.3)
            with pytest.raises(ConnectionError):
                connect(e.port)
            body.sendall(b"cd")
            answer = read_answer(body)
            assert answer.body == b"abcd" and answer.headers["connection"] == ["close"]
            answer = read_answer(slow)
            assert answer.status == 200 and answer.headers["connection"] == ["close"]
        start = time.monotonic()
        assert e.process.wait(10 * SLOW) == 0
        assert time.monotonic() - start < 3 * SLOW


def test_stop_gives_up_after_grace():
    with echo("--grace", "1", "--workers", "1") as e:
        with connect(e.port) as busy, connect(e.port) as waiting, connect(e.port) as body:
            busy.sendall(head(e, path="/slow?2500"))
            time.sleep(0.1)
            waiting.sendall(head(e, path="/slow?2500"))
            body.sendall(head(e, "Content-Length: 4", method="POST") + b"ab")
            time.sleep(0.2)
            start = time.monotonic()
            e.process.send_signal(signal.SIGTERM)
            answer = read_answer(waiting)
            assert answer is None or answer.status == 503
            assert e.process.wait(10 * SLOW) == 0
            assert 1 < time.monotonic() - start < 5 * SLOW


def test_metrics():
    if not os.path.exists(ECHO):
        pytest.skip("http-echo is not built")
    e = Echo("--workers", "1", "--queue", "1")
    for path in ("/hello", "/hello", "/t/acme/info", "/none", "/work"):
        ask(e.port, head(e, path=path))
    busy = [connect(e.port) for _ in range(3)]
    for s in busy:
        s.sendall(head(e, path="/slow?1200"))
        time.sleep(0.1)
    assert read_answer(busy[2]).status == 503
    time.sleep(1)
    e.process.send_signal(signal.SIGUSR1)
    time.sleep(0.3)
    e.process.terminate()
    text = e.process.communicate(timeout=20 * SLOW)[1].decode()
    name = "mereau_http_request_duration_seconds_count"
    for route, code, count in (("/hello", 200, 2), ("/t/{tenant}/info", 200, 1), ("other", 404, 1), ("/work", 200, 1), ("/slow", 503, 1)):
        assert '%s{route="%s",code="%d"} %d' % (name, route, code, count) in text, text
    assert 'mereau_worker_queue_refused_total{class="store"} 1' in text
    assert "mereau_connections 3" in text
    for s in busy:
        s.close()


# --- TLS ---

def certificate(directory, name):
    cert, key = str(directory / (name + ".crt")), str(directory / (name + ".key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=" + name,
                    "-addext", "subjectAltName=DNS:" + name, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


def handshake(port, **kw):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are the point
        for k, v in kw.items():
            if k == "ciphers":
                c.set_ciphers(v)
            else:
                setattr(c, k, v)
    return c.wrap_socket(connect(port))


def common_name(s):
    pem = ssl.DER_cert_to_PEM_cert(s.getpeercert(True))
    return subprocess.run(["openssl", "x509", "-noout", "-subject"], input=pem, capture_output=True, text=True, check=True).stdout.split("=")[-1].strip()


def test_tls(tmp_path):
    cert, key = certificate(tmp_path, "one.example")
    with echo("--listen", "127.0.0.1:0", "--management", "127.0.0.1:0", "--cert", cert, "--key", key, "--header-s", "2") as e:
        with handshake(e.port) as old:
            assert old.version() == "TLSv1.3" and common_name(old) == "one.example"
            old.sendall(head(e, path="/info"))
            assert read_answer(old).json()["https"] is True
            # a new certificate, and nobody is cut off
            for new, path in zip(certificate(tmp_path, "two.example"), (cert, key)):
                os.replace(new, path)
            e.process.send_signal(signal.SIGHUP)
            time.sleep(0.3)
            with handshake(e.port) as s:
                assert common_name(s) == "two.example"
            old.sendall(head(e))
            assert read_answer(old).status == 200
            # a wrong one is not taken
            with open(key, "w", encoding="utf-8") as f:
                f.write("no key")
            e.process.send_signal(signal.SIGHUP)
            time.sleep(0.3)
            with handshake(e.port) as s:
                assert common_name(s) == "two.example"
        v12 = ssl.TLSVersion.TLSv1_2
        for ciphers in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"):
            with handshake(e.port, maximum_version=v12, ciphers=ciphers) as s:
                assert s.version() == "TLSv1.2"
        for ciphers in ("ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-CCM"):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                handshake(e.port, maximum_version=v12, ciphers=ciphers + ":@SECLEVEL=0")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            handshake(e.port, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1, ciphers="ALL:@SECLEVEL=0")
        # somebody who never shakes hands, and one who speaks plain HTTP
        with connect(e.port) as s:
            assert closed(s, 6)
        assert ask(e.port, head(e)) is None
        assert ask(e.ports[1], b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n").status == 200


def test_tls_wrong_files(tmp_path):
    if not os.path.exists(ECHO):
        pytest.skip("http-echo is not built")
    cert, key = certificate(tmp_path, "one.example")
    _, other = certificate(tmp_path, "two.example")
    for args in (("--cert", cert), ("--cert", cert, "--key", other), ("--cert", key, "--key", key), ("--cert", "/none", "--key", key)):
        r = subprocess.run([ECHO, *args], capture_output=True, text=True, timeout=10 * SLOW)
        assert r.returncode == 1 and "server.tls" in r.stderr


# --- all at once ---

def test_load_with_strangers(plain):
    """Good requests on many threads while bad ones come: each good one is answered right."""
    stop, wrong = threading.Event(), []

    def good():
        with connect(plain.port) as s:
            n = 0
            while not stop.is_set():
                n += 1
                body = b"%d" % n * 50
                s.sendall(head(plain, "Content-Length: %d" % len(body), method="POST", path=("/echo", "/work-echo")[n % 2]) + body)
                a = read_answer(s)
                if a is None or a.body != body:
                    wrong.append(a and a.status)
                    return

    def bad(i):
        rows = list(WRONG_HEADS.values())
        while not stop.is_set():
            method, *lines = rows[i % len(rows)]
            i += 1
            with contextlib.suppress(ConnectionError), connect(plain.port) as s:
                s.sendall(head(plain, *lines, method=method))
                if i % 3:
                    read_answer(s)

    threads = [threading.Thread(target=good) for _ in range(8)] + [threading.Thread(target=bad, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    time.sleep(3)
    stop.set()
    for t in threads:
        t.join()
    assert not wrong
