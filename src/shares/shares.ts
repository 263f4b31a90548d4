import { constants } from "node:fs";
import { open, readFile, realpath, type FileHandle } from "node:fs/promises";
import { sep } from "node:path";
import { AppError, invalid } from "../errors.ts";

export interface SharePath {
  /** The share's name. */
  share: string;
  /** Components below the share; empty = the share itself. */
  components: readonly string[];
  /** Nobody may change anything there. */
  readOnly?: true;
}

/**
 * A folder of a share, held open. Whoever uses `handle` uses this very folder, whatever lies at its path by now.
 * The caller closes the handle.
 */
export interface OpenFolder {
  /** The open folder. */
  handle: FileHandle;
  /** The number of its file system (`st_dev` of stat(2)). */
  device: bigint;
  /** Its number in that file system (`st_ino` of stat(2)). */
  inode: bigint;
}

export type Shares = ReturnType<typeof createShares>;

/**
 * The folders of the host that the station may hand out; nothing outside them is reachable by a path of a request.
 * `roots`: name of a share -> absolute path. A root may be a link, unless it lies in another share, where containers
 * could replace the link.
 */
export function createShares(roots: Readonly<Record<string, string>>, readOnly: readonly string[] = []) {
  /** Returns the share whose folder contains that of this one, if there is one; the nearest of several. */
  function shareAround(share: string): string | undefined {
    const around = Object.keys(roots).filter((other) => isBelow(roots[share] as string, roots[other] as string));
    return around.toSorted((a, b) => (roots[b] as string).length - (roots[a] as string).length)[0];
  }

  async function openRoot(share: string, shown: string): Promise<FileHandle> {
    const folder = roots[share] as string;
    const outer = shareAround(share);
    if (outer === undefined) {
      const root = await realpath(folder).catch(() => {
        throw new AppError("not_found", `The shared folder /${share} does not exist on this host.`);
      });
      return openDirectory(root, shown);
    }
    const components = folder
      .slice((roots[outer] as string).length)
      .split(sep)
      .filter(Boolean);
    return walk(await openRoot(outer, shown), components, shown, async () => undefined);
  }

  return {
    /** Returns the names of all shares. */
    names: (): string[] => Object.keys(roots),

    /** Parses `/SHARE/a/b`. The share must exist; the file system is not looked at. `field` is named in a refusal. */
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

    /** Returns the share that an absolute path of the host lies in, as far as its name tells. */
    async locate(path: string): Promise<SharePath | undefined> {
      for (const [share, folder] of Object.entries(roots)) {
        const root = await realpath(folder).catch(() => undefined);
        if (root !== undefined && `${path}/`.startsWith(`${root}/`)) {
          return { share, components: path.slice(root.length).split("/").filter(Boolean) };
        }
      }
      return undefined;
    },

    /**
     * Opens a folder component by component. Follows no link and crosses no mount point, so what is opened lies in the
     * share, whatever is renamed meanwhile. Throws `not_found` or `forbidden`, naming the path.
     */
    async openFolder({ share, components }: SharePath): Promise<OpenFolder> {
      const shown = `/${[share, ...components].join("/")}`;
      const root = await openRoot(share, shown);
      const mount = await mountId(root);
      const handle = await walk(root, components, shown, async (folder) => {
        if ((await mountId(folder)) === mount) return;
        throw new AppError("forbidden", `${shown} lies on another file system than its share.`);
      });
      const { dev, ino } = await handle.stat({ bigint: true });
      return { handle, device: dev, inode: ino };
    },
  };
}

function isBelow(path: string, folder: string): boolean {
  return path !== folder && `${path}${sep}`.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

/** Opens `components` one by one below `start`, which is closed in any case. `check` may refuse each folder. */
async function walk(
  start: FileHandle,
  components: readonly string[],
  shown: string,
  check: (folder: FileHandle) => Promise<void>,
): Promise<FileHandle> {
  let folder = start;
  try {
    for (const component of components) {
      const next = await openDirectory(`/proc/self/fd/${folder.fd}/${component}`, shown);
      await folder.close();
      folder = next;
      await check(folder);
    }
    return folder;
  } catch (error) {
    await folder.close();
    throw error;
  }
}

/** The kernel's number of the mount that an open folder was reached by (`mnt_id` of proc(5), fdinfo). */
async function mountId({ fd }: FileHandle): Promise<string | undefined> {
  return /^mnt_id:\s*(\d+)$/m.exec(await readFile(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
}

async function openDirectory(path: string, shown: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") throw new AppError("not_found", `The folder ${shown} does not exist; create it first.`);
    if (code === "ENOTDIR" || code === "ELOOP")
      throw new AppError("forbidden", `${shown} is not a folder, or leads through a link.`);
    if (code === "ENAMETOOLONG") throw new AppError("invalid", `The path ${shown} is too long.`);
    throw new AppError("internal", `The folder ${shown} cannot be opened.`, { cause: error });
  }
}
