// How many parity scenarios there are, counted from the scenarios that the parity tests play.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { SCENARIOS } from '../platform/dynamodb/parity/scenarios.ts';
import { BATCH_ANSWERS } from './batch-answers/scenarios.ts';
import { BUS } from './bus/scenarios.ts';
import { STREAMS } from './dynamodb-streams/scenarios.ts';
import { QUEUES } from './queues/scenarios.ts';
import { TOPICS } from './topics/scenarios.ts';

const GROUPS: Readonly<Record<string, readonly { name: string }[]>> = {
  ...Object.fromEntries(Object.entries(SCENARIOS).map(([group, scenarios]) => [`DynamoDB, ${group}`, scenarios])),
  'DynamoDB streams': STREAMS,
  'SQS queues': QUEUES,
  'answers to batches of messages': BATCH_ANSWERS,
  'EventBridge bus': BUS,
  'SNS topics': TOPICS,
};
const MIN_SCENARIOS = 200;
const total = Object.values(GROUPS).reduce((sum, scenarios) => sum + scenarios.length, 0);
const EMULATORS = readFileSync(join(import.meta.dirname, '../../docs/emulators.md'), 'utf8');

describe(`parity: ${total} scenarios`, () => {
  it(`are at least ${MIN_SCENARIOS}`, () => {
    expect(total).toBeGreaterThanOrEqual(MIN_SCENARIOS);
  });

  it.each(Object.entries(GROUPS))('%s: each has a name of its own', (_group, scenarios) => {
    const names = scenarios.map(({ name }) => name);
    expect(names.length).toBeGreaterThan(0);
    expect(new Set(names).size).toBe(names.length);
  });

  it('are counted in docs/emulators.md', () => {
    const rows = Object.entries(GROUPS).map(([group, { length }]) => `| ${group} | ${length} |`);
    expect(rows.filter((row) => !EMULATORS.includes(row))).toEqual([]);
    expect(EMULATORS).toContain(`| together | ${total} |`);
  });
});
