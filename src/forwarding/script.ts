import type { Protocol } from "../engines/engine.ts";
import type { PortRules } from "./rules.ts";

/** Replaces the whole table in one transaction of the kernel: a packet sees either the old one or the new one. */
export function portScript({ mappings, bridges }: PortRules): string {
  const clear = "table ip gantry\ndelete table ip gantry\n";
  if (mappings.length === 0 && bridges.length === 0) return clear;
  const ports = (wanted: Protocol): string[] =>
    mappings
      .filter(({ protocol }) => protocol === wanted)
      .toSorted((a, b) => a.host - b.host)
      .map(({ host, address, port }) => `${host} : ${address} . ${port}`);
  const addresses = [...new Set(mappings.map(({ address }) => address))].sort();
  const quoted = bridges.toSorted().map((bridge) => `"${bridge}"`);
  return `${clear}table ip gantry {
${named("map tcp_ports", "inet_service : ipv4_addr . inet_service", ports("tcp"))}
${named("map udp_ports", "inet_service : ipv4_addr . inet_service", ports("udp"))}
${named("set bridges", "ifname", quoted)}
${named("set same_bridge", "ifname . ifname", twice(quoted))}
${named("set same_container", "ipv4_addr . ipv4_addr", twice(addresses))}
${chains}}
`;
}

/**
 * Before Docker's and LXD's own rules (-100). What the host sends to itself does not pass prerouting, so output has the
 * same. 127.0.0.1 means nothing in a container, and one must not be answered past the host, so those connections come from
 * the bridge's address. The bridges let 127.0.0.0/8 pass (route_localnet), which the guard takes back for all else.
 */
const chains = `
  chain guard {
    type filter hook prerouting priority -300; policy accept;
    iifname @bridges ip daddr 127.0.0.0/8 drop
    iifname @bridges ip saddr 127.0.0.0/8 drop
  }
  chain forward {
    dnat ip addr . port to tcp dport map @tcp_ports
    dnat ip addr . port to udp dport map @udp_ports
  }
  chain prerouting {
    type nat hook prerouting priority -105; policy accept;
    fib daddr type local jump forward
  }
  chain output {
    type nat hook output priority -105; policy accept;
    fib daddr type local jump forward
  }
  chain postrouting {
    type nat hook postrouting priority 95; policy accept;
    oifname @bridges ip saddr 127.0.0.0/8 ct status dnat masquerade
    iifname . oifname @same_bridge ct status dnat masquerade
    ip saddr . ip daddr @same_container ct status dnat masquerade
  }
`;

function named(head: string, type: string, elements: readonly string[]): string {
  const filled = elements.length > 0 ? `    elements = { ${elements.join(", ")} }\n` : "";
  return `  ${head} {\n    type ${type}\n${filled}  }`;
}

function twice(keys: readonly string[]): string[] {
  return keys.map((key) => `${key} . ${key}`);
}
