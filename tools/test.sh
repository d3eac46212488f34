#!/usr/bin/env bash
# Everything on SQLite, then what touches the database on a throw-away PostgreSQL.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/pytest "$@"
if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    dir=$(mktemp -d -t postroad-pg-XXXXXX)
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    trap 'tools/postgres.sh stop "$dir" || true; rm -rf "$dir"' EXIT
    chmod 755 "$dir"
    POSTROAD_TEST_DATABASE=$(tools/postgres.sh start "$dir" "$port") .venv/bin/pytest -m "not sqlite_only" "$@"
else
    echo "PostgreSQL is not installed; its tests did not run." >&2
fi
