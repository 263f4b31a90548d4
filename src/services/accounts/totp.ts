import { createHmac, timingSafeEqual } from "node:crypto";

/** RFC 6238 as every authenticator app does it by default: SHA-1, 6 digits, 30 seconds. */
const period = 30;
const digits = 6;
/** Steps that a clock may be off, either way. */
const drift = 1;

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The step (30-second count) that this code is for, near `now` in epoch ms; `undefined` = a wrong code. */
export function totpStep(secret: Buffer, code: string, now: number): number | undefined {
  if (!/^[0-9]{6}$/.test(code)) return undefined;
  const current = Math.floor(now / 1000 / period);
  let found: number | undefined;
  // All are compared, whichever fits.
  for (let step = current - drift; step <= current + drift; step++) {
    if (timingSafeEqual(Buffer.from(codeAt(secret, step)), Buffer.from(code))) found = step;
  }
  return found;
}

function codeAt(secret: Buffer, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", secret).update(counter).digest();
  const value = mac.readUInt32BE((mac.at(-1) ?? 0) & 0xf) & 0x7fffffff;
  return String(value % 10 ** digits).padStart(digits, "0");
}

/** RFC 4648 without padding, as apps want a secret typed. */
export function base32(bytes: Buffer): string {
  let bits = "";
  for (const byte of bytes) bits += byte.toString(2).padStart(8, "0");
  return (bits.match(/.{1,5}/g) ?? []).map((five) => alphabet[Number.parseInt(five.padEnd(5, "0"), 2)]).join("");
}
