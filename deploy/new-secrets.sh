#!/usr/bin/env bash
# Makes the secret files of an overlay, with random passwords and tokens: deploy/new-secrets.sh small
# Then enter what the networks gave you in its secrets.env. Existing files stay as they are.
set -euo pipefail
cd "$(dirname "$0")"

overlay=overlays/${1:?which overlay: small or ha}
[[ -d $overlay ]] || { echo "there is no $overlay" >&2; exit 2; }
umask 077

random() { od -An -tx1 -N24 /dev/urandom | tr -d ' \n'; }
write() { # file, content
  if [[ -e $overlay/$1 ]]; then echo "$1 exists and stays"; else
    printf '%s\n' "$2" >"$overlay/$1"
    echo "made deploy/$overlay/$1"
  fi
}

password=$(random)
if [[ $1 == small ]]; then
  [[ ! -e $overlay/postgres.env ]] || password=$(sed -n 's/^POSTGRES_PASSWORD=//p' "$overlay/postgres.env")
  write postgres.env "POSTGRES_PASSWORD=$password"
  url="postgresql://satbridge:$password@postgres/satbridge"
else
  write redis.env "REDIS_PASSWORD=$password"
  # Yours; verify-full, because it leaves the cluster.
  url="postgresql://satbridge:PASSWORD@db.example.org/satbridge?sslmode=verify-full\&sslrootcert=system"
fi
write ray-token.env "auth_token=$(random)"
write secrets.env "$(while IFS= read -r line; do
  line=${line//@DATABASE_URL@/${url//\\&/&}}
  printf '%s\n' "${line//@RANDOM@/$(random)}"
done <secrets.env.example)"
