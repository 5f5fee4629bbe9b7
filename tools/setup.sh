# reproduce.sh and test.sh set $root and source this file. It makes the environment $root/.venv (or $VENV)
# once, installs this project there, and sets $bin to its folder of commands. PYTHON chooses the interpreter.

say() { printf '%s\n' "$*" >&2; }
works() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; }
# the python of a half-made environment is the one that made it, and pip would install there
isolated() { "$1" -c 'import sys; sys.exit(sys.prefix == sys.base_prefix)'; }
is_venv() { works "$1" && "$1" -m pip --version >/dev/null 2>&1 && isolated "$1"; }

find_python() {
    local p tried="" names=(python3 python3.13 python3.12 python3.11 python)
    if [ -n "${PYTHON:-}" ]; then names=("$PYTHON"); fi
    for p in "${names[@]}"; do
        if works "$p"; then echo "$p"; return; fi
        if command -v "$p" >/dev/null; then tried+="  $p: $("$p" --version 2>&1 | tail -n 1)"$'\n'
        else tried+="  $p: not found"$'\n'; fi
    done
    say "You need Python 3.11, 3.12 or 3.13. This command tried:"
    say "${tried}Install one of them, or say where it is: PYTHON=/path/to/python3.12 $0"
    return 1
}

make_venv() {
    local python; python=$(find_python) || return 1
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        say "$python has no venv module. Install it (Debian, Ubuntu: sudo apt install python3-venv)."
        return 1
    fi
    say "Making $venv with $("$python" --version)."
    "$python" -m venv "$venv" || { rm -rf "$venv"; return 1; }
}

check_venv() {
    if ! is_venv "$bin/python"; then
        say "$venv has no working environment of Python 3.11 to 3.13."
        say "Remove that folder and run $0 again, or choose another folder: VENV=folder $0"; return 1
    fi
    [ -z "${PYTHON:-}" ] || find_python >/dev/null || return 1
    local has asked
    has=$("$bin/python" --version)
    asked=$("${PYTHON:-$bin/python}" --version 2>&1 | tail -n 1)
    if [ "$has" != "$asked" ]; then
        say "$venv has $has, but PYTHON is $asked. Choose another folder: VENV=folder $0"; return 1
    fi
}

install() {
    say "Installing into $venv. This happens once: a few minutes, and about 6 GB on Linux, mostly torch."
    local pip=("$bin/python" -m pip install)
    if ! { "${pip[@]}" --upgrade pip && "${pip[@]}" -e "${root}[dev]"; }; then
        say "The installation failed. Fix the cause that pip names above, then run $0 again."; return 1
    fi
}

prepare() {
    local stamp=$venv/apt_nb.stamp state
    # if you move a clone with its environment, the paths inside that environment are wrong
    if [ -f "$stamp" ] && ! [ "$(head -n 1 "$stamp")" -ef "$venv" ]; then
        say "$venv was made in another folder, so it is made again."; rm -rf "$venv"
    fi
    if [ ! -e "$venv" ]; then
        trap 'rm -rf "$venv"; exit 130' INT TERM
        make_venv || return 1
        trap - INT TERM
    fi
    check_venv || return 1
    state=$(printf '%s\n' "$venv" "$root" && "$bin/python" --version &&
            cat "$root/settings.ini" "$root/setup.py" | cksum)
    if [ "$(cat "$stamp" 2>/dev/null)" != "$state" ]; then
        printf '%s\n' "$venv" > "$stamp" # if it breaks off, it begins anew
        install || return 1
        printf '%s\n' "$state" > "$stamp"
    fi
}

take_turn() { # two first calls at once would make one environment
    local said told='' tries=0
    mkdir -p "$(dirname "$venv")" || return 1
    if [ -e "$venv" ] && [ ! -w "$(dirname "$venv")" ]; then return 0; fi # no place for a lock
    until said=$(mkdir "$venv.lock" 2>&1); do
        if [ ! -d "$venv.lock" ]; then # it cannot be made, or has just gone
            tries=$((tries + 1))
            if [ $tries -gt 3 ]; then say "$said"; return 1; fi
        elif [ -z "$told" ]; then
            told=yes; say "Another call is making $venv, and this one waits. If there is none: rmdir $venv.lock"
        fi
        sleep 1
    done
}

set_up() {
    venv=${VENV:-$root/.venv}
    case $venv in /*|[A-Za-z]:*) ;; *) venv=$PWD/$venv;; esac
    case $(uname -s) in MINGW*|MSYS*|CYGWIN*) bin=$venv/Scripts;; *) bin=$venv/bin;; esac
    take_turn || return 1
    (trap 'rmdir "$venv.lock" 2>/dev/null || true' EXIT; prepare)
}

export PIP_REQUIRE_VIRTUALENV=1  # pip installs nowhere else
set_up || exit 1
