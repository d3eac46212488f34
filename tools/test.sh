#!/usr/bin/env bash
# Everything on SQLite and, beside it, what touches the database on a throw-away PostgreSQL: tests wait more than they compute.
set -euo pipefail
cd "$(dirname "$0")/.."
# Hundreds of programs are started; what they import is compiled once, even where the environment says otherwise.
unset PYTHONDONTWRITEBYTECODE
if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    .venv/bin/pytest "$@"
    echo "PostgreSQL is not installed; its tests did not run." >&2
    exit
fi
dir=$(mktemp -d -t postroad-pg-XXXXXX)
chmod 755 "$dir"
trap 'kill $(jobs -p) 2>/dev/null || true; tools/postgres.sh stop "$dir" || true; rm -rf "$dir"' EXIT
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# Our processes are killed in tests, the server is not: it need not wait for the disk.
url=$(tools/postgres.sh start "$dir" "$port" -c fsync=off)
POSTROAD_TEST_DATABASE=$url .venv/bin/pytest -p no:cacheprovider -m "not sqlite_only" "$@" >"$dir/pytest.log" 2>&1 &
on_postgresql=$!
failed=0
echo "On SQLite:"
.venv/bin/pytest "$@" || failed=$?
echo "On PostgreSQL:"
wait "$on_postgresql" || failed=$?
cat "$dir/pytest.log"
exit "$failed"
