import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { run, runInside } from "../../engines/commands.ts";
import { fileInside } from "../../engines/kernel.ts";
import type { LanWorld } from "../../engines/lan-world.ts";
import { until } from "../../support/patiently.ts";
import type { Row } from "./row.ts";

/** On a LAN of the test's own. */
export function networkRows(lan: LanWorld, { tcp, udp }: { tcp: number; udp: number }): readonly Row[] {
  const { cable, bridge } = lan;
  return [
    {
      name: "names",
      covers: ["network.hostname", "network.dns", "network.mode"],
      body: { network: { mode: "nat", hostname: "CustomHostName", dns: ["192.0.2.53", "2001:db8::53"] } },
      async check({ pid }) {
        assert.equal(await runInside(pid, "cat", "/proc/sys/kernel/hostname"), "CustomHostName");
        assert.deepEqual(fileInside(pid, "/etc/resolv.conf").match(/^nameserver .*$/gm), [
          "nameserver 192.0.2.53",
          "nameserver 2001:db8::53",
        ]);
        assert.notEqual(readlinkSync(`/proc/${pid}/ns/net`), readlinkSync("/proc/self/ns/net"));
      },
    },
    {
      name: "mac",
      covers: ["network.mac_addr"],
      body: { network: { mac_addr: "02:42:AC:11:77:99" } },
      check: async ({ pid }) =>
        assert.match(await inNetwork(pid, "ip", "link", "show", "eth0"), /link\/ether 02:42:ac:11:77:99/),
    },
    {
      name: "ports",
      covers: ["network.port", "network.expose_port"],
      body: {
        entrypoint: ["httpd", "-f", "-p", "7000", "-h", "/www"],
        network: {
          port: [
            [tcp, 7000, "tcp"],
            [udp, 7001, "udp"],
          ],
          expose_port: [9999],
        },
      },
      async check({ pid, inspect }) {
        assert.deepEqual(Object.keys(inspect.Config.ExposedPorts).toSorted(), ["7000/tcp", "7001/udp", "9999/tcp"]);
        const text = () =>
          fetch(`http://127.0.0.1:${tcp}/`).then(
            (answer) => answer.text(),
            () => "",
          );
        await until(async () => (await text()) === "hello\n");
        // busybox speaks no UDP: the echo comes from this side, into the container's network.
        const program = `require("dgram").createSocket("udp4").on("message", function (m, r) { this.send(m, r.port, r.address) }).bind(7001)`;
        const echo = spawn("nsenter", ["-t", String(pid), "-n", "--", process.execPath, "-e", program]);
        try {
          await until(async () => (await echoed(udp)) === "over udp");
        } finally {
          echo.kill("SIGKILL");
        }
      },
    },
    {
      name: "host",
      covers: ["network.mode"],
      body: { network: { mode: "host" } },
      check: ({ pid }) => assert.equal(readlinkSync(`/proc/${pid}/ns/net`), readlinkSync("/proc/self/ns/net")),
    },
    {
      name: "interface",
      covers: ["network.mode", "network.interface", "network.bridge.mode"],
      body: { network: { mode: "bridge", interface: cable, bridge: { mode: "dhcp" }, mac_addr: "02:42:ac:11:00:78" } },
      async check({ pid }) {
        assert.match(await inNetwork(pid, "ip", "address", "show", "eth0"), /inet 192\.168\.77\.1[0-4]\d\/24/);
        const card = await inNetwork(pid, "ip", "-d", "link", "show", "eth0");
        assert.match(card, /macvlan mode bridge/);
        assert.match(card, /link\/ether 02:42:ac:11:00:78/);
        assert.match(
          await lan.onRouter(
            "busybox",
            "ping",
            "-c",
            "1",
            "-W",
            "2",
            addressIn(await inNetwork(pid, "ip", "address", "show", "eth0")),
          ),
          /1 packets received/,
        );
      },
    },
    {
      name: "join",
      covers: ["network.join", "network.bridge.ip", "network.bridge.netmask", "network.bridge.gateway"],
      body: {
        network: {
          mode: "bridge",
          interface: bridge,
          join: true,
          bridge: { mode: "static", ip: "192.168.77.21", netmask: "255.255.254.0", gateway: "192.168.77.1" },
        },
      },
      async check({ pid }) {
        assert.match(await inNetwork(pid, "ip", "address", "show", "eth0"), /inet 192\.168\.77\.21\/23/);
        assert.match(await inNetwork(pid, "ip", "route"), /^default via 192\.168\.77\.1 dev eth0/m);
        assert.match(await inNetwork(pid, "ip", "-d", "link", "show", "eth0"), /veth/);
        assert.match(await run("ip", "link", "show", "master", bridge), /gnt/);
      },
    },
    {
      name: "page-bridge",
      covers: ["network.bridge.interface.bridge", "network.bridge.interface.name"],
      body: {
        network: {
          mode: "bridge",
          dns: ["192.0.2.54"],
          bridge: { mode: "static", ip: "192.168.77.22", interface: { bridge, name: cable } },
        },
      },
      async check({ pid }) {
        assert.match(await inNetwork(pid, "ip", "address", "show", "eth0"), /inet 192\.168\.77\.22\/24/);
        assert.match(await inNetwork(pid, "ip", "-d", "link", "show", "eth0"), /veth/, "a bridge is joined");
        assert.match(fileInside(pid, "/etc/resolv.conf"), /^nameserver 192\.0\.2\.54$/m);
      },
    },
    {
      name: "links",
      covers: ["links"],
      body: { links: { "param-ports": "db" } },
      async check({ pid }) {
        assert.match(fileInside(pid, "/etc/hosts"), /^\d+\.\d+\.\d+\.\d+\s+db .*param-ports/m);
        assert.equal(await runInside(pid, "wget", "-q", "-O", "-", "http://db:7000/"), "hello");
      },
    },
  ];
}

function inNetwork(pid: number, ...argv: string[]): Promise<string> {
  return run("nsenter", "-t", String(pid), "-n", "--", ...argv);
}

async function echoed(port: number): Promise<string> {
  const socket = createSocket("udp4");
  const answer = once(socket, "message", { signal: AbortSignal.timeout(500) }).catch(() => [""]);
  socket.send("over udp", port, "127.0.0.1");
  const [text] = (await answer) as [Buffer | string];
  socket.close();
  return text.toString();
}

function addressIn(text: string): string {
  return /inet ([\d.]+)\//.exec(text)?.[1] ?? "";
}
