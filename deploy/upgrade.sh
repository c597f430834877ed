#!/usr/bin/env bash
# Rolls the gateway without a pause: deploy/upgrade.sh small. Also for changed settings, secrets and sizes.
#
#   deploy/upgrade.sh OVERLAY            small or ha
#   deploy/upgrade.sh OVERLAY --abort    removes what an upgrade left that did not succeed
#
# Puts a second RayCluster beside the one that runs, on the same store, with a ConfigMap, a Secret and a migration of
# its own names; waits until it takes mail and webhooks; then drains the old one and removes it with its settings. In
# between both work. Whatever fails before the drain leaves the old one as it was, also after a restart of its pods.
#
# PATIENCE_SECONDS (600) limits each wait, UNSCHEDULABLE_SECONDS (120) the wait for a node with room, SETTLE_SECONDS (5)
# is for the Services to notice that the old web pods are gone.
set -euo pipefail
cd "$(dirname "$0")"

overlay=${1:?which overlay: small or ha}
patience=${PATIENCE_SECONDS:-600}
roll=$(date -u +%m%d%H%M%S)
new=satbridge-$roll
kubectl=(kubectl --namespace satbridge)
unfinished=satbridge/roll=unfinished
manifests=$(mktemp -d)
trap 'rm -rf "$manifests"' EXIT

say() { printf '%s\n' "* $*"; }
fail() {
  printf '%s\n' "FAILED: $*" >&2
  echo "Nothing that runs has changed. Mend the cause and run this again; first: deploy/upgrade.sh $overlay --abort" >&2
  exit 1
}

if [[ ${2:-} == --abort ]]; then
  exec "${kubectl[@]}" delete rayclusters,jobs,configmaps,secrets --selector "$unfinished" --ignore-not-found
fi
[[ -z ${2:-} ]] || { echo "unknown: $2" >&2; exit 2; }
left=$("${kubectl[@]}" get rayclusters,jobs,configmaps,secrets --selector "$unfinished" --output name)
[[ -z $left ]] || fail "an earlier upgrade was not finished: ${left//$'\n'/, }"

# Prints the manifests of one kind (and with it those of the name), or all others.
only() { awk -v which="$1" 'BEGIN { RS = "---\n"; ORS = RS } $0 ~ which' "$manifests/all"; }
without() { awk -v which="$1" 'BEGIN { RS = "---\n"; ORS = RS } $0 !~ which' "$manifests/all"; }
# Gives what this roll makes a name of its own, and a label until the roll has succeeded.
rename() {
  sed -E -e '/(configMapRef|secretRef):$/ { n; s/name: satbridge$/name: '"$new"'/ }' \
    -e "s/^  name: satbridge$/  name: $new\n  labels: {satbridge\/roll: unfinished}/" \
    -e "s/^  name: migrate$/  name: migrate-$roll\n  labels: {satbridge\/roll: unfinished}/"
}
settings='\nkind: (ConfigMap|Secret)\nmetadata:\n  name: satbridge\n'
cluster='\nkind: RayCluster\n'
job='\nkind: Job\nmetadata:\n  name: migrate\n'

no_node_since=
# Ends the upgrade when a pod cannot start, with its last lines and the reason.
stuck() { # selector
  local pods pod reason restarts
  # shellcheck disable=SC2016 # templates of kubectl, not of the shell
  pods=$("${kubectl[@]}" get pods --selector "$1" --output go-template='{{range .items}}{{$pod := .metadata.name -}}
{{range .status.initContainerStatuses}}{{with .state.waiting}}{{$pod}} {{.reason}} 0{{"\n"}}{{end}}{{end -}}
{{range .status.containerStatuses}}{{$n := .restartCount}}{{with .state.waiting}}{{$pod}} {{.reason}} {{$n}}{{"\n"}}{{end}}{{end -}}
{{range .status.conditions}}{{if eq .type "PodScheduled"}}{{if eq .status "False"}}{{$pod}} {{.reason}} 0{{"\n"}}{{end}}{{end}}{{end -}}
{{if eq .status.phase "Failed"}}{{$pod}} Failed 0{{"\n"}}{{end}}{{end}}')
  grep -q ' Unschedulable ' <<<"$pods" || no_node_since=
  while read -r pod reason restarts; do
    case $reason in
      ErrImagePull | ImagePullBackOff | InvalidImageName | ErrImageNeverPull | CreateContainer*Error | Failed) ;;
      # One that waits for another may end once or twice.
      CrashLoopBackOff | RunContainerError) ((restarts > 2)) || continue ;;
      Unschedulable)
        no_node_since=${no_node_since:-$SECONDS}
        ((SECONDS - no_node_since >= ${UNSCHEDULABLE_SECONDS:-120})) || continue
        ;;
      *) continue ;;
    esac
    echo "* the last lines of $pod:" >&2
    "${kubectl[@]}" logs "$pod" --all-containers --tail 5 >&2 || true
    "${kubectl[@]}" get events --field-selector "involvedObject.name=$pod,type=Warning" \
      --output go-template='{{range .items}}{{.message}}{{"\n"}}{{end}}' | tail -n 3 >&2 || true
    fail "$pod: $reason"
  done <<<"$pods"
}
await() { # what is waited for, selector of its pods, command…
  local deadline=$((SECONDS + patience)) what=$1 selector=$2
  shift 2
  until "$@"; do
    stuck "$selector"
    ((SECONDS < deadline)) || fail "$what is not there after $patience s: $("${kubectl[@]}" get pods --selector "$selector" --no-headers)"
    sleep 2
  done
}
migrated() {
  [[ $("${kubectl[@]}" get job "migrate-$roll" --output go-template='{{.status.succeeded}}') == 1 ]]
}
# Whether the head and every worker of the new cluster are ready: also those that KubeRay makes later.
ready() {
  local desired states
  desired=$("${kubectl[@]}" get raycluster "$new" --output go-template='{{.status.desiredWorkerReplicas}}')
  states=$("${kubectl[@]}" get pods --selector "ray.io/cluster=$new" --output go-template='{{range .items -}}
{{range .status.conditions}}{{if eq .type "Ready"}}{{.status}}{{"\n"}}{{end}}{{end}}{{end}}')
  [[ $desired =~ ^[0-9]+$ ]] && (($(grep -c '^True$' <<<"$states") == desired + 1)) && ! grep -q '^False$' <<<"$states"
}

old=$("${kubectl[@]}" get rayclusters --output name)
kubectl kustomize "overlays/$overlay" >"$manifests/all"
# What the old clusters are to find at a restart of their pods is not touched.
only "$settings" | rename >"$manifests/settings"
only "$job" | rename >"$manifests/job"
only "$cluster" | rename >"$manifests/cluster"
without "$settings|$job|$cluster" >"$manifests/others"

say "checks what the API server takes"
"${kubectl[@]}" create --dry-run=server --validate=strict --output name --filename "$manifests/cluster" >/dev/null ||
  fail "KubeRay may be too old; small needs 1.6, ha 1.7. Found: $(kubectl get deployments --all-namespaces \
    --output go-template='{{range .items}}{{range .spec.template.spec.containers}}{{.image}}{{"\n"}}{{end}}{{end}}' |
    grep -m 1 kuberay || echo none)"

say "$new: its settings, and the database"
"${kubectl[@]}" create --filename "$manifests/settings"
"${kubectl[@]}" create --filename "$manifests/job"
await "the migration" "job-name=migrate-$roll" migrated

say "everything that both share"
"${kubectl[@]}" apply --filename "$manifests/others"

say "$new beside ${old:-nothing}"
"${kubectl[@]}" create --filename "$manifests/cluster"
await "$new" "ray.io/cluster=$new" ready
"${kubectl[@]}" label "raycluster/$new" "configmap/$new" "secret/$new" "job/migrate-$roll" satbridge/roll-

for one in $old; do
  name=${one##*/}
  say "$name drains"
  # No webhook comes here any more; mail is turned away by the readiness of its pods.
  "${kubectl[@]}" label pods --selector "ray.io/cluster=$name" satbridge/web-
  sleep "${SETTLE_SECONDS:-5}"
  head=$("${kubectl[@]}" get pods --selector "ray.io/cluster=$name,ray.io/node-type=head" --output name)
  "${kubectl[@]}" exec "$head" --container gateway -- satbridge down ||
    echo "not everything was settled; $new goes on with it"
  "${kubectl[@]}" delete "$one"
  suffix=${name#satbridge}
  "${kubectl[@]}" delete "configmap/$name" "secret/$name" "job/migrate$suffix" --ignore-not-found
done
say "$new runs alone"
