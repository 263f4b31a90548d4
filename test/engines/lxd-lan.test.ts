import { lxdBench } from "./lxd-bench.ts";
import { lanTests } from "./system-lan.ts";

lanTests(lxdBench());
