#!/usr/bin/env bash
# Takes the gateway off the cluster, and keeps the data: deploy/uninstall.sh small
#
#   deploy/uninstall.sh OVERLAY                small or ha
#   deploy/uninstall.sh OVERLAY --with-data    also every message, subscriber and password; asks first
#
# Drains the gateway, then removes the Ray clusters and waits until they are gone: KubeRay clears their tables out of
# Redis by a job that needs the Secret, the ServiceAccount and Redis. Then everything else but the namespace, its
# Secrets and its volumes; `kubectl apply -k` with the same secrets goes on with the same data.
set -euo pipefail
cd "$(dirname "$0")"

overlay=${1:?which overlay: small or ha}
kubectl=(kubectl --namespace satbridge)
say() { printf '%s\n' "* $*"; }

case ${2:-} in
  "") ;;
  --with-data)
    read -r -p "Every message and subscriber will be lost. Type satbridge to go on: " answer
    [[ $answer == satbridge ]] || { echo "nothing was removed" >&2; exit 2; }
    ;;
  *) echo "unknown: $2" >&2; exit 2 ;;
esac
manifests=$(mktemp)
trap 'rm -f "$manifests"' EXIT
kubectl kustomize "overlays/$overlay" | awk 'BEGIN { RS = "---\n"; ORS = RS } !/\nkind: (Namespace|Secret|RayCluster)\n/' >"$manifests"

for head in $("${kubectl[@]}" get pods --selector ray.io/node-type=head --output name); do
  say "$head drains"
  "${kubectl[@]}" exec "$head" --container gateway -- satbridge down ||
    echo "not everything was settled; it stays in the store"
done
say "the Ray clusters"
"${kubectl[@]}" delete rayclusters --all --timeout "${PATIENCE_SECONDS:-600}s"
say "everything else"
"${kubectl[@]}" delete --filename "$manifests" --ignore-not-found
# Those of later rolls have names of their own.
"${kubectl[@]}" get jobs,configmaps --output name | { grep -E '/(migrate|satbridge)' || true; } |
  xargs --no-run-if-empty "${kubectl[@]}" delete
if [[ ${2:-} == --with-data ]]; then
  say "the data"
  kubectl delete namespace satbridge
else
  say "what stays: $("${kubectl[@]}" get persistentvolumeclaims,secrets --output name | tr '\n' ' ')"
fi
