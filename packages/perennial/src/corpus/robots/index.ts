export { license, licenseSchema, spdx } from "./license-filter.ts";
export { robots, robotsSchema } from "./robots-filter.ts";
export { CRAWL_AGENTS, isDisallowed, parseRobots, type RobotsRules } from "./robots-txt.ts";
