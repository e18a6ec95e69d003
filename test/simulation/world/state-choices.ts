// The conditions of Choice states, as far as the recovery's definition uses them.

import { isPresent, valueAt } from './state-data.ts';

type Condition = Record<string, unknown>;

const NO_CONTEXT = { Execution: { Id: '', Name: '', Input: {}, RedriveCount: 0 } };

const TESTS: Record<string, (condition: Condition, input: unknown) => boolean> = {
  And: ({ And }, input) => (And as Condition[]).every((one) => conditionHolds(one, input)),
  Or: ({ Or }, input) => (Or as Condition[]).some((one) => conditionHolds(one, input)),
  Not: ({ Not }, input) => !conditionHolds(Not as Condition, input),
  IsPresent: ({ Variable, IsPresent }, input) => isPresent(Variable as string, input) === IsPresent,
  StringEquals: ({ Variable, StringEquals }, input) => valueAt(Variable as string, input, NO_CONTEXT) === StringEquals,
  NumericEquals: ({ Variable, NumericEquals }, input) =>
    valueAt(Variable as string, input, NO_CONTEXT) === NumericEquals,
};

export function conditionHolds(condition: Condition, input: unknown): boolean {
  const operators = Object.keys(condition).filter((name) => name !== 'Next' && name !== 'Variable');
  const [operator = 'none'] = operators;
  const test = TESTS[operator];
  if (operators.length !== 1 || test === undefined)
    throw new Error(`the condition ${operators.join()} is not simulated`);
  return test(condition, input);
}
