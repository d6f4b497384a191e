# Which Debian packages mereau needs, and how they are installed. Sourced by ./quickstart and ./check.

PACKAGES_BUILD="gcc libc6-dev make meson ninja-build pkg-config libmicrohttpd-dev libgnutls28-dev libsqlite3-dev libssl-dev \
libjansson-dev libyaml-dev libcurl4-openssl-dev libargon2-dev libcrypt-dev zlib1g-dev libpq-dev ca-certificates"
PACKAGES_WALK="python3 python3-authlib python3-requests util-linux"
PACKAGES_TEST="git clang libclang-rt-14-dev python3-pytest python3-requests python3-authlib python3-selenium python3-yaml python3-jwcrypto python3-jwt chromium chromium-driver nodejs npm \
curl openssl nginx-light apache2-bin libapache2-mod-auth-openidc faketime procps fonts-dejavu-core valgrind postgresql-15 postgresql-client-15 haproxy"
PACKAGES_BENCH="wrk postgresql-15 libjwt-dev libcjose-dev libjose-dev"
PACKAGES_LONG="debootstrap"

# packages_need WHY PACKAGE... : installs those of the packages that are missing; says so before it does.
packages_need() {
    why=$1
    shift
    missing=""
    for p in "$@"; do
        case $(dpkg-query -W -f='${Status}' "$p" 2>/dev/null) in
        "install ok installed") ;;
        *) missing="$missing $p" ;;
        esac
    done
    # A node that is there already, from wherever, serves as well as Debian's.
    if command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1; then
        missing=$(for p in $missing; do case $p in nodejs | npm) ;; *) printf ' %s' "$p" ;; esac done)
    fi
    [ -n "$missing" ] || return 0
    echo "Installing Debian packages ($why):$missing"
    as_root=""
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null 2>&1 || {
            echo "These packages are missing and this is neither root nor is sudo here. Install them and run this again:" >&2
            echo "  apt-get install$missing" >&2
            return 1
        }
        as_root="sudo"
    fi
    log=$(mktemp)
    if ! { $as_root apt-get update -q && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing; } >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        echo "apt-get could not install them (its last lines are above). With no network, install them by hand first." >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}
