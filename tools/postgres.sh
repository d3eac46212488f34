#!/bin/sh
# A throw-away PostgreSQL: `tools/postgres.sh start DIR PORT [OPTION…]` prints its URL; `stop DIR` ends it.
# Options are the server's, such as `-c fsync=off`.
set -eu
action=$1 dir=$2 port=${3:-54329}
shift $(($# < 3 ? $# : 3))
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
bin=${bin:-$(dirname "$(command -v initdb)")}
as() { if [ "$(id -u)" = 0 ]; then su postgres -s /bin/sh -c "$1"; else sh -c "$1"; fi; }
case $action in
start)
    mkdir -p "$dir"
    [ "$(id -u)" != 0 ] || chown postgres "$dir"
    [ -e "$dir/data" ] || as "'$bin/initdb' -D '$dir/data' -U postroad -A trust --no-sync >'$dir/initdb.log'"
    as "'$bin/pg_ctl' -D '$dir/data' -w -l '$dir/log' -o \"-p $port -h 127.0.0.1 -k '$dir' $*\" start" >/dev/null
    echo "postgresql://postroad@127.0.0.1:$port/postgres"
    ;;
stop) as "'$bin/pg_ctl' -D '$dir/data' -m fast -w stop" >/dev/null ;;
*) echo "usage: $0 start DIR [PORT [OPTION…]] | stop DIR" >&2; exit 2 ;;
esac
