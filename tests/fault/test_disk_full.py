"""A full disk: what writes gets 503 and recovers when there is space again; what reads goes on."""
import os
import subprocess

import pytest

import mereau


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    r = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], check=False, capture_output=True)
    if r.returncode != 0:
        pytest.skip("no right to mount a small file system here")
    yield str(place)
    subprocess.run(["umount", "-l", str(place)], check=False)


def test_disk_full(fresh, small_disk):
    s = fresh(server={"data": os.path.join(small_disk, "data")})
    token = s.machine_token()
    filler = os.path.join(small_disk, "filler")
    with open(filler, "wb") as f:
        try:
            while True:
                f.write(b"x" * 65536)
                f.flush()
        except OSError:
            pass
    codes = {s.token(mereau.MACHINE, grant_type="client_credentials").status_code for _ in range(30)}
    assert codes <= {200, 503} and 503 in codes
    r = s.token(mereau.MACHINE, grant_type="client_credentials")
    assert r.status_code == 503 and r.json()["error"] == "temporarily_unavailable" and "Retry-After" in r.headers
    assert s.active(token)
    assert s.get("/jwks").status_code == 200
    os.unlink(filler)
    assert s.machine_token()
    s.kill()
    s.start()
    assert s.active(token) and s.machine_token()
    assert "rows" in s.cli("audit", "verify").stdout
