# Sourced by reproduce.sh and test.sh, which set $root. Makes the environment $root/.venv (or $VENV) once, installs this
# project into it, and sets $bin to its folder of commands. PYTHON names the interpreter to use.

say() { printf '%s\n' "$*" >&2; }
works() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; }
# half-made, an environment's python is the one it was made from, and pip would install there
is_venv() { works "$1" && "$1" -m pip --version >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.prefix == sys.base_prefix)'; }

find_python() {
    local p tried="" names=(python3 python3.13 python3.12 python3.11 python)
    if [ -n "${PYTHON:-}" ]; then names=("$PYTHON"); fi
    for p in "${names[@]}"; do
        if works "$p"; then echo "$p"; return; fi
        if command -v "$p" >/dev/null; then tried="$tried  $p: $("$p" --version 2>&1 | tail -n 1)"$'\n'; else tried="$tried  $p: not found"$'\n'; fi
    done
    say "Python 3.11, 3.12 or 3.13 is needed. Tried:"$'\n'"${tried}Install one, or name it: PYTHON=/path/to/python3.12 $0"
    return 1
}

make_venv() {
    local python; python=$(find_python) || return 1
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        say "$python has no venv module. Debian and Ubuntu: sudo apt install python3-venv"; return 1
    fi
    say "Making $venv with $("$python" --version)."
    "$python" -m venv "$venv" || { rm -rf "$venv"; return 1; }
}

check_venv() {
    if ! is_venv "$bin/python"; then
        say "$venv is no working environment of Python 3.11 to 3.13. Remove that folder and call $0 again, or name another: VENV=folder $0"; return 1
    fi
    local has asked; has=$("$bin/python" --version); asked=$("${PYTHON:-$bin/python}" --version 2>&1 | tail -n 1)
    if [ "$has" != "$asked" ]; then say "$venv has $has, PYTHON asks for $asked. Name another folder: VENV=folder $0"; return 1; fi
}

install() {
    say "Installing into $venv: once, a few minutes and about 6 GB on Linux, most of it torch."
    if ! { "$bin/python" -m pip install --upgrade pip && "$bin/python" -m pip install -e "${root}[dev]"; }; then
        say "The installation failed (see above). Call $0 again when the cause is mended."; return 1
    fi
}

set_up() {
    venv=${VENV:-$root/.venv}
    case $venv in /*|[A-Za-z]:*) ;; *) venv=$PWD/$venv;; esac
    case $(uname -s) in MINGW*|MSYS*|CYGWIN*) bin=$venv/Scripts;; *) bin=$venv/bin;; esac
    local stamp=$venv/apt_nb.stamp state
    # a folder moved together with its environment: the paths inside that environment lead nowhere
    if [ -f "$stamp" ] && ! [ "$(head -n 1 "$stamp")" -ef "$venv" ]; then say "$venv was made at another place."; rm -rf "$venv"; fi
    if [ ! -e "$venv" ]; then
        trap 'rm -rf "$venv"; exit 130' INT TERM
        make_venv || return 1
        trap - INT TERM
    fi
    check_venv || return 1
    state=$(printf '%s\n' "$venv" "$root" && "$bin/python" --version && cat "$root/settings.ini" "$root/setup.py" | cksum)
    if [ "$(cat "$stamp" 2>/dev/null)" != "$state" ]; then
        install || return 1
        printf '%s\n' "$state" > "$stamp"
    fi
}

export PIP_REQUIRE_VIRTUALENV=1 # pip refuses to install anywhere else
set_up || exit 1
