import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { AppError } from "../../errors.ts";
import { createSemaphore } from "../../util/concurrency.ts";

/** OWASP's argon2id: 19 MiB, two passes, one lane. */
const cost = { memory: 19456, passes: 2, parallelism: 1, tagLength: 32 };

const derive = promisify(argon2);

/** Hashing is heavy on purpose: two at a time, so that a flood of logins leaves the rest of the station its processor. */
const gate = createSemaphore({
  width: 2,
  depth: 50,
  full: () =>
    new AppError("too_many", "Too many logins at once; try again in a second.", { details: { retryAfter: 1 } }),
});

async function hashWith(password: string, nonce: Buffer): Promise<Buffer> {
  return gate(() => derive("argon2id", { message: Buffer.from(password), nonce, ...cost }));
}

/** `argon2id$salt$hash`, both base64. */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(16);
  const hash = await hashWith(password, nonce);
  return `argon2id$${nonce.toString("base64")}$${hash.toString("base64")}`;
}

/** Takes as long for a user that does not exist (`undefined`) as for a wrong password. */
export async function passwordMatches(password: string, stored: string | undefined): Promise<boolean> {
  const [, salt, hash] = stored?.split("$") ?? [];
  const nonce = salt ? Buffer.from(salt, "base64") : randomBytes(16);
  const expected = hash ? Buffer.from(hash, "base64") : Buffer.alloc(cost.tagLength);
  const equal = timingSafeEqual(await hashWith(password, nonce), expected);
  return stored !== undefined && equal;
}
