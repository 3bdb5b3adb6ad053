#!/bin/sh
# entrypoint.sh prepare | web | worker | scheduler | COMMAND...
#   prepare  creates roles and databases, migrates them, and ends; the only one that knows the superuser's password
#   web      serves the portal (gunicorn)
#   worker   runs jobs
#   scheduler  starts what is due
#   else     a command with the configuration in place, for example: ckan openhuizhou harvest run --all
set -eu

here=$(cd "$(dirname "$0")" && pwd)
export CKAN_INI="${CKAN_INI:-/run/ckan/ckan.ini}"
prepare() { python "$here/prepare.py" "$@"; }

prepare render
case "${1:-web}" in
prepare)
    prepare wait databases
    prepare databases
    ckan db upgrade --skip-plugins
    prepare datastore
    ckan db upgrade --skip-core
    ;;
web)
    prepare wait
    exec gunicorn --config "$here/gunicorn.conf.py" ckanext.openhuizhou.stack.wsgi:application
    ;;
worker)
    prepare wait
    exec "$here/worker.sh"
    ;;
scheduler)
    prepare wait
    exec ckan openhuizhou harvest schedule
    ;;
*)
    exec "$@"
    ;;
esac
