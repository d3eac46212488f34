#!/bin/sh
# `serve` brings the data in the volume to this image's release first; anything else is a command of Postroad's.
# An upgrade that fails changes nothing and ends the container with its exit code; the former image goes on.
set -eu
: "${POSTROAD_HOME:=/var/lib/postroad}"
export POSTROAD_HOME
if [ "${1:-serve}" = serve ]; then
    if [ -e "$POSTROAD_HOME/postroad.toml" ]; then
        code=0
        postroad upgrade || code=$?
        # 1 is done, with something to look at.
        [ "$code" -le 1 ] || exit "$code"
    fi
fi
[ $# -gt 0 ] || set -- serve
exec postroad "$@"
