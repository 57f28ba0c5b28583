#!/usr/bin/env bash
# Carries out the steps of the Dockerfile without a daemon: its RUN lines in a copy of the paths, then its ENTRYPOINT and CMD,
# and its HEALTHCHECK until that succeeds. It needs Go and python3. Run it from the root of the repository.
set -euo pipefail
file=deploy/sandbox/Dockerfile
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid"; rm -rf "$work"' EXIT
json() { # the words of a JSON array behind an instruction, one a line
	sed -n "s/^$1 *\(.*CMD \)\?\(\[.*\]\)$/\2/p" "$file" | python3 -c 'import json,sys; print("\n".join(json.load(sys.stdin)))'
}
here() { sed "s|/out/|$work/out/|g; s|^/wxpay$|$work/out/wxpay|; s|^/data|$work/out/data|; s|0\.0\.0\.0:18123|127.0.0.1:$port|"; }

mkdir -p "$work/out"
sed -n 's/^RUN //p' "$file" >"$work/steps"
[ -s "$work/steps" ] || { echo "no RUN in $file"; exit 1; }
port=0
here <"$work/steps" >"$work/steps.sh"
(cd cmd/wxpay && sh -eux "$work/steps.sh")

port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
mapfile -t start < <({ json ENTRYPOINT; json CMD; } | here)
mapfile -t healthy < <(json HEALTHCHECK | here)
[ "${#start[@]}" -gt 3 ] && [ "${#healthy[@]}" -gt 1 ] || { echo "$file has no ENTRYPOINT, CMD or HEALTHCHECK of this form"; exit 1; }
"${start[@]}" >"$work/lines" 2>"$work/log" &
pid=$!
for ((i = 0; i < 300; i++)); do
	if WXPAY_BASE_URL=http://127.0.0.1:$port "${healthy[@]}" >"$work/health" 2>&1; then
		grep -q '^export WXPAY_MCHID=' "$work/lines"
		kill "$pid" && wait "$pid" || true
		pid=
		echo "the image's steps work: built, started and healthy"
		exit 0
	fi
	kill -0 "$pid" 2>/dev/null || break
	sleep 0.2
done
cat "$work/log" "$work/health"
exit 1
