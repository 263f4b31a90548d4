import type { Protocol } from "../engines/container-spec.ts";
import type { PortRules } from "./rules.ts";

/**
 * Returns the script for `nft -f` that replaces the whole table in one transaction: each packet meets the old table or the
 * new one. Without rules the script only removes the table.
 */
export function tableScript({ mappings, bridges }: PortRules): string {
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
${block("map tcp_ports", "inet_service : ipv4_addr . inet_service", ports("tcp"))}
${block("map udp_ports", "inet_service : ipv4_addr . inet_service", ports("udp"))}
${block("set bridges", "ifname", quoted)}
${block("set same_bridge", "ifname . ifname", pairWithItself(quoted))}
${block("set same_container", "ipv4_addr . ipv4_addr", pairWithItself(addresses))}
${chains}}
`;
}

/**
 * The chains run before those of Docker and LXD, which have priority -100. Packets from the host to itself do not pass
 * prerouting, so output redirects them too. Some redirected connections are masqueraded, that is, they come from the
 * bridge's address: those from 127.0.0.1, which is another host in the container, and those from a container of the same
 * bridge, whose replies would otherwise bypass the host. The bridges let 127.0.0.0/8 pass (route_localnet); the chain guard
 * drops all such packets that come from the bridges.
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

function block(head: string, type: string, elements: readonly string[]): string {
  const filled = elements.length > 0 ? `    elements = { ${elements.join(", ")} }\n` : "";
  return `  ${head} {\n    type ${type}\n${filled}  }`;
}

function pairWithItself(keys: readonly string[]): string[] {
  return keys.map((key) => `${key} . ${key}`);
}
