#!/bin/sh
# fresh-steps.sh ORDER: what a stranger types on a fresh machine, with what must come of it. ORDER says which of npm start
# and npm test is first. Only prove-fresh runs this.
set -eu
order=$1
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

# run_tests WHEN: npm test, or the part that GANTRY_FRESH_TESTS names.
run_tests() {
  case ${GANTRY_FRESH_TESTS:-} in
    no) return ;;
    setup) step "npm test -- setup, $1" && npm test -- setup || fail "npm test -- setup, $1." ;;
    *) step "npm test, $1" && npm test || fail "npm test, $1." ;;
  esac
}

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

# A neighbour in the LAN, which knows no way back to a bridge of this machine.
make_lan() {
  mkdir -p /root/www
  echo "hello from the LAN" >/root/www/index.html
  ip netns add lan
  ip link add lan0 type veth peer name eth0 netns lan
  ip addr add 192.168.88.1/24 dev lan0
  ip link set lan0 up
  ip -n lan addr add 192.168.88.2/24 dev eth0
  ip -n lan link set eth0 up
  ip netns exec lan busybox httpd -p 192.168.88.2:80 -h /root/www
}

# A root file system that takes an address by DHCP and waits.
make_system() {
  system=/root/system
  for folder in bin sbin etc dev proc sys root tmp run var usr/share/udhcpc; do mkdir -p "$system/$folder"; done
  cp "$(command -v busybox)" "$system/bin/busybox"
  ln -s busybox "$system/bin/sh"
  printf '#!/bin/busybox sh\n%s\n' '[ "$1" = bound ] || exit 0
/bin/busybox ip addr add "$ip/$mask" dev "$interface"
/bin/busybox ip route add default via "$router"' >"$system/usr/share/udhcpc/default.script"
  printf '#!/bin/busybox sh\n%s\n' '/bin/busybox mount -t proc proc /proc 2>/dev/null
/bin/busybox ip link set eth0 up
/bin/busybox udhcpc -b -i eth0 -s /usr/share/udhcpc/default.script >/tmp/udhcpc.log 2>&1 &
while :; do /bin/busybox sleep 1000; done' >"$system/sbin/init"
  chmod 755 "$system/sbin/init" "$system/usr/share/udhcpc/default.script"
  tar -C "$system" --numeric-owner -c . >/root/system.tar
}

# reaches_out TITLE COMMAND...: the command is run in a container until the LAN answers.
reaches_out() {
  title=$1
  shift
  begin=$(now)
  # Not wget, which breaks down in Debian's static busybox.
  until printf 'GET / HTTP/1.0\r\n\r\n' | "$@" /bin/busybox nc -w 3 192.168.88.2 80 2>/dev/null |
    grep -q 'hello from the LAN'; do
    [ $(($(now) - begin)) -lt 30000 ] || {
      "$@" /bin/busybox ip addr </dev/null >&2 || true
      "$@" /bin/busybox cat /tmp/udhcpc.log </dev/null >&2 || true
      nft list ruleset >&2
      fail "a container of $title does not reach the LAN."
    }
    sleep 0.2
  done
  echo "   $title: out to the LAN after $(($(now) - begin)) ms"
}

containers_reach_out() {
  reaches_out LXC lxc-attach -n probe --
  reaches_out LXD lxc exec probe --
}

docker_get() { curl -sS --fail-with-body --unix-socket /var/run/docker.sock "http://docker$1"; }

step "node $(node --version), npm $(npm --version), no engine"
for name in dockerd lxc-start lxd; do
  if command -v "$name" >/dev/null; then fail "$name is there already."; fi
done

if [ "$order" = test ]; then run_tests "on a machine without engines"; fi

step "npm start"
start_station
begin=$(now)
for type in docker lxc lxd; do
  until curl -sS --fail-with-body http://127.0.0.1:8080/healthz | grep -A1 "\"type\": \"$type\"" | grep -q '"available": true'; do
    [ $(($(now) - begin)) -lt 30000 ] || fail "/healthz does not say that $type is available."
    sleep 0.2
  done
done
echo "   docker, lxc and lxd are available"

step "three engines: LXC's bridge, LXD's bridge and a pool that holds sizes"
ip -br addr show lxcbr0 | grep -q '10\.0\.3\.1/24' || fail "LXC has no bridge."
lxc network list -f csv | grep -q '^lxdbr0,bridge,YES,' || fail "LXD has no bridge."
lxc storage list -f csv | grep -q '^default,btrfs,' || fail "LXD's pool is none of btrfs."

step "a container of LXC and one of LXD: an address by DHCP, out to the LAN past Docker's firewall"
make_lan
make_system
mkdir -p /var/lib/lxc/probe/rootfs
tar -C /var/lib/lxc/probe/rootfs -x </root/system.tar
printf '%s\n' 'lxc.include = /usr/share/lxc/config/common.conf' 'lxc.uts.name = probe' \
  'lxc.rootfs.path = dir:/var/lib/lxc/probe/rootfs' 'lxc.apparmor.profile = unconfined' 'lxc.net.0.type = veth' \
  'lxc.net.0.link = lxcbr0' 'lxc.net.0.flags = up' 'lxc.start.auto = 1' >/var/lib/lxc/probe/config
lxc-start -n probe || fail "LXC does not start a container."
printf 'architecture: %s\ncreation_date: 1700000000\n' "$(uname -m)" >/root/metadata.yaml
tar -C /root -c metadata.yaml >/root/metadata.tar
lxc image import /root/metadata.tar /root/system.tar --alias probe >/dev/null
lxc launch probe probe -d root,size=50MiB >/dev/null || fail "LXD does not launch a container."
iptables -P FORWARD DROP
containers_reach_out
lxc exec probe -- /bin/busybox dd if=/dev/zero of=/big bs=1M count=100 </dev/null 2>/dev/null &&
  fail "a container of LXD writes more than its size."
echo "   LXD: the size holds"

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

if [ "$order" = start ]; then run_tests "beside the station, its engines and their containers"; fi

step "SIGTERM to npm"
stop_station
docker_get '/containers/dtest/json' | grep -q '"Running":true' || fail "the container ended with the station."

step "npm start again: what set-up has started is adopted"
start_station
stop_station

step "npm run engines:stop: containers run on, and what they live on"
npm run --silent engines:stop
if docker_get /_ping 2>/dev/null; then fail "dockerd still answers."; fi
if lxc list >/dev/null 2>&1; then fail "lxd still answers."; fi
[ "$(lxc-info -n probe -s -H)" = RUNNING ] || fail "the container of LXC ended."
reaches_out LXC lxc-attach -n probe --

step "the engines again, Docker last"
iptables -F DOCKER-USER
npm run --silent engines:start -- --engines lxc,lxd
[ "$(lxc list -f csv -c s)" = RUNNING ] || fail "the container of LXD ended."
npm run --silent engines:start
containers_reach_out

step "npm run engines:stop with no container of LXC or LXD: nothing is left"
lxc stop -f probe
lxc-stop -k -n probe
npm run --silent engines:stop
for name in dockerd containerd lxd lxcfs dnsmasq; do
  if [ -n "$(pidof "$name")" ]; then fail "$name still runs."; fi
done
if ip link show lxcbr0 2>/dev/null; then fail "LXC's bridge is still there."; fi
if grep -q /var/lib/lxd/storage-pools/ /proc/self/mountinfo; then fail "LXD's pool is still mounted."; fi

step "as after a boot: the containers with autostart run"
rm -rf /run/gantry
npm run --silent engines:start -- --engines lxc
[ "$(lxc-info -n probe -s -H)" = RUNNING ] || fail "the container of LXC was not started."
lxc-stop -k -n probe
npm run --silent engines:stop

run_tests "after all that"

step "npm start once more"
start_station
stop_station
npm run --silent engines:stop
