#!/usr/bin/env bash
# Runs the image as deploy/overlays/ha does, in containers with addresses of their own: PostgreSQL, Redis, a head with
# the gateway beside it, a mail node, a worker. Under load it kills the worker, kills the head, replaces the mail node
# by its hook, and takes the service down; and counts what arrives.
#
#   deploy/try-cluster.sh IMAGE        first: deploy/try-image.sh, which builds it
#
# Needs docker. STORES is an image with PostgreSQL's and Redis's Debian packages; it is made on the image's own base.
# KEEP=1 leaves the containers for a look.
set -euo pipefail
cd "$(dirname "$0")"

docker=${DOCKER:-docker}
image=${1:?which image}
again=30 # seconds in which the service has to be there again
name=satbridge-cluster-$$
all=(gateway head pod smtp smtp2 worker hive stores)
token=$(od -An -tx1 -N24 /dev/urandom | tr -d ' \n')
password=$(od -An -tx1 -N24 /dev/urandom | tr -d ' \n')
locked=(--read-only --cap-drop ALL --security-opt no-new-privileges --pids-limit 2048 --no-healthcheck)
# As in base/raycluster.yaml and docs/cluster.md.
settings=(
  --env RAY_AUTH_MODE=token --env "RAY_AUTH_TOKEN=$token"
  --env RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S=10 --env RAY_gcs_rpc_server_reconnect_timeout_s=600
  --env RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S=0.5 --env RAY_worker_niceness=0
  --env RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH=messaging.web.front.serve_proxy:middlewares
  --env "SATBRIDGE_DATABASE_URL=postgresql://satbridge:$password@stores/satbridge"
  --env SATBRIDGE_MIGRATE=False --env SATBRIDGE_SECRET_KEY=not-much-of-a-secret --env SATBRIDGE_HTTP_REPLICAS=2
  --env SATBRIDGE_MAIL_DOMAIN=example.org --env SATBRIDGE_PUBLIC_URL=http://localhost:8000
  --env SATBRIDGE_UNREADY_SECONDS=5 --env SATBRIDGE_LEASE_SECONDS=40 --env SATBRIDGE_MAX_HOURLY_PER_PAIR=0
  --env SATBRIDGE_BURST_HOURLY_PER_AUTHOR=0 --env SATBRIDGE_BURST_HOURLY_PER_DEVICE=0
  --env SATBRIDGE_BURST_HOURLY_PER_DOMAIN=0 --env SATBRIDGE_BURST_HOURLY_PER_CLIENT=0
  --env SATBRIDGE_BURST_HOURLY_IN_TOTAL=0
  --env SATBRIDGE_HIVE_URL=http://hive:7431/hive --env SATBRIDGE_HIVE_USERNAME=demo
  --env SATBRIDGE_HIVE_PASSWORD=demo --env SATBRIDGE_HIVE_POLL_SECONDS=1
)
ray="--block --disable-usage-stats --object-store-memory=200000000"

say() { printf '%s\n' "* $*"; }
logs() { "$docker" logs "$name-$1" 2>&1; }
fail() {
  printf '%s\n' "FAILED: $*" >&2
  for one in gateway head smtp worker; do echo "== $one" >&2; logs "$one" | tail -15 >&2 || true; done
  exit 1
}
wait_for() { # seconds, what, command…
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || fail "$what"
    sleep 0.5
  done
}
clean_up() {
  [[ -z ${KEEP:-} ]] || return 0
  for one in "${all[@]}"; do "$docker" rm --force --volumes "$name-$one" >/dev/null 2>&1 || true; done
  "$docker" volume rm "$name" >/dev/null 2>&1 || true
  "$docker" network rm "$name" >/dev/null 2>&1 || true
}
trap clean_up EXIT

run() { # name, options and command
  local container=$1
  shift
  "$docker" run --detach --name "$name-$container" "${locked[@]}" "${settings[@]}" "$@" >/dev/null
}
execute() { # name, command
  local container=$1
  shift
  "$docker" exec --interactive "$name-$container" "$@"
}

start_stores() {
  local stores=${STORES:-satbridge-stores:local}
  if ! "$docker" image inspect "$stores" >/dev/null 2>&1; then
    printf 'FROM %s\nUSER root\nRUN apt-get update && apt-get install -y --no-install-recommends postgresql redis-server\n' \
      "$image" | "$docker" build --quiet --network host --tag "$stores" - >/dev/null
  fi
  # shellcheck disable=SC2016
  "$docker" run --detach --name "$name-stores" --network "$name" --network-alias stores --user root --no-healthcheck \
    --env "PASSWORD=$password" --entrypoint bash "$stores" -ec '
      version=$(ls /etc/postgresql)
      echo "host all all all scram-sha-256" >>"/etc/postgresql/$version/main/pg_hba.conf"
      pg_ctlcluster "$version" main start -o "-c listen_addresses=*"
      su postgres -c "psql -c \"CREATE ROLE satbridge LOGIN PASSWORD '\''$PASSWORD'\''\""
      su postgres -c "createdb --owner satbridge satbridge"
      exec redis-server --dir /tmp --bind 0.0.0.0 --appendonly yes --requirepass "$PASSWORD"' >/dev/null
  wait_for 60 "the stores do not start" execute stores sh -c \
    "su postgres -c 'psql -c \"SELECT 1\" satbridge' && redis-cli -a $password ping"
}

# A pod: what lives in it has one address, one /tmp, one /dev/shm, one list of processes, and each is started again by
# itself. The commands are KubeRay's and base/raycluster.yaml's.
start_head() {
  run pod --network "$name" --network-alias head --ipc shareable --shm-size 512m --entrypoint tini "$image" sleep infinity
  local of_the_pod=(--network "container:$name-pod" --ipc "container:$name-pod" --pid "container:$name-pod" --volume "$name:/tmp")
  run head "${of_the_pod[@]}" --restart on-failure --env RAY_REDIS_ADDRESS=stores:6379 --env "RAY_external_storage_namespace=$name" \
    --env RAY_health_check_period_ms=500 --entrypoint bash "$image" -c \
    "ulimit -n 65536; ray start --head --num-cpus=0 --dashboard-host=0.0.0.0 --redis-password=$password $ray"
  run gateway "${of_the_pod[@]}" --restart always --env SATBRIDGE_RAY_ADDRESS=127.0.0.1:6379 --entrypoint sh \
    "$image" -c "satbridge up && exec sleep infinity"
}
start_node() { # name, arguments of ray start
  local container=$1
  shift
  run "$container" --network "$name" --network-alias "$container" --restart on-failure --shm-size 512m \
    --volume /tmp --entrypoint bash "$image" -c "ulimit -n 65536; ray start --address=head:6379 --num-cpus=2 $* $ray"
}
mail_node='--resources={\"smtp\":1}'

runs() { execute gateway satbridge status; }
load() { execute hive python - "$@" <try_load.py; }
# All texts that the device got, as the simulator logs them: in hexadecimal digits.
got() { logs hive | grep -o "device 1001 got .*" | grep -oE "74657874(3[0-9]){4}2e"; }
arrived() { got | sort -u | wc -l; }
all_arrived() { [[ $(arrived) -ge $1 ]]; }
between_two() { # since when: the longest time between two of them
  "$docker" logs --timestamps --since "$1" "$name-hive" 2>&1 | grep "device 1001 got" | cut -c12-26 |
    awk -F: '{ now = $1 * 3600 + $2 * 60 + $3; if (NR > 1 && now - last > most) most = now - last; last = now }
      END { printf "%.1f", most }'
}
takes_mail() { execute "$1" satbridge probe mail; }
count() { # how many, what happened
  wait_for 180 "only $(arrived) of $1 arrived" all_arrived "$1"
  say "$2: $(arrived) of $1 arrived, $(($(got | wc -l) - $1)) of them twice"
}
within() { # what load said
  say "$1"
  awk -v most="$again" '{ for (i = 1; i < NF; i++) if ($i ~ /^(mail|web|device)$/ && $(i + 1) > most) exit 1 }' <<<"$1" ||
    fail "the service was away for more than $again s"
}

"$docker" network create --internal "$name" >/dev/null
"$docker" volume create "$name" >/dev/null
start_stores
"$docker" run --rm "${locked[@]}" --network "$name" --tmpfs /tmp "${settings[@]}" "$image" migrate >/dev/null
run hive --network "$name" --network-alias hive --tmpfs /tmp "$image" simulate hive --host 0.0.0.0 --device 1001
start_head
start_node smtp "$mail_node"
start_node worker
wait_for 400 "the gateway does not run" runs
say "three nodes; the gateway runs after ${SECONDS} s"
execute gateway satbridge users add boop --number +15550001111 --senders open
execute gateway satbridge devices add 1001 --owner boop --network hive
takes_mail smtp || fail "the smtp node takes no mail"
! takes_mail worker >/dev/null 2>&1 || fail "mail comes in on a node that is not meant for it"
execute hive python - <<'PYTHON' || fail "Ray answers whoever asks"
import urllib.error, urllib.request
try:
    urllib.request.urlopen("http://head:8265/api/jobs/", timeout=10)
except urllib.error.HTTPError as error:
    raise SystemExit(error.code != 401)
raise SystemExit(1)
PYTHON
within "$(load 1 3 smtp worker,smtp,head)"
count 3 "mail in on the smtp node reaches the device; who has no token is refused by Ray"

struck() { # node, first number of 60 mails: kill it under load, start it again after 5 s
  local output since began back
  output=$(mktemp)
  since=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  load "$2" 60 smtp worker,smtp,head >"$output" &
  sleep 5
  "$docker" kill "$name-$1" >/dev/null
  began=$SECONDS
  sleep 5
  "$docker" start "$name-$1" >/dev/null
  wait_for 180 "after the end of $1 the gateway does not run" runs
  back=$((SECONDS - began))
  wait $! || fail "a mail got no yes"
  within "$(cat "$output")"
  rm -f "$output"
  count $(($2 + 59)) "$1 was killed, and started again 5 s later; satbridge status answered after $back s"
  within "longest wait between two messages: device $(between_two "$since") s"
}
struck worker 4
struck head 64

output=$(mktemp)
start_node smtp2 "$mail_node"
wait_for 120 "no mail-in on the new mail node" takes_mail smtp2
load 124 60 smtp,smtp2 worker,smtp,head >"$output" &
sleep 3
began=$SECONDS
execute smtp satbridge prepare-for-shutdown || fail "the mail node did not drain"
say "the mail node drained in $((SECONDS - began)) s"
"$docker" stop --time 30 "$name-smtp" >/dev/null
say "and ended $((SECONDS - began)) s after the hook began"
wait $! || fail "a mail got no yes"
say "$(cat "$output")"
rm -f "$output"
count 183 "the mail node was replaced by another one"

execute gateway satbridge down || fail "the service did not drain"
sleep 10
! runs >/dev/null || fail "the gateway was started again by itself"
states=$(execute gateway satbridge messages list --json --limit 1000 | grep -oE '"state": *"[a-z]+' | sed 's/.*"//' | sort | uniq -c | xargs)
[[ $states =~ ^183\ (sent|delivered)$ ]] || fail "the store has $states"
say "taken down; the store has $states; all is well after ${SECONDS} s"
