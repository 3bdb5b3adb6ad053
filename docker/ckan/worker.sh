#!/bin/sh
# A worker of CKAN's job queues. More workers are more containers: docker compose up --scale worker=3
set -eu
# shellcheck disable=SC2086  # a list of queues is meant to be split
exec ckan jobs worker ${WORKER_QUEUES:-default}
