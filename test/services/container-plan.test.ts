import assert from "node:assert/strict";
import { test } from "node:test";
import type { CreateRequest } from "../../src/api/create.ts";
import { hasCode } from "../../src/errors.ts";
import { planContainer } from "../../src/services/planning/container-plan.ts";
import { createShares } from "../../src/shares/shares.ts";

const shares = createShares({ Public: "/nowhere/public", "My Photos": "/nowhere/photos" });
const plain: CreateRequest = { type: "docker", repository: "dockerhub", name: "dtest", image: "ubuntu", tag: "latest" };
const plan = (changes: Partial<CreateRequest>) => planContainer({ ...plain, ...changes }, shares);

test("nothing asked for: nothing given, and only known keys", () => {
  assert.deepEqual(plan({}), {
    name: "dtest",
    autostart: false,
    privileged: false,
    environment: [],
    dns: [],
    ports: [],
    exposedPorts: [],
    links: {},
    network: { mode: "nat" },
    limits: {},
    devices: [],
    gpu: false,
    mounts: [],
    volumesFrom: [],
    newVolumes: [],
  });
  const odd = { ...plain, ["Privileged"]: true, HostConfig: { Binds: ["/:/h"] }, CapAdd: ["ALL"] };
  assert.deepEqual(planContainer(odd, shares), plan({}), "what has no meaning reaches no engine");
});

test("command lines are split as a shell splits words, and nothing in them is carried out", () => {
  const lines: [string, string[] | undefined][] = [
    ["", undefined],
    ["   ", undefined],
    ["sleep 10", ["sleep", "10"]],
    [`sh -c 'echo "a  b"; id'`, ["sh", "-c", 'echo "a  b"; id']],
    [`a\\ b "c \\" d" '' e'f'g`, ["a b", 'c " d', "", "efg"]],
    [
      "echo $HOME `id` $(id) | cat > /x && y; *",
      ["echo", "$HOME", "`id`", "$(id)", "|", "cat", ">", "/x", "&&", "y;", "*"],
    ],
    ["a\tb\nc", ["a", "b", "c"]],
    ["--privileged -v /:/h", ["--privileged", "-v", "/:/h"]],
  ];
  for (const [line, words] of lines) {
    assert.deepEqual(plan({ command: line }).command, words, line);
    assert.deepEqual(plan({ entrypoint: line }).entrypoint, words, line);
  }
  assert.deepEqual(plan({ command: ["a b", "", "$x"] }).command, ["a b", "", "$x"]);
  assert.equal(plan({ command: [] }).command, undefined);
});

test("limits, in bytes, with and without the suffix", () => {
  const limits = (limit: object) => plan({ resource: { limit } }).limits;
  assert.deepEqual(limits({}), {});
  assert.deepEqual(limits({ cpuweight: 2, cputime: 999, memory: "65m" }), {
    cpuWeight: 2,
    cpuTime: 999,
    memory: 65 * 1024 ** 2,
  });
  assert.deepEqual(limits({ memory: "2048" }), { memory: 2048 * 1024 ** 2 });
  assert.deepEqual(limits({ memory: "999999999m" }), { memory: 999_999_999 * 1024 ** 2 });
});

test("devices: a deny takes back its allow, and the last word counts", () => {
  const input = (access: string) => ({ majors: [{ kind: "c", major: 13 }], access });
  const devices = (...device: ["allow" | "deny", string, string][]) => plan({ resource: { device } }).devices;
  assert.deepEqual(devices(["allow", "Input_(13)", "rw"]), [input("rw")]);
  assert.deepEqual(devices(["allow", "Input_(13)", "rw"], ["deny", "Input_(13)", "rwm"]), []);
  assert.deepEqual(devices(["deny", "Input_(13)", "rwm"], ["allow", "Input_(13)", "r"]), [input("r")]);
  assert.deepEqual(devices(["allow", "Input_(13)", "r"], ["allow", "Input_(13)", "rwm"]), [input("rwm")]);
  assert.deepEqual(devices(["deny", "Input_(13)", "r"]), []);
});

test("paths: in one spelling, never upwards", () => {
  const { mounts, newVolumes, workingDir } = plan({
    volume: {
      host: { "/My Photos/a b/": { bind: "//mnt/./x/", ro: true }, "/Public": { bind: "/p" } },
      new: ["/data//x/"],
    },
    working_dir: "/",
  });
  assert.deepEqual(mounts, [
    { folder: { share: "My Photos", components: ["a b"] }, target: "/mnt/x", readOnly: true },
    { folder: { share: "Public", components: [] }, target: "/p", readOnly: false },
  ]);
  assert.deepEqual([newVolumes, workingDir], [["/data/x"], "/"]);
});

test("rw is the opposite of ro", () => {
  const readOnly = (access: object) =>
    plan({ volume: { host: { "/Public": { bind: "/p", ...access } } } }).mounts[0]?.readOnly;
  const accesses: [object, boolean][] = [
    [{}, false],
    [{ ro: true }, true],
    [{ ro: false }, false],
    [{ rw: true }, false],
    [{ rw: false }, true],
    [{ ro: true, rw: false }, true],
    [{ ro: false, rw: true }, false],
  ];
  for (const [access, expected] of accesses) assert.equal(readOnly(access), expected, JSON.stringify(access));
});

test("addresses of network cards in one spelling", () => {
  assert.equal(plan({ network: { mac_addr: "02:42:AC:11:00:02" } }).macAddress, "02:42:ac:11:00:02");
  assert.equal(plan({ network: { mac_addr: "" } }).macAddress, undefined);
});

test("what does not go together, or is not there, is refused by name", () => {
  const mount = (bind: string) => ({ volume: { host: { "/Public/a": { bind } } } });
  const cases: [Partial<CreateRequest>, string, RegExp][] = [
    [{ command: "sh -c 'x" }, "command", /quote that is not closed/],
    [{ entrypoint: 'sh -c "x' }, "entrypoint", /quote that is not closed/],
    [{ command: ["a\0b"] }, "command", /NUL/],
    [{ entrypoint: "a\0b" }, "entrypoint", /NUL/],
    [{ working_dir: "/a/../b" }, "working_dir", /must not contain \.\./],
    [mount("/"), 'volume.host["/Public/a"].bind', /must not be the container's root/],
    [mount("//./"), 'volume.host["/Public/a"].bind', /must not be the container's root/],
    [mount("/a/.."), 'volume.host["/Public/a"].bind', /must not contain \.\./],
    [
      { volume: { host: { "/Public/a": { bind: "/x" }, "/Public/b": { bind: "/x/" } } } },
      'volume.host["/Public/b"].bind',
      /second time/,
    ],
    [{ volume: { host: { "/Public/a": { bind: "/x" } }, new: ["/x"] } }, "volume.new[0]", /second time/],
    [
      { volume: { host: { "/Public/a": { bind: "/x", ro: true, rw: true } } } },
      'volume.host["/Public/a"].rw',
      /must be the opposite of ro, and both are true/,
    ],
    [
      { volume: { host: { "/Public/a": { bind: "/x", ro: false, rw: false } } } },
      'volume.host["/Public/a"].rw',
      /must be the opposite of ro, and both are false/,
    ],
    [{ volume: { new: ["/"] } }, "volume.new[0]", /root/],
    [{ volume: { new: ["/a", "/b/../.."] } }, "volume.new[1]", /must not contain \.\./],
    [{ volume: { host: { "/Public/../etc": { bind: "/x" } } } }, 'volume.host["/Public/../etc"]', /\.\./],
    [{ volume: { host: { "/etc": { bind: "/x" } } } }, 'volume.host["/etc"]', /names no shared folder/],
    [{ network: { mac_addr: "01:00:5e:00:00:01" } }, "network.mac_addr", /multicast/],
    [{ network: { mac_addr: "ff:ff:ff:ff:ff:ff" } }, "network.mac_addr", /multicast/],
    [{ network: { mac_addr: "00:00:00:00:00:00" } }, "network.mac_addr", /all zeros/],
    [
      {
        network: {
          port: [
            [80, 80, "tcp"],
            [81, 80, "tcp"],
            [80, 81, "tcp"],
          ],
        },
      },
      "network.port[2]",
      /80\/tcp a second time/,
    ],
    [
      {
        resource: {
          device: [
            ["allow", "Input_(13)", "r"],
            ["allow", "sda", "rwm"],
          ],
        },
      },
      "resource.device[1][1]",
      /is no device/,
    ],
    [{ resource: { device: [["deny", "__proto__", "r"]] } }, "resource.device[0][1]", /is no device/],
    [{ resource: { device: [["allow", "Memory_(1)", "rwm"]] } }, "resource.device[0][1]", /is no device/],
    [{ links: { "a;b": "c" } }, "links", /container name to alias/],
    [{ links: { "-a": "c" } }, "links", /container name to alias/],
    [{ links: { other: "db" }, network: { mode: "host" } }, "links", /network.mode nat, or a network of Docker, only/],
  ];
  for (const [changes, field, reason] of cases) {
    assert.throws(
      () => plan(changes),
      (error) => {
        assert.ok(hasCode(error, "invalid"), String(error));
        assert.equal(error.details?.["field"], field);
        assert.ok(error.message.startsWith(`${field} `), error.message);
        assert.match(error.message, reason);
        return true;
      },
      JSON.stringify(changes),
    );
  }
});

test("a port for tcp and for udp is two ports", () => {
  const { ports } = plan({
    network: {
      port: [
        [53, 53, "tcp"],
        [53, 53, "udp"],
      ],
    },
  });
  assert.deepEqual(ports, [
    { host: 53, container: 53, protocol: "tcp" },
    { host: 53, container: 53, protocol: "udp" },
  ]);
});
