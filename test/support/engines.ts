import { join } from "node:path";

/** The engines that `npm test` has started for this run, the same for every test file. */
export interface TestEngines {
  /** As `unix:///path`. */
  docker: string;
  dockerSocket: string;
  /** Open; also answers as registry-1.docker.io, so it is Docker Hub to the test dockerd. */
  registry: string;
  /** Wants `registryLogin`. */
  registryAuth: string;
  registryLogin: { username: string; password: string };
  dockerdPidFile: string;
  /** Control group below which all containers of the test dockerd are. */
  cgroupParent: string;
  /** Everything of this run; deleted at its end. */
  folder: string;
  /** What the runs side by side have in common; this run's own folder when it is alone. */
  shared: string;
}

export function testEngines(): TestEngines {
  const folder = process.env["GANTRY_TEST_FOLDER"];
  const cgroupParent = process.env["GANTRY_TEST_CGROUP"];
  if (!folder || !cgroupParent) throw new Error("Tests need engines of their own: run them with `npm test`.");
  const dockerSocket = join(folder, "docker.sock");
  return {
    docker: `unix://${dockerSocket}`,
    dockerSocket,
    registry: "127.0.0.1:5000",
    registryAuth: "127.0.0.1:5001",
    registryLogin: { username: "test", password: "secret" },
    dockerdPidFile: join(folder, "dockerd.pid"),
    cgroupParent,
    folder,
    shared: process.env["GANTRY_TEST_SHARED"] ?? folder,
  };
}

/** The same facts for what reads variables. */
export function testVariables(engines: TestEngines): Record<string, string> {
  return {
    GANTRY_TEST_DOCKER: engines.docker,
    GANTRY_TEST_REGISTRY: engines.registry,
    GANTRY_TEST_REGISTRY_AUTH: engines.registryAuth,
    GANTRY_TEST_DOCKERD_PIDFILE: engines.dockerdPidFile,
  };
}
