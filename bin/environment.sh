# Sourced by bin/openclaw and bin/test: keeps .venv ready. `ready <extra>` returns at once when there is nothing to do.
#
# .venv/openclaw[-extra].stamp holds this checkout's path and a checksum of the two files that name what to install; it is
# written last, so a cut installation is done again. .venv/unfinished stands from the making of .venv to the end of its
# first installation: a half-written environment is thrown away, one that a developer made is only added to.

root=${BASH_SOURCE[0]%/*}/..
venv=$root/.venv

say() { printf 'openclaw: %s\n' "$*" >&2; }

find_python() {
    local name
    for name in python3.13 python3.12 python3.11 python3; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$name"
            return
        fi
    done
    say "Python 3.11 or newer with its venv module is needed (on Debian: apt-get install python3-venv)."
    return 69
}

# The hot path: no other program is started. Equal paths are compared as files, since a moved checkout must be installed
# again (the environment names it) and a link to bin/openclaw must not.
current() {
    local where=
    [ -x "$venv/bin/python" ] && [ ! -e "$venv/unfinished" ] && [ -f "$1" ] || return 1
    [ "$1" -nt "$root/setup.py" ] && [ "$1" -nt "$root/pyproject.toml" ] || return 1
    IFS= read -r where <"$1"
    [ "$where" -ef "$root" ]
}

checksum() { cat "$root/setup.py" "$root/pyproject.toml" | cksum; }

make_venv() {
    local python
    python=$(find_python) || return
    say "making .venv with $("$python" --version)"
    rm -rf "$venv" && mkdir "$venv" && touch "$venv/unfinished" && "$python" -m venv "$venv" >&2
}

install() {
    local stamp=$1 extra=$2 here sum
    here=$(cd -P "$root" && pwd) && sum=$(checksum) || return
    if [ ! -x "$venv/bin/python" ] || [ -e "$venv/unfinished" ]; then
        make_venv || return
    elif [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$here"$'\n'"$sum" ]; then
        touch "$stamp"
        return
    fi
    say "installing into .venv (once; this takes a minute)"
    # The compatible editable mode puts the checkout on the path, where Twisted looks for plugins; the default one hides them.
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-input \
        --config-settings editable_mode=compat --editable "$here$extra" >&2 || return
    printf '%s\n%s\n' "$here" "$sum" >"$stamp.$$" && mv -f "$stamp.$$" "$stamp" && rm -f "$venv/unfinished" || return
    # What has an extra also has what goes without.
    [ -z "$extra" ] || cp "$stamp" "$venv/openclaw.stamp"
}

# ready [test]: make sure that .venv holds what setup.py names, with that extra.
ready() {
    local stamp=$venv/openclaw${1:+-$1}.stamp extra=${1:+[$1]}
    current "$stamp" && return
    (
        # Two first uses at once: the second waits, and then finds everything done.
        if command -v flock >/dev/null; then exec 9<"$root/setup.py" && flock 9; fi
        current "$stamp" || install "$stamp" "$extra"
    ) || { local code=$?; say "could not prepare .venv; nothing was started"; return "$code"; }
}
