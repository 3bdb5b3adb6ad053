#!/bin/sh
# entrypoint.sh SCRIPT ARGUMENT...   runs a script of this folder with the secrets where it looks for them.
set -eu
if [ -n "${DEPARTMENT_TOKEN_FILE:-}" ]; then
    DEPARTMENT_TOKEN=$(cat "$DEPARTMENT_TOKEN_FILE")
    export DEPARTMENT_TOKEN
fi
# psycopg2 and libpq take the password from here: it stands in no command line.
if [ -n "${PGPASSWORD_FILE:-}" ]; then
    PGPASSWORD=$(cat "$PGPASSWORD_FILE")
    export PGPASSWORD
fi
exec python "$@"
