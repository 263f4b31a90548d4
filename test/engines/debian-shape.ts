import assert from "node:assert/strict";

import { patiently } from "../support/patiently.ts";
import { run } from "./commands.ts";

/** What a Debian is to have, of LXC and of LXD. */
export interface DebianShape {
  hostname: string;
  addresses: string[];
  nameServers: string[];
}

type Inside = (...argv: string[]) => Promise<string>;

/** By name, addresses and name servers it is as it was changed; `inside` runs a program there. */
export async function holdsShape(inside: Inside, wanted: DebianShape, gateway: string): Promise<void> {
  assert.equal(await inside("hostname"), wanted.hostname);
  await keepsAddresses(inside, gateway, (addresses) => {
    assert.deepEqual(addresses.toSorted(), wanted.addresses.toSorted());
  });
  for (const address of wanted.addresses) {
    const ping = () => run("busybox", "ping", "-c", "1", "-W", "1", address);
    await patiently(`${address} from this host`, async () => void (await ping()));
  }
  const text = await inside("cat", "/etc/resolv.conf");
  assert.equal(text, wanted.nameServers.map((server) => `nameserver ${server}`).join("\n"));
}

/** Still so when systemd has had a second for it. */
export async function keepsAddresses(
  inside: Inside,
  gateway: string,
  check: (addresses: string[]) => void,
): Promise<void> {
  await patiently("its addresses", async () => {
    for (let looks = 0; looks < 10; looks++) {
      const text = await inside("ip", "-4", "-o", "address", "show", "dev", "eth0", "scope", "global");
      check([...text.matchAll(/inet ([\d.]+)/g)].map(([, address]) => address ?? ""));
    }
    const [first = ""] = /^default .*$/m.exec(await inside("ip", "route")) ?? [];
    assert.ok(first.startsWith(`default via ${gateway} dev eth0`), first);
  });
}
