import assert from "node:assert/strict";
import { test } from "node:test";

import { hasCode } from "../../src/errors.ts";
import { containerSpec, uniqueName } from "./container-spec.ts";
import { fails } from "./engine-checks.ts";
import type { EngineEnv } from "./engine-env.ts";

export function nameTests(env: () => EngineEnv): void {
  test("a name is given once, also to many who ask at once", async () => {
    const { engine, images } = env();
    const name = uniqueName();
    const all = await Promise.allSettled(
      [1, 2, 3, 4].map(() => engine.containers.create(containerSpec({ image: images.base, name }))),
    );
    const refused = all.filter((result) => result.status === "rejected");
    const [made] = all.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
    assert.equal(refused.length, 3);
    for (const { reason } of refused)
      assert.ok(hasCode(reason, "conflict") && reason.message.includes(name), String(reason));
    assert.equal((await engine.containers.getByName(name))?.id, made);
    await engine.containers.remove(made ?? "");
  });

  test("the beginning of an id is neither an id nor a name", async () => {
    const { engine, images } = env();
    const id = await engine.containers.create(containerSpec({ image: images.base }));
    const part = id.slice(0, -1);
    assert.equal(await engine.containers.getByName(part), undefined);
    assert.equal(await engine.containers.getById(part), undefined);
    await fails(engine.containers.start(part), "not_found");
    await engine.containers.remove(part);
    assert.ok(await engine.containers.getById(id));
    await engine.containers.remove(id);
  });

  test("where a name is no id, an id is no name: each finds its own container only", async () => {
    const { engine, images } = env();
    const { containers } = engine;
    const spec = containerSpec({ image: images.base });
    const first = await containers.create(spec);
    if (first === spec.name) return containers.remove(first);
    const names = [first, first.slice(0, 12), first.slice(0, 40)];
    const ids: string[] = [];
    for (const name of names) ids.push(await containers.create(containerSpec({ image: images.base, name })));
    for (const [index, name] of names.entries()) {
      assert.equal((await containers.getByName(name))?.id, ids[index], name);
      assert.equal((await containers.getById(name))?.id, name === first ? first : undefined);
    }
    await fails(containers.start(names[1] ?? ""), "not_found");
    await containers.remove(names[1] ?? "");
    await containers.remove(first);
    // Whoever removes it again, or stops it, does not mean the one that has its id as a name.
    await containers.remove(first);
    await containers.kill(first);
    await fails(containers.stop(first), "not_found");
    for (const id of ids) assert.ok(await containers.getById(id));
    // Several ids begin with one digit after 17 containers at the latest.
    while (new Set(ids.map(([digit]) => digit)).size === ids.length)
      ids.push(await containers.create(containerSpec({ image: images.base })));
    for (const [digit = ""] of ids) assert.equal(await containers.getByName(digit), undefined);
    for (const id of ids) await containers.remove(id);
  });
}
