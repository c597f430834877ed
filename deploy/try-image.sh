#!/usr/bin/env bash
# Builds the image, runs it as locked up as a cluster would, and sends a mail through it to a simulated satellite.
#
#   deploy/try-image.sh            build, then try what was built
#   deploy/try-image.sh IMAGE      try an image that exists
#
# Needs docker. Where no registry answers it makes a base image out of Debian's packages, for which it needs
# mmdebstrap and root. BASE names another base, DOCKER another docker (podman will do).
set -euo pipefail
cd "$(dirname "$0")/.."

docker=${DOCKER:-docker}
base=${BASE:-$(sed -n 's/^ARG BASE=//p' Dockerfile)}
name=satbridge-try-$$
locked=(--read-only --tmpfs "/tmp:size=512m,mode=1777" --cap-drop ALL --security-opt no-new-privileges
  --pids-limit 2048 --network "$name")

say() { printf '%s\n' "* $*"; }
fail() { printf '%s\n' "FAILED: $*" >&2; "$docker" logs --tail 40 "$name-gateway" >&2 || true; exit 1; }

wait_for() { # seconds, what, command…
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || fail "$what"
    sleep 1
  done
}

clean_up() {
  "$docker" rm --force "$name-gateway" "$name-hive" >/dev/null 2>&1 || true
  "$docker" volume rm "$name" >/dev/null 2>&1 || true
  "$docker" network rm "$name" >/dev/null 2>&1 || true
}
trap clean_up EXIT

# What `docker pull` would have brought: a small Debian with Python, and this machine's certificates.
make_base() {
  local root
  root=$(mktemp -d)
  mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates bookworm - \
    "${MIRROR:-http://deb.debian.org/debian}" | tar -C "$root" --exclude=./dev -xf -
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  tar -C "$root" -cf - . | "$docker" import --change 'ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt' - "$base" >/dev/null
  rm -rf "$root"
}

build() {
  if ! "$docker" image inspect "$base" >/dev/null 2>&1 && ! "$docker" pull "$base" >/dev/null 2>&1; then
    base=satbridge-base:local
    "$docker" image inspect "$base" >/dev/null 2>&1 || { say "no registry: making $base"; make_base; }
  fi
  say "building on $base"
  "$docker" build --quiet --network host --build-arg "BASE=$base" --tag "$1" . >/dev/null
}

run() { # name, options and command
  local container=$1
  shift
  "$docker" run --detach --name "$name-$container" --network-alias "$container" "${locked[@]}" "$@" >/dev/null
}

satbridge() { "$docker" exec "$name-gateway" satbridge "$@"; }
logs() { "$docker" logs "$name-$1" 2>&1; }
accepts_mail() { logs gateway | grep -q "accepts mail"; }
got_it() { logs hive | grep -q "device 1001 got .*$(printf '%s' "hello from the image" | od -An -tx1 | tr -d ' \n')"; }

send_mail() {
  "$docker" exec -i "$name-hive" python - <<'PYTHON'
import smtplib
from email.message import EmailMessage

mail = EmailMessage()
mail["From"], mail["To"], mail["Subject"] = "alice@example.net", "boop@example.org", ""
mail["Message-ID"] = "<try@example.net>"
mail.set_content("hello from the image")
with smtplib.SMTP("gateway", 7420, timeout=30) as client:
    client.send_message(mail)
PYTHON
}

image=${1:-satbridge:try}
[[ $# -gt 0 ]] || build "$image"
say "$image is $("$docker" image inspect --format '{{.Size}}' "$image" | awk '{printf "%.0f MB", $1 / 1e6}')"
"$docker" run --rm --entrypoint sh "$image" -c '
  du -sm /opt/satbridge /usr 2>/dev/null; du -sm /opt/satbridge/lib/python3.11/site-packages/* | sort -rn | head -6'

"$docker" network create --internal "$name" >/dev/null
run hive "$image" simulate hive --host 0.0.0.0 --device 1001
run gateway --shm-size 300m --volume "$name:/var/lib/satbridge" \
  --env SATBRIDGE_MAIL_DOMAIN=example.org \
  --env SATBRIDGE_HIVE_URL=http://hive:7431/hive \
  --env SATBRIDGE_HIVE_USERNAME=demo --env SATBRIDGE_HIVE_PASSWORD=demo --env SATBRIDGE_HIVE_POLL_SECONDS=1 \
  "$image"
wait_for 120 "the gateway does not accept mail" accepts_mail
say "it accepts mail after ${SECONDS} s in all"

[[ $("$docker" exec "$name-gateway" id -u) == 1000 ]] || fail "it runs as root"
"$docker" exec "$name-gateway" sh -c '! touch /opt/satbridge/here 2>/dev/null' || fail "its root file system takes writes"
"$docker" exec "$name-gateway" grep -q '^CapEff:\s*0000000000000000$' /proc/1/status || fail "it has capabilities"
"$docker" exec "$name-gateway" sh -c '! command -v gcc cc pip' >/dev/null || fail "there is a compiler or pip in it"
say "uid 1000, read-only root, no capabilities, no compiler, no pip"

satbridge users add boop --number +15550001111 --senders open
satbridge devices add 1001 --owner boop --network hive
send_mail
wait_for 30 "the mail did not reach the device" got_it
say "the mail reached the device"

began=$SECONDS
"$docker" stop --time 90 "$name-gateway" >/dev/null
[[ $("$docker" inspect --format '{{.State.ExitCode}}' "$name-gateway") == 0 ]] || fail "it did not drain"
say "it drained and stopped in $((SECONDS - began)) s"
"$docker" start "$name-gateway" >/dev/null
wait_for 120 "the gateway does not start again" satbridge messages list --json
satbridge messages list --json | grep -q '"sent"' || fail "the message is not in the store any more"
say "the store outlived the container; all is well"
