#!/usr/bin/env bash
# Rolls the gateway without a pause: deploy/upgrade.sh small. Also for changed settings, secrets and sizes.
#
# Puts a second RayCluster with what the overlay says now beside the one that runs, on the same store; waits until it
# takes mail and webhooks; then drains the old one and takes it away. In between both work. When the new one does not
# get ready, nothing has changed: delete it.
set -euo pipefail
cd "$(dirname "$0")"

overlay=overlays/${1:?which overlay: small or ha}
patience=${PATIENCE_SECONDS:-600}
new=satbridge-$(date -u +%m%d%H%M%S)
kubectl=(kubectl --namespace satbridge)
manifests=$(mktemp)
trap 'rm -f "$manifests"' EXIT

old=$("${kubectl[@]}" get rayclusters --output name)
kubectl kustomize "$overlay" >"$manifests"

echo "* everything but the cluster, and the database"
"${kubectl[@]}" delete job migrate --ignore-not-found
awk 'BEGIN { RS = "---\n"; ORS = RS } !/\nkind: RayCluster\n/' "$manifests" | "${kubectl[@]}" apply --filename -
"${kubectl[@]}" wait --for condition=complete job/migrate --timeout "${patience}s"

echo "* $new beside ${old:-nothing}"
awk 'BEGIN { RS = "---\n"; ORS = RS } /\nkind: RayCluster\n/' "$manifests" |
  sed "s/^  name: satbridge$/  name: $new/" | "${kubectl[@]}" create --filename -
# Its pods come one after the other; waiting for none would fail.
until "${kubectl[@]}" get pods --selector "ray.io/cluster=$new,ray.io/node-type=worker" --output name | grep -q .; do
  ((SECONDS < patience)) || { echo "no pod of $new" >&2; exit 1; }
  sleep 2
done
"${kubectl[@]}" wait --for condition=Ready pod --selector "ray.io/cluster=$new" --timeout "${patience}s"

for cluster in $old; do
  name=${cluster##*/}
  echo "* $name drains"
  # No webhook comes here any more; mail is turned away by the readiness of its pods.
  "${kubectl[@]}" label pods --selector "ray.io/cluster=$name" satbridge/web-
  sleep "${SETTLE_SECONDS:-5}"
  head=$("${kubectl[@]}" get pods --selector "ray.io/cluster=$name,ray.io/node-type=head" --output name)
  "${kubectl[@]}" exec "$head" --container gateway -- satbridge down ||
    echo "not everything was settled; $new goes on with it"
  "${kubectl[@]}" delete "$cluster"
done
echo "* $new runs alone"
