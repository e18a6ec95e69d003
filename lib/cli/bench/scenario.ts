// What a benchmark scenario is. Each module in `scenarios/` exports one as its default and is found by its being there.

/** One figure, as `npm run bench -- --json` prints it. */
export interface BenchResult {
  scenario: string;
  /** `ours`, `limit` (what it is measured against), or a peer's name. */
  subject: string;
  metric: string;
  unit: string;
  value: number;
  /** On `ours`: value divided by the limit's value. Whether more or less is better depends on the metric. */
  ratioToLimit?: number;
}

export interface ScenarioOutcome {
  results: BenchResult[];
  /** One sentence for each limit that does not hold. */
  broken: string[];
}

export interface ScenarioContext {
  /** Goes to stderr. */
  progress(line: string): void;
  /** URL of a DynamoDB Local, started at the first call and shared by all scenarios of the run. */
  dynamoDbUrl(): Promise<string>;
  /** 1 = as long as it takes for figures that can be trusted; less is for a look, and for tests. */
  effort: number;
}

export interface Scenario {
  name: string;
  /** One line for --list. */
  what: string;
  run(context: ScenarioContext): Promise<ScenarioOutcome>;
}
