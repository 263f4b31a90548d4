import { AppError, invalid } from "../../../errors.ts";
import type { Containers } from "../../engine.ts";
import type { ContainerSpec } from "../../container-spec.ts";
import type { Images } from "../../images.ts";
import { readHostFacts } from "../../shared/host-devices.ts";
import type { LxdHttp } from "../client/http.ts";
import { isInstanceName } from "../client/instance.ts";
import type { Operations } from "../client/operations.ts";
import { cancelled, createFailure, reasonOf } from "../failures.ts";
import { fixedAddress, profileCard } from "../network/profile-card.ts";
import { sizedRoot } from "../rootfs/pool.ts";
import { createBody, type CreateFacts } from "./create-body.ts";

interface Deps {
  http: LxdHttp;
  operations: Operations;
  images: Images;
  /** Runs what gives addresses, one after the other: an address is free until its container is there. */
  addressLock: <T>(work: () => Promise<T>) => Promise<T>;
}

const addressTries = 5;

/** Returns the engine's `create`. Throws `invalid` for a bad name, `not_found` without the image, `conflict`. */
export function createCreate({ http, operations, images, addressLock }: Deps): Containers["create"] {
  return async function create(spec, signal) {
    if (signal?.aborted) throw cancelled();
    if (!isInstanceName(spec.name)) {
      throw invalid("name", "must begin with a letter and have only letters, digits and - for LXD, at most 63.");
    }
    const image = await images.get(spec.image, signal);
    if (!image) throw new AppError("not_found", `LXD has no image ${spec.image}.`);
    const [host, card, shift] = await Promise.all([readHostFacts(spec), profileCard(http), canShift(http)]);
    const root = spec.limits.size === undefined ? {} : await sizedRoot(http, spec.limits.size);
    const make = () => createWith(spec, { ...host, fingerprint: image.id, card, root, shift }, signal);
    return spec.ports.length > 0 ? addressLock(make) : make();
  };

  async function createWith(
    spec: ContainerSpec,
    facts: Omit<CreateFacts, "address">,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      const address = await fixedAddress(http, facts.card, spec, attempt);
      const body = createBody(spec, { ...facts, address });
      try {
        await operations.run({ method: "POST", path: "/1.0/instances", body }, signal);
        return spec.name;
      } catch (error) {
        const lostRace = address !== undefined && reasonOf(error).includes(address);
        if (!lostRace || attempt === addressTries) throw createFailure(error, spec.name);
      }
    }
  }
}

/** Returns whether the kernel and the LXC below can mount folders of the host with a container's user ids. */
async function canShift(http: LxdHttp): Promise<boolean> {
  const { environment } = await http.get<{ environment: Record<string, Record<string, string> | undefined> }>("/1.0");
  const { kernel_features: kernel, lxc_features: lxc } = environment;
  return kernel?.["idmapped_mounts"] === "true" && lxc?.["idmapped_mounts_v2"] === "true";
}
