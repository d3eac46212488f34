#!/usr/bin/env bash
# Everything on SQLite and, where it is installed, what touches the database on a throw-away PostgreSQL.
#
# In pieces, one more at a time than there are cores, since tests wait too. With arguments: only those, on each database.
set -euo pipefail
cd "$(dirname "$0")/.."
# Hundreds of programs are started; what they import is compiled once, even where the environment says otherwise.
unset PYTHONDONTWRITEBYTECODE

# The longest first, then what waits most, and at last what is in none of them.
pieces=(tests/upgrade tests/stories tests/project "tests --ignore=tests/stories --ignore=tests/upgrade --ignore=tests/project")
[ $# -eq 0 ] || pieces=("")

dir=$(mktemp -d -t postroad-tests-XXXXXX)
chmod 755 "$dir"
trap 'kill $(jobs -p) 2>/dev/null || true; tools/postgres.sh stop "$dir" 2>/dev/null || true; rm -rf "$dir"' EXIT
# What each begins with is made once on each engine.
export POSTROAD_TEST_TABLES=$dir/tables
mkdir "$dir/tables"
server=
if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    # Our processes are killed in tests, the server is not: it need not wait for the disk.
    url=$(tools/postgres.sh start "$dir" "$port" -c fsync=off)
    server=${url%/*}
fi

# run NUMBER ENGINE WORDS…: one piece; what it says is printed when it is over.
run() {
    local number=$1 engine=$2 options=()
    shift 2
    if [ "$engine" = PostgreSQL ]; then
        export POSTROAD_TEST_DATABASE=$server/piece_$number
        options=(-m "not sqlite_only")
    fi
    .venv/bin/pytest -p no:cacheprovider "${options[@]}" "$@" >"$dir/$number.log" 2>&1 && touch "$dir/$number.passed"
    { printf '\n== %s, on %s\n' "$1" "$engine"; cat "$dir/$number.log"; }
}

number=0
for piece in "${pieces[@]}"; do
    # shellcheck disable=SC2206 # words
    words=($piece)
    [ $# -eq 0 ] || words=("$@")
    for engine in SQLite ${server:+PostgreSQL}; do
        while [ "$(jobs -rp | wc -l)" -gt "$(nproc)" ]; do wait -n || true; done
        number=$((number + 1))
        run "$number" "$engine" "${words[@]}" &
    done
done
wait
[ -n "$server" ] || echo "PostgreSQL is not installed; its tests did not run." >&2
[ "$(find "$dir" -name '*.passed' | wc -l)" -eq "$number" ]
