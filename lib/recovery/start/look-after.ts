// What a schedule does for recoveries. Those that were cut off (stopped, timed out, ended at a state that gives nothing back) get
// their leases given back; those that met another recovery are started when it has ended. It looks at what is, so that nothing
// depends on a message about it.

import { RECOVERY_LEASE } from '../recover/lease-names.ts';
import { ALL, decideAfter, isOver } from './decide-after.ts';
import { arnOf, type ExecutionEnd, endOf } from './executions.ts';
import { isActive, type StartDeps, start } from './start-recovery.ts';
import type { Start } from './starts.ts';

export interface LookedAfter {
  kind: 'looked-after';
  /** Consumers of recoveries that were cut off. */
  freed: string[];
  /** Executions. */
  started: string[];
  /** Findings whose recovery still waits. */
  waiting: number;
}

/** @example await lookAfter(deps); // { kind: 'looked-after', freed: ['billing'], started: ['billing-1f2e3d4c5b6a-812'], waiting: 0 } */
export async function lookAfter(deps: StartDeps): Promise<LookedAfter> {
  const { sfn, stateMachineArn, leases, starts } = deps;
  const now = deps.now();
  const result: LookedAfter = { kind: 'looked-after', freed: [], started: [], waiting: 0 };
  const held = await leases.held(RECOVERY_LEASE, now);
  const ends = new Map<string, ExecutionEnd>();
  for (const owner of new Set(held.map((lease) => lease.owner))) {
    ends.set(owner, await endOf(sfn, arnOf(stateMachineArn, owner)));
  }
  const taken = new Set<string>();
  for (const lease of held) {
    const consumer = lease.name.slice(RECOVERY_LEASE.length);
    if (isOver(ends.get(lease.owner) ?? { status: 'FORGOTTEN' }, now)) {
      await leases.release(lease);
      result.freed.push(consumer);
    } else taken.add(consumer);
  }
  for (const row of await starts.list()) {
    const end = row.state === 'started' ? await endOf(sfn, row.executionArn ?? '') : undefined;
    const after = decideAfter(row, end, taken);
    if (after === 'wait') result.waiting += 1;
    if (after === 'begun' || (after === 'start' && !(await isWanted(deps, row)))) {
      await starts.put({ ...row, state: 'begun' }, row);
    } else if (after === 'start') {
      const outcome = await start(deps, row, row);
      if (outcome.kind === 'started') result.started.push(outcome.name);
      // Others that wait for the same consumers meet this one.
      taken.add(row.consumer ?? ALL);
    }
  }
  return result;
}

const isWanted = async (deps: StartDeps, { consumer }: Start): Promise<boolean> =>
  consumer === undefined || (await isActive(deps, consumer));
