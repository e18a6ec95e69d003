// What the redrive operation answers: counts, order, and the exact next command. Pure.

import type { DeadLetter } from '../../model/dead-letter.ts';
import type { RedrivePlan } from './plan-redrive.ts';
import type { ListRequest, SelectingRequest } from './request.ts';
import { isUnfinished, type RedriveRun } from './runs.ts';
import { countStreams, type Selected } from './select.ts';

/** Dead letters listed in an answer; the counts are always exact. A Lambda answer has at most 6 MB. */
const LISTED_MAX = 1_000;

export interface ListedLetter {
  id: string;
  consumer: string;
  streamId: string;
  version: number;
  eventType: string;
  rounds: number;
  /** `un-park`: the stream goes on behind it. `redeliver`: only this event. */
  how: 'un-park' | 'redeliver' | 'discard';
}

export interface RedriveAnswer {
  result: 'would' | 'listed' | 'nothing' | RedriveRun['status'] | 'continued';
  count: number;
  streams: number;
  /** In the order in which they are given back. */
  listed: ListedLetter[];
  /** Rounds used up: only with `force` and a reason. */
  exhausted: number;
  /** Of consumers that are retired: not given back. */
  undeployed: number;
  truncated: boolean;
  /** Of a dry run: what starting it would do. Refused when the dead letters are not those that it saw. */
  plan?: RedrivePlan;
  runs: Pick<RedriveRun, 'id' | 'status' | 'done' | 'changed' | 'canaryId' | 'note'>[];
  next?: string;
}

const listedOf = (letter: DeadLetter, action: (SelectingRequest | ListRequest)['action']): ListedLetter => ({
  id: letter.id,
  consumer: letter.consumer,
  streamId: letter.streamId,
  version: letter.version,
  eventType: letter.eventType,
  rounds: letter.rounds,
  how: action === 'discard' ? 'discard' : letter.status === 'parked' ? 'un-park' : 'redeliver',
});

/** @param plan absent: nothing is selected, or nothing is to be done with it */
export function wouldAnswer(
  { action }: Pick<SelectingRequest | ListRequest, 'action'>,
  { letters, exhausted, undeployed, truncated }: Selected,
  plan?: RedrivePlan,
): RedriveAnswer {
  return {
    result: letters.length === 0 ? 'nothing' : action === 'list' ? 'listed' : 'would',
    count: letters.length,
    streams: countStreams(letters),
    listed: letters.slice(0, LISTED_MAX).map((letter) => listedOf(letter, action)),
    exhausted,
    undeployed,
    truncated,
    ...(plan && { plan }),
    runs: [],
    next:
      plan !== undefined
        ? `{ "action": "start", "planId": "${plan.id}", "dryRun": false }`
        : letters.length === 0 && exhausted > 0
          ? 'the same request with "force": true and a reason'
          : undefined,
  };
}

export function runAnswer(run: RedriveRun, selected?: Selected): RedriveAnswer {
  return {
    result: run.status,
    count: selected?.letters.length ?? run.done,
    streams: selected === undefined ? 0 : countStreams(selected.letters),
    listed: [],
    exhausted: selected?.exhausted ?? 0,
    undeployed: selected?.undeployed ?? 0,
    truncated: selected?.truncated ?? false,
    runs: [shortOf(run)],
    next: isUnfinished(run)
      ? `{ "action": "status", "runId": "${run.id}" }`
      : run.status === 'stopped'
        ? `{ "action": "resume", "runId": "${run.id}" }`
        : undefined,
  };
}

export const unfinishedAnswer = (runs: readonly RedriveRun[]): RedriveAnswer => ({
  result: 'continued',
  count: runs.reduce((sum, { done }) => sum + done, 0),
  streams: 0,
  listed: [],
  exhausted: 0,
  undeployed: 0,
  truncated: false,
  runs: runs.map(shortOf),
});

const shortOf = ({ id, status, done, changed, canaryId, note }: RedriveRun) => ({
  id,
  status,
  done,
  changed,
  canaryId,
  note,
});
