// Starts the recovery's state machine, follows it to its end and reads its report from the archive bucket. For whoever stands
// outside: the CLI, the local system, the drill. Bounded: a recovery that does not end in time is an error, and goes on.

import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { EventRecoveryError } from '../../model/errors.ts';
import type { World } from '../../platform/clock.ts';
import type { RecoveryReport } from '../report/types.ts';

export interface RunRecoveryDeps {
  sfn: Pick<SFNClient, 'send'>;
  s3: Pick<S3Client, 'send'>;
  stateMachineArn: string;
  /** Bucket of the reports. */
  bucket: string;
  world: Pick<World, 'clock' | 'timers' | 'ids'>;
}

export interface RunRecoveryOptions {
  /** Name of the execution: 1 to 80 letters, digits, dashes and underscores, free for 90 days. @default `manual-<random>` */
  id?: string;
  /** @default the state machine's own limit and a minute */
  limitMs?: number;
  /** @default 1,000 */
  pollMs?: number;
  onStarted?(executionArn: string): void;
  /** Every state that is entered, in order, with the recovery's id. */
  onState?(name: string, id: string): void;
}

/** A recovery that has ended and has a report. */
export interface RecoveryRun {
  id: string;
  executionArn: string;
  /** `SUCCEEDED`, or `FAILED` with the name of the Fail state. */
  status: string;
  error?: string;
  result: RecoveryReport['result'];
  /** Of the HTML report; `.json` and `.md` stand beside it. */
  key: string;
  report: RecoveryReport;
}

/** The state machine's own limit of 14 hours and a minute. */
const LIMIT_MS = 14 * 60 * 60_000 + 60_000;
const POLL_MS = 1_000;

/** @throws EventRecoveryError `RECOVERY_FAILED` when it ended without a report, with the Fail state's name in its facts */
export async function runRecovery(
  deps: RunRecoveryDeps,
  input: unknown,
  options: RunRecoveryOptions = {},
): Promise<RecoveryRun> {
  const { sfn, stateMachineArn, world } = deps;
  const id = options.id ?? `manual-${world.ids.next()}`;
  const { executionArn = '' } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn, name: id, input: JSON.stringify(input ?? {}) }),
  );
  options.onStarted?.(executionArn);
  const { status, error, cause } = await ended(deps, executionArn, options, id);
  const key = `recoveries/${id}/report`;
  const report = await reportAt(deps, `${key}.json`);
  if (report === undefined) {
    throw new EventRecoveryError(
      'RECOVERY_FAILED',
      `recovery ${id} ended as ${status} without a report: ${error}: ${cause}; remedy: read the execution's history`,
      { facts: { executionArn, status, error } },
    );
  }
  return { id, executionArn, status, error, result: report.result, key: `${key}.html`, report };
}

async function ended(
  { sfn, world }: RunRecoveryDeps,
  executionArn: string,
  { limitMs = LIMIT_MS, pollMs = POLL_MS, onState }: RunRecoveryOptions,
  id: string,
): Promise<{ status: string; error?: string; cause?: string }> {
  const deadline = world.clock.now() + limitMs;
  let told = 0;
  for (;;) {
    if (onState) told = await tellStates(sfn, executionArn, told, (name) => onState(name, id));
    const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (execution.status !== undefined && execution.status !== 'RUNNING') {
      return { status: execution.status, error: execution.error, cause: execution.cause };
    }
    if (world.clock.now() >= deadline) {
      throw new EventRecoveryError(
        'RECOVERY_UNFINISHED',
        `the recovery did not end within ${limitMs} ms; it goes on: ${executionArn}`,
        { retryable: true, facts: { executionArn } },
      );
    }
    await world.timers.sleep(pollMs);
  }
}

/** Step Functions keeps 25,000 events of an execution: 25 pages. */
const PAGES_MAX = 25;

/** @returns how many events are told */
async function tellStates(
  sfn: RunRecoveryDeps['sfn'],
  executionArn: string,
  told: number,
  onState: (name: string) => void,
): Promise<number> {
  let nextToken: string | undefined;
  let last = told;
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer = await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1_000, nextToken }));
    for (const { id = 0, stateEnteredEventDetails } of answer.events ?? []) {
      if (id <= told) continue;
      last = Math.max(last, id);
      if (stateEnteredEventDetails?.name !== undefined) onState(stateEnteredEventDetails.name);
    }
    nextToken = answer.nextToken;
    if (nextToken === undefined) break;
  }
  return last;
}

/** Undefined when there is none. */
async function reportAt({ s3, bucket }: RunRecoveryDeps, key: string): Promise<RecoveryReport | undefined> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return JSON.parse((await Body?.transformToString()) ?? 'null') as RecoveryReport;
  } catch (error) {
    if ((error as Error).name === 'NoSuchKey') return undefined;
    throw error;
  }
}
