import { lxcBench } from "./lxc-bench.ts";
import { lanTests } from "./system-lan.ts";

lanTests(lxcBench());
