#!/bin/sh
# What a stranger types on a fresh machine, with what must come of it. Only prove-fresh runs this.
set -eu
. /root/machine.env
cd /root/gantry
api=http://127.0.0.1:8080/container-station/api/v1
out=/root/station.out

step() { echo "== $1"; }
fail() {
  echo "prove-fresh: $1" >&2
  tail -n 20 "$out" "$out.err" >&2 2>/dev/null || true
  tail -n 5 /var/log/gantry/*.log >&2 2>/dev/null || true
  exit 1
}
now() { date +%s%N | cut -c1-13; }

start_station() {
  begin=$(now)
  : >"$out"
  GANTRY_ADMIN_PASSWORD=fresh-secret npm start -- --listen 127.0.0.1:8080 >"$out" 2>"$out.err" &
  station=$!
  until grep -q '^Gantry is ready at http://127.0.0.1:8080$' "$out"; do
    kill -0 "$station" 2>/dev/null || fail "npm start ended."
    [ $(($(now) - begin)) -lt 600000 ] || fail "npm start was not ready after 10 minutes."
    sleep 0.05
  done
  echo "   ready after $(($(now) - begin)) ms"
  sed 's/^/   | /' "$out.err"
}

stop_station() {
  begin=$(now)
  kill -TERM "$station"
  code=0
  wait "$station" || code=$?
  [ "$code" = 0 ] || fail "npm start ended with exit code $code after SIGTERM."
  echo "   ended after $(($(now) - begin)) ms with exit code 0"
  for folder in /proc/[0-9]*; do
    if tr '\0' ' ' <"$folder/cmdline" 2>/dev/null | grep -q 'src/main\.ts'; then fail "a process of the station is left."; fi
  done
}

docker_get() { curl -sS --fail-with-body --unix-socket /var/run/docker.sock "http://docker$1"; }

step "node $(node --version), npm $(npm --version), no Docker"
if command -v dockerd >/dev/null; then fail "Docker is there already."; fi

step "npm start"
start_station
curl -sS --fail-with-body http://127.0.0.1:8080/healthz || fail "/healthz does not answer 200."
echo

step "an image, since Docker Hub may be out of reach: imported as ubuntu:latest"
mkdir -p /root/image/bin
cp "$(command -v busybox)" /root/image/bin/busybox
for name in sh sleep cat echo; do ln -s busybox "/root/image/bin/$name"; done
tar -C /root/image -c . | curl -sS --fail-with-body --unix-socket /var/run/docker.sock -H 'Content-Type: application/x-tar' \
  -T - -X POST 'http://docker/images/create?fromSrc=-&repo=ubuntu&tag=latest&changes=CMD%20%5B%22sleep%22%2C%22100000%22%5D'

step "login and the documented create"
curl -sS --fail-with-body -XPOST -c /root/cookies.txt -d '{"username": "admin", "password": "fresh-secret"}' "$api/login" ||
  fail "the login was refused."
curl -sS --fail-with-body -XPOST -b /root/cookies.txt -d '{
  "type": "docker", "repository": "dockerhub", "name": "dtest", "image": "ubuntu", "tag": "latest",
  "download": {
    "description": "I am description.", "location": "https://hub.docker.com/_/ubuntu/",
    "icon": "http://download.qnap.com/QPKG/images/QPKG/container/ubuntu_icon.png"
  }
}' "$api/background/create" || fail "the create was refused."
begin=$(now)
until docker_get '/containers/dtest/json' 2>/dev/null | grep -q '"Running":true'; do
  [ $(($(now) - begin)) -lt 30000 ] || {
    curl -sS -b /root/cookies.txt "$api/background/"
    fail "the container does not run after 30 s."
  }
  sleep 0.1
done
echo "   running"

step "SIGTERM to npm"
stop_station
docker_get '/containers/dtest/json' | grep -q '"Running":true' || fail "the container ended with the station."

step "npm start again: what set-up has started is adopted"
start_station
stop_station

step "npm run engines:stop"
npm run --silent engines:stop
if docker_get /_ping 2>/dev/null; then fail "dockerd still answers."; fi

step "npm test"
npm test
