import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ConfigError } from "../../src/config/error.ts";
import { type Config, readConfig } from "../../src/config/config.ts";

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "config-"));
});
after(() => rmSync(folder, { recursive: true }));

/** Reads settings with a config file of the test, so that the machine's own file is not read. */
function read(argv: readonly string[], env: Record<string, string> = {}, file: object = {}): Config {
  const path = write("config.json", JSON.stringify(file));
  const { config } = readConfig(argv, { INIT_CWD: folder, GANTRY_CONFIG: path, ...env });
  assert.ok(config);
  return config;
}

function write(name: string, content: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

test("without any setting the documented defaults apply", () => {
  const { listen, dataDir, runDir, shares, engines, docker, imageServer, adminPassword, lanes, userQuota, setup } =
    read([]);
  assert.deepEqual(listen, { host: "127.0.0.1", port: 8080 });
  assert.equal(dataDir, "/var/lib/gantry");
  assert.equal(runDir, "/run/gantry");
  assert.deepEqual(shares, { Public: "/var/lib/gantry/shares/Public" });
  assert.deepEqual([engines, docker, adminPassword], [undefined, undefined, undefined]);
  assert.equal(imageServer, "https://images.linuxcontainers.org");
  assert.deepEqual(lanes, { quick: 16, heavy: 4 });
  assert.deepEqual(userQuota, { tasks: 10_000, bytes: 64 * 1024 * 1024 });
  const given = read(["--max-user-tasks", "3", "--max-user-megabytes", "2"]).userQuota;
  assert.deepEqual(given, { tasks: 3, bytes: 2 * 1024 * 1024 });
  assert.equal(setup, true);
});

test("a flag has precedence over its variable, that over the file, and that over the default", () => {
  const file = { listen: "127.0.0.1:1", data: "/file", quick: 3 };
  const config = read(["--listen", "127.0.0.1:3"], { GANTRY_LISTEN: "127.0.0.1:2", GANTRY_DATA: "/variable" }, file);
  assert.equal(config.listen.port, 3);
  assert.equal(config.dataDir, "/variable");
  assert.deepEqual(config.lanes, { quick: 3, heavy: 4 });
});

test("every option can be set by its flag", () => {
  const password = write("password", "s3cret\n");
  const flags =
    "--listen [::1]:0 --data d --run r --share A=a --share B=/b --read-only-share B --engines docker,lxc --docker /d.sock";
  const more = "--lxd /l.sock --lxc-path /lxc --image-server http://127.0.0.1:90/ --quick 0 --heavy 1 --no-setup";
  const config = read([...`${flags} ${more}`.split(" "), `--admin-password-file=${password}`]);
  assert.deepEqual(config.listen, { host: "::1", port: 0 });
  assert.deepEqual([config.dataDir, config.runDir], [join(folder, "d"), join(folder, "r")]);
  assert.deepEqual(config.shares, { A: join(folder, "a"), B: "/b" });
  assert.deepEqual(config.readOnlyShares, ["B"]);
  assert.deepEqual(config.engines, ["docker", "lxc"]);
  assert.deepEqual([config.docker, config.lxdSocket, config.lxcPath], ["unix:///d.sock", "/l.sock", "/lxc"]);
  assert.equal(config.imageServer, "http://127.0.0.1:90");
  assert.equal(config.adminPassword, "s3cret");
  assert.deepEqual(config.lanes, { quick: 0, heavy: 1 });
  assert.equal(config.setup, false);
});

test("users of the host may log in only if --pam is set, and limits and host names are as given", () => {
  const { pam, hostNames, loginLimits } = read([]);
  assert.deepEqual([pam, hostNames, loginLimits], [undefined, [], { tries: 5, perMinute: 50 }]);
  assert.deepEqual(read(["--pam"]).pam, { adminGroups: ["sudo", "wheel", "root"] });
  const flags = ["--pam", "--pam-admin-group", "ops", "--host-name", "NAS.example.com", "--host-name", "b"];
  const given = read([...flags, "--login-tries", "3", "--login-rate", "9"]);
  assert.deepEqual(given.pam, { adminGroups: ["ops"] });
  assert.deepEqual(given.hostNames, ["nas.example.com", "b"]);
  assert.deepEqual(given.loginLimits, { tries: 3, perMinute: 9 });
  for (const wrong of [
    ["--host-name", "a b"],
    ["--host-name", "a:80"],
    ["--pam-admin-group", "a;b"],
    ["--login-tries", "0"],
  ])
    assert.throws(() => read(wrong), ConfigError);
});

test("TLS and the Docker gateway are off by default, and TLS uses the station's authority or given files", () => {
  assert.deepEqual([read([]).tls, read([]).dockerTls], [undefined, undefined]);
  assert.deepEqual(read(["--tls"]).tls, { files: undefined });
  const given = read(["--tls", "--tls-cert", "a.crt", "--tls-key", "/b.key"]);
  assert.deepEqual(given.tls, { files: { certificate: join(folder, "a.crt"), key: "/b.key" } });
  const variables = { GANTRY_TLS: "1", GANTRY_TLS_CERT: "/c", GANTRY_TLS_KEY: "/k", GANTRY_DOCKER_TLS: "[::]:2376" };
  assert.deepEqual(read([], variables).tls, { files: { certificate: "/c", key: "/k" } });
  assert.deepEqual(read([], variables).dockerTls, { host: "::", port: 2376 });
  for (const flags of [
    ["--tls", "--tls-cert", "a"],
    ["--tls", "--tls-key", "a"],
    ["--tls-cert", "a", "--tls-key", "b"],
  ])
    assert.throws(() => read(flags), ConfigError);
  assert.throws(() => read(["--docker-tls", "2376"]), /--docker-tls must be HOST:PORT/);
});

test("the containers-and-jobs API uses the station's own address and LXC by default", () => {
  assert.deepEqual(read([]).openvz, { listen: undefined, open: false, engine: "lxc", templates: {} });
  const flags = "--openvz-listen [::1]:5000 --openvz-auth none --openvz-engine lxd --openvz-template a=debian-bookworm";
  const { openvz } = read([...flags.split(" "), "--openvz-template", "b/1=ubuntu/jammy"]);
  const templates = { a: "debian-bookworm", "b/1": "ubuntu/jammy" };
  const listen = { host: "::1", port: 5000 };
  assert.deepEqual(openvz, { listen, open: true, engine: "lxd", templates });
  const variables = {
    GANTRY_OPENVZ_LISTEN: "127.0.0.1:1",
    GANTRY_OPENVZ_TEMPLATES: "a=debian-bookworm,b/1=ubuntu/jammy",
  };
  assert.deepEqual(read([], variables).openvz.templates, templates);
  assert.deepEqual(read([], {}, { "openvz-template": ["a=x"], "openvz-auth": "none" }).openvz.open, false);
  for (const template of ["a", "=b", "a=", "a=-b", "../a=b"])
    assert.throws(() => read(["--openvz-template", template]), /must be NAME=IMAGE/);
});

test("every option can be set by its variable", () => {
  const config = read([], {
    GANTRY_LISTEN: "0.0.0.0:80",
    GANTRY_DATA: "/d",
    GANTRY_RUN: "/r",
    GANTRY_SHARES: "A=/a,B=/b",
    GANTRY_ENGINES: "lxd",
    GANTRY_DOCKER: "tcp://10.0.0.1:2375",
    GANTRY_LXD: "/l.sock",
    GANTRY_LXC_PATH: "/lxc",
    GANTRY_IMAGE_SERVER: "https://images.example.org/x/",
    GANTRY_ADMIN_PASSWORD: "the password itself",
    GANTRY_QUICK: "1",
    GANTRY_HEAVY: "2",
    GANTRY_NO_SETUP: "1",
    DOCKER_HOST: "unix:///run/other.sock",
  });
  assert.deepEqual(config.listen, { host: "0.0.0.0", port: 80 });
  assert.deepEqual([config.dataDir, config.runDir, config.lxdSocket, config.lxcPath], ["/d", "/r", "/l.sock", "/lxc"]);
  assert.deepEqual(config.shares, { A: "/a", B: "/b" });
  assert.deepEqual(config.engines, ["lxd"]);
  assert.deepEqual([config.docker, config.dockerHost], ["tcp://10.0.0.1:2375", "unix:///run/other.sock"]);
  assert.equal(config.imageServer, "https://images.example.org/x");
  assert.equal(config.adminPassword, "the password itself");
  assert.deepEqual(config.lanes, { quick: 1, heavy: 2 });
  assert.equal(config.setup, false);
});

test("the config file has lists as arrays or texts, and its paths start at its folder", () => {
  const config = read([], {}, { share: ["A=a", "B=/b,c"], engines: ["docker"], "no-setup": true, quick: 7 });
  assert.deepEqual(config.shares, { A: join(folder, "a"), B: "/b,c" });
  assert.deepEqual(config.engines, ["docker"]);
  assert.equal(config.setup, false);
  assert.equal(config.lanes.quick, 7);
  assert.deepEqual(read([], {}, { share: "A=/a,B=/b" }).shares, { A: "/a", B: "/b" });
});

test("an empty variable counts as not set", () => {
  assert.equal(read([], { GANTRY_DATA: "", GANTRY_ADMIN_PASSWORD: "" }).dataDir, "/var/lib/gantry");
});

test("the settings are frozen", () => {
  const config = read([]);
  for (const part of [config, config.listen, config.shares, config.lanes]) assert.ok(Object.isFrozen(part));
});

const refused: [what: string, argv: string[], env: Record<string, string>, sentence: RegExp][] = [
  ["an unknown flag", ["--lisen", "x"], {}, /no flag --lisen; npm start -- --help/],
  ["a short flag", ["-l"], {}, /no flag -l;/],
  ["a name that every object has", ["--toString"], {}, /no flag --toString;/],
  ["a stray word", ["start"], {}, /"start" is no flag/],
  ["a flag without its value", ["--data"], {}, /--data needs a value: --data DIR/],
  ["a flag in place of a value", ["--data", "--no-setup"], {}, /--data needs a value/],
  ["a value for a switch", ["--no-setup=yes"], {}, /--no-setup takes no value/],
  ["no port", ["--listen", "localhost"], {}, /--listen must be HOST:PORT/],
  ["a port too high", ["--listen", "localhost:65536"], {}, /--listen must be HOST:PORT/],
  ["a bad variable", [], { GANTRY_LISTEN: "x" }, /GANTRY_LISTEN must be HOST:PORT/],
  ["a share without a folder", ["--share", "Public"], {}, /--share must be NAME=DIR/],
  ["a share with a path as its name", ["--share", "../a=/b"], {}, /--share must be NAME=DIR/],
  ["a read-only share that is none", ["--read-only-share", "Music"], {}, /names no share: Music; there are Public/],
  ["a share twice", [], { GANTRY_SHARES: "A=/a,A=/b" }, /GANTRY_SHARES names the share A twice/],
  ["an unknown engine", ["--engines", "docker,podman"], {}, /docker, lxc, lxd, not "podman"/],
  ["a web address for Docker", ["--docker", "http://x"], {}, /--docker must be unix:/],
  ["a file as the image server", ["--image-server", "file:///x"], {}, /--image-server must be an address/],
  ["a lane below zero", ["--quick=-1"], {}, /--quick must be a number from 0/],
  ["a lane that is no number", [], { GANTRY_HEAVY: "many" }, /GANTRY_HEAVY must be a number/],
  ["a switch in doubt", [], { GANTRY_NO_SETUP: "maybe" }, /GANTRY_NO_SETUP must be true or false/],
  ["a config file that is not there", ["--config", "none.json"], {}, /none\.json cannot be read/],
  ["a password file that is not there", ["--admin-password-file", "none"], {}, /none .* cannot be read/],
];
for (const [what, argv, env, sentence] of refused) {
  test(`a wrong setting is refused with a sentence: ${what}`, () => {
    assert.throws(
      () => read(argv, env),
      (error) => error instanceof ConfigError && sentence.test(error.message),
    );
  });
}

test("a bad config file is refused with a sentence", () => {
  const cases: [content: string, sentence: RegExp][] = [
    ["{", /is no valid JSON/],
    ["[]", /must hold one object/],
    ['{"prot": 1}', /unknown key "prot"/],
    ['{"config": "/x"}', /unknown key "config"/],
    ['{"listen": {"port": 1}}', /"listen" in .*bad\.json must be a text/],
    ['{"listen": "x"}', /"listen" in .*bad\.json must be HOST:PORT/],
    ['{"data": ["/a"]}', /"data" in .*bad\.json must be a text/],
  ];
  for (const [content, sentence] of cases) {
    const path = write("bad.json", content);
    assert.throws(
      () => read(["--config", path]),
      (error) => error instanceof ConfigError && sentence.test(error.message),
    );
  }
});

test("a bad password file is refused with a sentence that does not repeat the password", () => {
  const cases: [content: string, mode: number, sentence: RegExp][] = [
    ["", 0o600, /is empty/],
    ["\n", 0o600, /is empty/],
    ["hidden\nhidden2\n", 0o600, /in one line/],
    ["hidden\n", 0o644, /can be read by everyone; run chmod 600/],
  ];
  for (const [content, mode, sentence] of cases) {
    const path = write("password", content, mode);
    assert.throws(
      () => read(["--admin-password-file", path]),
      (error) => error instanceof ConfigError && sentence.test(error.message) && !error.message.includes("hidden"),
    );
  }
});

test("the level of the log is a known one", () => {
  assert.equal(read([]).logLevel, "info");
  assert.equal(read(["--log-level", "WARN"]).logLevel, "warn");
  assert.equal(read([], { GANTRY_LOG_LEVEL: "error" }).logLevel, "error");
  const sentence = /--log-level must be error, warn or info, not "loud"/;
  assert.throws(
    () => read(["--log-level", "loud"]),
    (error) => error instanceof ConfigError && sentence.test(error.message),
  );
});

test("--help says what a script can wait for", () => {
  const { text = "" } = readConfig(["--help"], {});
  for (const thing of ["the line `Gantry is ready at URL`", "GET /healthz with status 200", "the exit code: 0 "])
    assert.ok(text.includes(thing), thing);
});

test("--help names every flag with its variable and default", () => {
  const { text = "" } = readConfig(["--help"], {});
  const pairs =
    "listen LISTEN, data DATA, run RUN, share SHARES, engines ENGINES, docker DOCKER, lxd LXD, lxc-path LXC_PATH, " +
    "image-server IMAGE_SERVER, admin-password-file ADMIN_PASSWORD, quick QUICK, heavy HEAVY, max-tasks MAX_TASKS, " +
    "max-user-tasks MAX_USER_TASKS, max-user-megabytes MAX_USER_MEGABYTES, " +
    "log-level LOG_LEVEL, synchronous SYNCHRONOUS, no-setup NO_SETUP, config CONFIG";
  for (const pair of pairs.split(", ")) {
    const [flag = "", variable = ""] = pair.split(" ");
    assert.match(text, new RegExp(`^  --${flag} .*\\n +GANTRY_${variable}, default: \\S`, "m"));
  }
  assert.match(text, /127\.0\.0\.1:8080/);
  assert.match(readConfig(["--version"], {}).text ?? "", /^\d+\.\d+\.\d+/);
});
