/**
 * Milliseconds in which the station promises something, with a margin for a busy machine. What it does too late it does
 * after 5 s or more: by its next ping of an engine, its next list or its own time limits.
 */
export const promised = { oneSecond: 3_500, twoSeconds: 4_500, tenSeconds: 13_000 };
