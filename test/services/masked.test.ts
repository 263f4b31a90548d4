import assert from "node:assert/strict";
import { test } from "node:test";
import { cutLong } from "../../src/services/secrets/shortening.ts";
import { hiddenWords, maskedJson } from "../../src/services/secrets/masking.ts";
import { withoutHiddenWords } from "../../src/services/secrets/error-masking.ts";
import { taskOf } from "../../src/services/tasks/task-view.ts";
import { newTask, noon } from "../storage/contract-fixture.ts";

const masked = (request: unknown, inspects = true) => maskedJson(JSON.stringify(request), { inspects });

test("of an environment only the values of variables that are known to be harmless are shown", () => {
  const environment = [
    "TZ=Europe/Berlin",
    "LANG=C",
    "LC_ALL=de_DE",
    "PATH=/bin:/usr/bin",
    "HOME=/root",
    "TERM=xterm",
    "PUID=1000",
    "MYSQL_PWD=one",
    "GITHUB_PAT=two",
    "AUTH=three=3",
    "DATABASE_URL=postgres://u:p@h/db",
    "EMPTY=",
    "path=x",
    "HOME=http://user:p/w@host/a?token=x",
  ];
  assert.deepEqual(masked({ environment }), {
    environment: [
      "TZ=Europe/Berlin",
      "LANG=C",
      "LC_ALL=de_DE",
      "PATH=/bin:/usr/bin",
      "HOME=/root",
      "TERM=xterm",
      "PUID=1000",
      "MYSQL_PWD=********",
      "GITHUB_PAT=********",
      "AUTH=********",
      "DATABASE_URL=********",
      "EMPTY=********",
      "path=********",
      "HOME=http://********@host/a?********",
    ],
  });
});

test("of a command the program and the names of options are shown", () => {
  const shown: [command: unknown, as: unknown][] = [
    ["sleep 600", "sleep ********"],
    [
      "mysql -u root -psecret --password=x --host db",
      "mysql -u ******** -p******** --password=******** --host ********",
    ],
    [
      ["sh", "-c", "curl -u a:b http://x"],
      ["sh", "-c", "********"],
    ],
    [
      ["/usr/bin/env", "A=b"],
      ["/usr/bin/env", "********"],
    ],
    ["A=b run", "******** ********"],
    ["sh -c 'a  b' c", "sh -c ********"],
    ["secret's", "********"],
    [["two words"], ["********"]],
    ["", ""],
    [[], []],
  ];
  for (const [command, as] of shown) {
    assert.deepEqual(masked({ command }), { command: as });
    assert.deepEqual(masked({ entrypoint: command }), { entrypoint: as });
  }
  assert.deepEqual(masked({ entrypoint: "srv --a", command: ["secret", "--b=c"] }), {
    entrypoint: "srv --a",
    command: ["********", "--b=********"],
  });
});

test("those who may not inspect see neither environment nor command, and nothing that the station does not read", () => {
  const secrets = {
    environment: ["TZ=UTC"],
    command: "run",
    entrypoint: ["a"],
    image_from: { nas: "b" },
    restart: "c",
  };
  assert.deepEqual(masked({ name: "web", ...secrets }, false), { name: "web" });
  assert.deepEqual(masked([{ name: "web", ...secrets }], false), [{ name: "web" }]);
});

test("logins and queries of URLs are masked wherever they stand; what is harmless stays as it was sent", () => {
  const download = {
    location: "https://u:p@hub.docker.com/_/ubuntu?key=1",
    description: "See ftp://a:b@c, or http://d/e",
  };
  assert.deepEqual(masked({ download }), {
    download: {
      location: "https://********@hub.docker.com/_/ubuntu?********",
      description: "See ftp://********@c, or http://d/e",
    },
  });
  const plain = {
    download: { icon: "http://download.qnap.com/a.png" },
    image_from: { from: "nas", local: "" },
    changed: {},
  };
  assert.deepEqual(masked(plain), plain);
  const words = { changed: { note: "hunter2", ["a=b"]: true }, restart: { checked: true, pin: 1234 } };
  const known = { changed: { note: "********" }, restart: { checked: true, pin: "********" } };
  assert.deepEqual(masked(words), known);
});

test("masking takes time in the length of a text, whatever is in it", () => {
  const hostile = [
    "a://".repeat(200_000),
    "a.".repeat(400_000),
    "x@".repeat(400_000),
    "a:".repeat(400_000),
    " ".repeat(800_000),
  ];
  for (const text of hostile) {
    const shown = masked({ environment: [`HOME=${text}`], command: text, download: { location: `http://${text}` } });
    assert.equal(typeof shown, "object");
  }
});

test("an error repeats no masked word, and to those who may not inspect no word at all", () => {
  const request = { command: ["srv-x1", "--key=topsecret"], environment: ["PIN=hunter2", "TZ=UTC"] };
  const told = (text: string, inspects: boolean) => withoutHiddenWords(text, request, { inspects });
  assert.equal(told('exec: "srv-x1 --key=topsecret" hunter2: not found', true).match(/topsecret|hunter2/), null);
  for (const text of ['exec: "srv-x1": not found', "bad value topsecret", "TZ is wrong"])
    assert.match(told(text, false), /the reason is not shown/);
  assert.equal(told("The image is not there.", false), "The image is not there.");
  assert.deepEqual(hiddenWords({ name: "web" }, { inspects: false }), []);
});

test("long values are cut and marked, short requests are as they were", () => {
  const cut = (value: unknown) => cutLong(value, JSON.stringify(value).length);
  const short = { environment: ["A=b"], n: [1, { deep: null }] };
  assert.deepEqual(cut(short), { value: short, cut: false });
  const long = cut({ name: "web", environment: [`A=${"x".repeat(900_000)}`], links: { a: "b" } });
  assert.deepEqual(long, {
    value: { name: "web", environment: [`A=${"x".repeat(510)}... (cut)`], links: { a: "b" } },
    cut: true,
  });
  const wide = { ["k".repeat(100_000)]: 1, list: Array.from({ length: 100_000 }, (_, n) => [n, n, "tcp"]) };
  for (const value of [wide, Object.values(wide), [[wide]]]) {
    const { value: shown, cut: marked } = cut(value);
    assert.ok(marked && JSON.stringify(shown).length < 16_384, `${JSON.stringify(shown).length}`);
  }
});

test("a list cuts a long error and marks the task; the task by itself shows all of it", () => {
  const row = { ...newTask({ params: "{}" }), id: 1, state: "error" as const, init: noon, start: noon, end: noon };
  const more = { result: 1, detail: "", progress: -1, pivot: 0, attempts: 0, outcome: null };
  const shown = (error: string, whole: boolean) =>
    taskOf({ ...row, ...more, error }, undefined, { sight: { inspects: true }, whole });
  const long = shown("x".repeat(10_000), false);
  assert.deepEqual([long.error, long.cut], [`${"x".repeat(2048)}... (cut)`, true]);
  assert.deepEqual([shown("x".repeat(10_000), true).error?.length, shown("x", false).cut], [10_000, undefined]);
});
