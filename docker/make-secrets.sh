#!/bin/sh
# make-secrets.sh [FOLDER]   makes each secret of compose.yaml that does not exist yet, in docker/secrets.
# The folder is closed to others (700); the files are readable (444), because the containers' users are not this one.
set -eu

folder=${1:-"$(cd "$(dirname "$0")" && pwd)/secrets"}
names="postgres_superuser ckan_database datastore_reader valkey secret_key jwt_secret
       huanbaoju_token anjianju_token jiaotongju_token rensheju_database
       huidong_database huidong_reader huidong_secret"
umask 077
mkdir -p "$folder"
chmod 700 "$folder"
for name in $names; do
    [ -s "$folder/$name" ] && continue
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$folder/$name"
    chmod 444 "$folder/$name"
done
# The key of the sources' passwords: 32 bytes in URL-safe Base64, as Fernet wants them.
if [ ! -s "$folder/source_secrets" ]; then
    head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n' >"$folder/source_secrets"
    chmod 444 "$folder/source_secrets"
fi
# Where the demo departments are in the network of this compose project, and what opens them.
cat >"$folder/.source_variables" <<END
{
  "huanbaoju.url": "http://huanbaoju:8000",
  "huanbaoju.token": "$(cat "$folder/huanbaoju_token")",
  "anjianju.url": "http://anjianju:8000",
  "anjianju.token": "$(cat "$folder/anjianju_token")",
  "jiaotongju.url": "http://jiaotongju:8000",
  "jiaotongju.token": "$(cat "$folder/jiaotongju_token")",
  "minzhengju.path": "/var/lib/minzhengju",
  "rensheju.dsn": "postgresql://rensheju:$(cat "$folder/rensheju_database")@rensheju/rensheju",
  "lvyouju.path": "/var/lib/lvyouju",
  "huidong.url": "http://huidong:8000"
}
END
chmod 444 "$folder/.source_variables"
mv -f "$folder/.source_variables" "$folder/source_variables"
