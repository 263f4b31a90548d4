import type { Container, EngineType } from "../engines/engine.ts";
import { mergeRules, planRules, type RulePlan } from "./rule-plan.ts";
import { noRules, type PortRules } from "./rules.ts";

export interface RuleSourceOptions {
  /** This station's id. */
  station: string;
  /** Engines whose containers' ports are forwarded. */
  engines: readonly EngineType[];
  /** Lists the known containers of those engines. */
  containers: () => Iterable<Container>;
}

/** Says which rules should be in force, from the known containers and, at first, from what an earlier station left. */
export function createRuleSource({ station, engines, containers }: RuleSourceOptions) {
  const unlisted = new Set(engines);
  let earlier: PortRules = noRules;

  function plan(): RulePlan {
    return planRules(containers(), station);
  }

  return {
    plan,
    containers,
    /** Keeps these rules until all engines were listed: until then a missing container may only be unknown. */
    keepUntilListed: (rules: PortRules) => void (earlier = rules),
    engineListed: (type: EngineType) => void unlisted.delete(type),
    rules(): PortRules {
      const { rules } = plan();
      return unlisted.size > 0 ? mergeRules(rules, earlier) : rules;
    },
  };
}
