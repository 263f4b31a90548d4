import { constants } from "node:fs";
import { open, realpath, type FileHandle } from "node:fs/promises";
import { AppError, invalid } from "../errors.ts";

export interface SharePath {
  share: string;
  /** Components below the share; empty = the share itself. */
  components: readonly string[];
  /** Nobody may change anything there. */
  readOnly?: true;
}

/** A folder below a share, held open: what is at its path later may be another. */
export interface OpenFolder {
  /** Absolute, free of links at the time it was opened. */
  path: string;
  device: bigint;
  inode: bigint;
}

export type Shares = ReturnType<typeof createShares>;

/** The folders of the host that the station may hand out; nothing outside them is reachable by a path of a request. */
export function createShares(roots: Readonly<Record<string, string>>, readOnly: readonly string[] = []) {
  return {
    /** `/SHARE/a/b`. The share must exist; nothing else is looked at. `field` is named in what is refused. */
    parse(path: string, field: string): SharePath {
      // oxlint-disable-next-line no-control-regex
      if (/[\u0000-\u001f\u007f]/.test(path)) throw invalid(field, "must not contain control characters");
      if (path.length > 4096) throw invalid(field, "is longer than 4096 characters");
      const [empty, share = "", ...components] = path.replace(/\/$/, "").split("/");
      if (empty !== "" || share === "") throw invalid(field, "must begin with /SHARE, the name of a shared folder");
      if (!Object.hasOwn(roots, share)) throw invalid(field, `names no shared folder of this station: ${share}`);
      if (components.some((part) => part === "" || part === "." || part === ".." || Buffer.byteLength(part) > 255)) {
        throw invalid(field, "must not contain empty parts, . or .., or parts over 255 bytes");
      }
      return { share, components, ...(readOnly.includes(share) && { readOnly: true }) };
    },

    /** The share that an absolute path of the host lies in, as far as one can tell by its name. */
    async locate(path: string): Promise<SharePath | undefined> {
      for (const [share, folder] of Object.entries(roots)) {
        const root = await realpath(folder).catch(() => undefined);
        if (root !== undefined && `${path}/`.startsWith(`${root}/`)) {
          return { share, components: path.slice(root.length).split("/").filter(Boolean) };
        }
      }
      return undefined;
    },

    /** Opens the folder component by component, following no link and crossing into no other file system. */
    async openFolder({ share, components }: SharePath): Promise<OpenFolder> {
      const shown = `/${[share, ...components].join("/")}`;
      const root = await realpath(roots[share] as string).catch(() => {
        throw new AppError("not_found", `The shared folder /${share} does not exist on this host.`);
      });
      let folder = await openDirectory(root, shown);
      try {
        const { dev } = await folder.stat({ bigint: true });
        for (const component of components) {
          const next = await openDirectory(`/proc/self/fd/${folder.fd}/${component}`, shown);
          await folder.close();
          folder = next;
          if ((await folder.stat({ bigint: true })).dev !== dev) {
            throw new AppError("forbidden", `${shown} lies on another file system than its share.`);
          }
        }
        const { ino } = await folder.stat({ bigint: true });
        return { path: [root, ...components].join("/"), device: dev, inode: ino };
      } finally {
        await folder.close();
      }
    },
  };
}

async function openDirectory(path: string, shown: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") throw new AppError("not_found", `The folder ${shown} does not exist; create it first.`);
    if (code === "ENOTDIR" || code === "ELOOP")
      throw new AppError("forbidden", `${shown} is not a folder, or leads through a link.`);
    throw new AppError("internal", `The folder ${shown} cannot be opened.`, { cause: error });
  }
}
