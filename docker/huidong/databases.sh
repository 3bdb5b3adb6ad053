#!/bin/sh
# databases.sh   run once by PostgreSQL's image, when the server is new: the DataStore's database and its reader.
set -eu
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d huidong -v password="$(cat /run/secrets/huidong_reader)" <<'END'
CREATE ROLE huidong_reader LOGIN PASSWORD :'password';
CREATE DATABASE huidong_datastore OWNER huidong;
END
