import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Host, startHost } from "./host.ts";

let host: Host;
before(async () => {
  host = await startHost();
});
after(() => host.end());

const lxc = ["--engines", "lxc"];
const settings = (): Promise<string> => host.run("cat", "/etc/default/lxc-net");

test("LXC's bridge is started, and its DHCP server reads the station's fixed addresses", async () => {
  const { code, text } = await host.engines("start", ...lxc);
  assert.equal(code, 0, text);
  assert.match(text, /^Starting LXC's bridge lxcbr0; npm run engines:stop stops it\.\nLXC is ready\.$/);
  assert.match(await host.run("ip", "-br", "addr", "show", "lxcbr0"), /10\.0\.3\.1\/24/);
  await attach();
  // Written while dnsmasq runs, as the station does.
  const lease = "00:16:3e:00:00:aa,10.0.3.77";
  await host.run("sh", "-c", `cd /etc/lxc/gantry-dhcp-hosts; echo ${lease} >.new; mv .new one`);
  assert.equal((await dhcp()).trim(), "10.0.3.77");
});

test("a second call changes nothing", async () => {
  const [pid] = await host.pids("dnsmasq");
  const { code, text } = await host.engines("start", ...lxc);
  assert.equal(code, 0);
  assert.equal(text, "The engines run already.");
  assert.deepEqual(await host.pids("dnsmasq"), [pid]);
  assert.equal((await settings()).match(/LXC_DHCP_CONFILE/g)?.length, 1);
});

test("a bridge whose dnsmasq has died is repaired, and interfaces stay attached to it", async () => {
  await host.run("kill", "-KILL", ...(await host.pids("dnsmasq")));
  const { code, text } = await host.engines("start", ...lxc);
  assert.equal(code, 0, text);
  assert.equal((await host.pids("dnsmasq")).length, 1);
  assert.match(await host.run("ip", "-o", "link", "show", "outer"), /master lxcbr0/);
  assert.equal((await dhcp()).trim(), "10.0.3.77");
  assert.equal((await settings()).match(/LXC_DHCP_CONFILE/g)?.length, 1);
});

test("the bridge is stopped only when no interface is attached to it", async () => {
  const used = await host.engines("stop", ...lxc);
  assert.match(used.text, /LXC's bridge lxcbr0 stays, because containers are on it\./);
  assert.equal((await host.pids("dnsmasq")).length, 1);
  await host.run("ip", "link", "delete", "outer");
  const unused = await host.engines("stop", ...lxc);
  assert.equal(unused.text, "Stopped the bridge lxcbr0.");
  assert.deepEqual(await host.pids("dnsmasq"), []);
  await assert.rejects(host.run("ip", "link", "show", "lxcbr0"));
  assert.equal(
    (await host.engines("stop", ...lxc)).text,
    "Nothing that set-up started is running, as far as /run/gantry (--run) knows.",
  );
});

test("containers with autostart are started once per boot, even if the run folder survives a reboot", async () => {
  const run = ["--run", "/run/lasting"];
  const mark = "/run/lasting/engines/lxc-autostart";
  const config = "lxc.start.auto = 1\nlxc.group = onboot\nlxc.rootfs.path = dir:/nowhere\n";
  await host.run("sh", "-c", `mkdir -p /var/lib/lxc/onboot; printf '${config}' >/var/lib/lxc/onboot/config`);
  const start = async () => (await host.engines("start", ...lxc, ...run)).text;
  const stop = () => host.engines("stop", ...lxc, ...run);
  // That it cannot be started shows that it was tried.
  const tried = /^Not all LXC containers with autostart could be started/m;
  const first = await start();
  assert.match(first, /npm run engines:stop -- --run \/run\/lasting stops it/);
  assert.match(first, tried);
  await stop();
  assert.doesNotMatch(await start(), tried);
  await stop();
  await host.run("sh", "-c", `echo another boot >${mark}`);
  assert.match(await start(), tried);
  await stop();
  await host.run("rm", "-r", "/var/lib/lxc/onboot");
});

test("a subnet that a route leads to is not used", async () => {
  await host.run("sh", "-c", "echo 'USE_LXC_BRIDGE=\"true\"' >/etc/default/lxc-net");
  await host.run("ip", "link", "add", "lan", "type", "veth", "peer", "name", "lan1");
  await host.run("ip", "addr", "add", "10.0.3.9/22", "dev", "lan");
  await host.run("ip", "link", "set", "lan", "up");
  await host.run("ip", "link", "set", "lan1", "up");
  assert.equal((await host.engines("start", ...lxc)).code, 0);
  assert.match(await host.run("ip", "-br", "addr", "show", "lxcbr0"), /10\.0\.4\.1\/24/);
  await host.engines("stop", ...lxc);
});

test("settings of the administrator are kept", async () => {
  const own = 'USE_LXC_BRIDGE="true"\nLXC_ADDR="10.7.7.1"\nLXC_NETWORK="10.7.7.0/24"\nLXC_DHCP_CONFILE=/dev/null\n';
  await host.run("sh", "-c", `printf '%s' '${own}LXC_DHCP_RANGE="10.7.7.2,10.7.7.9"\n' >/etc/default/lxc-net`);
  const before = await settings();
  assert.equal((await host.engines("start", ...lxc)).code, 0);
  assert.equal(await settings(), before);
  assert.match(await host.run("ip", "-br", "addr", "show", "lxcbr0"), /10\.7\.7\.1\/24/);
  await host.engines("stop", ...lxc);
  await host.run("sh", "-c", "echo 'USE_LXC_BRIDGE=\"false\"' >/etc/default/lxc-net");
  assert.equal((await host.engines("start", ...lxc)).text, "The engines run already.");
  await assert.rejects(host.run("ip", "link", "show", "lxcbr0"));
});

test("containers pass Docker's firewall, and repeated calls add no second rule", async () => {
  await host.run("sh", "-c", "echo 'USE_LXC_BRIDGE=\"true\"' >/etc/default/lxc-net");
  await host.run("iptables", "-N", "DOCKER-USER");
  await host.engines("start", ...lxc);
  await host.engines("start", ...lxc);
  const rules = (await host.run("iptables", "-S", "DOCKER-USER")).trim().split("\n");
  assert.deepEqual(rules.toSorted(), [
    "-A DOCKER-USER -i lxcbr0 -j ACCEPT",
    "-A DOCKER-USER -o lxcbr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-N DOCKER-USER",
  ]);
});

test("containers with autostart are started once and outlive the bridge of set-up", async () => {
  await host.engines("stop", ...lxc);
  await host.run("rm", "-r", "/run/gantry");
  await host.run("sh", "-c", makeContainers);
  try {
    const { code, text } = await host.engines("start", ...lxc);
    assert.equal(code, 0, text);
    assert.doesNotMatch(text, /Not all/);
    assert.equal(await running(), "auto");
    await host.engines("stop", ...lxc);
    assert.equal(await running(), "auto");
    await host.run("lxc-stop", "-k", "-n", "auto");
    await host.engines("start", ...lxc);
    assert.equal(await running(), "", "what was stopped by hand stays so until the next boot");
  } finally {
    await host.run("sh", "-c", "lxc-stop -k -n auto 2>/dev/null || true");
  }
});

const makeContainers = `
set -eu
for name in auto other; do
  folder=/var/lib/lxc/$name
  mkdir -p "$folder/rootfs/bin" "$folder/rootfs/sbin" "$folder/rootfs/dev" "$folder/rootfs/proc" "$folder/rootfs/sys"
  cp "$(command -v busybox)" "$folder/rootfs/bin/busybox"
  printf '#!/bin/busybox sh\nexec /bin/busybox sleep 100000\n' >"$folder/rootfs/sbin/init"
  chmod 755 "$folder/rootfs/sbin/init"
  printf '%s\n' 'lxc.include = /usr/share/lxc/config/common.conf' "lxc.uts.name = $name" "lxc.rootfs.path = dir:$folder/rootfs" \
    'lxc.apparmor.profile = unconfined' 'lxc.net.0.type = veth' 'lxc.net.0.link = lxcbr0' 'lxc.group = onboot' >"$folder/config"
done
echo 'lxc.start.auto = 1' >>/var/lib/lxc/auto/config
`;

async function running(): Promise<string> {
  return (await host.run("lxc-ls", "-1", "--running")).trim();
}

/** A port of the bridge in place of a container. */
async function attach(): Promise<void> {
  await host.run("ip", "link", "add", "outer", "type", "veth", "peer", "name", "inner");
  await host.run("ip", "netns", "add", "guest");
  await host.run("ip", "link", "set", "inner", "address", "00:16:3e:00:00:aa", "netns", "guest");
  await host.run("ip", "link", "set", "outer", "master", "lxcbr0", "up");
  await host.run("ip", "-n", "guest", "link", "set", "inner", "up");
}

/** The address that the guest is given. */
async function dhcp(): Promise<string> {
  await host.run(
    "sh",
    "-c",
    `printf '#!/bin/sh\n[ "$1" != bound ] || echo "$ip"\n' >/run/answer; chmod 755 /run/answer`,
  );
  const client = ["busybox", "udhcpc", "-i", "inner", "-f", "-q", "-n", "-t", "20", "-T", "1", "-s", "/run/answer"];
  return host.run("ip", "netns", "exec", "guest", ...client);
}
