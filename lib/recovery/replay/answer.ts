// What the replay function answers: the plan, or how far a replay is, and the exact next request. Pure.

import type { Plan } from '../plan/port.ts';
import { isFinished, type Replay, type ReplayStatus } from './port.ts';

export interface ReplayView {
  id: string;
  consumer: string;
  mode: Plan['mode'];
  status: ReplayStatus;
  /** Rows of the plan: streams, or parts of long ones. */
  rows: { all: number; given: number; done: number; failed: number };
  events: { all: number; done: number };
  /** 0 to 100, by rows that have ended. */
  percent: number;
  /** Events per second, measured while it was at work. */
  eventsPerSecond: number;
  /** At the measured rate, but not faster than the one that was asked for; absent when it is not running. */
  etaSeconds?: number;
  failures: Replay['failures'];
  note?: string;
  startedAt: number;
  finishedAt?: number;
}

export interface ReplayAnswer {
  /** `planned`, `would` (a dry run), `nothing` (no stream is meant), or the replay's status. */
  result: 'planned' | 'would' | 'nothing' | ReplayStatus | 'replays';
  plan?: Plan;
  /** The first rows of the plan. */
  streams?: { streamId: string; from: number; to: number; events: number; repeats: number }[];
  replay?: ReplayView;
  replays?: ReplayView[];
  next?: string;
}

export function viewOf(replay: Replay): ReplayView {
  const { id, consumer, mode, status, rows, next, doneRows, failedRows, events, doneEvents, activeMs } = replay;
  const measured = activeMs > 0 ? (doneEvents * 1_000) / activeMs : 0;
  const rate = Math.min(replay.options.ratePerSecond, measured > 0 ? measured : Number.POSITIVE_INFINITY);
  const isEnd = isFinished(replay);
  return {
    id,
    consumer,
    mode,
    status,
    rows: { all: rows, given: next, done: doneRows, failed: failedRows },
    events: { all: events, done: doneEvents },
    percent: rows === 0 ? 100 : Math.floor(((doneRows + failedRows) * 100) / rows),
    eventsPerSecond: Math.round(measured * 10) / 10,
    ...(status === 'running' && { etaSeconds: Math.ceil(Math.max(0, events - doneEvents) / rate) }),
    failures: replay.failures,
    ...(replay.note !== undefined && { note: replay.note }),
    startedAt: replay.startedAt,
    ...(isEnd && replay.finishedAt !== undefined && { finishedAt: replay.finishedAt }),
  };
}

export function replayAnswer(replay: Replay): ReplayAnswer {
  const of = `"replayId": "${replay.id}"`;
  const next = {
    running: `{ "action": "status", ${of} }`,
    paused: `{ "action": "resume", ${of} }`,
    stopped: `{ "action": "resume", ${of} }`,
    cancelled: undefined,
    done: undefined,
  }[replay.status];
  return { result: replay.status, replay: viewOf(replay), ...(next !== undefined && { next }) };
}

export function planAnswer(
  result: 'planned' | 'would',
  plan: Plan,
  streams: NonNullable<ReplayAnswer['streams']>,
): ReplayAnswer {
  if (plan.rows === 0) return { result: 'nothing', plan, streams };
  const next = `{ "action": "start", "planId": "${plan.id}", "dryRun": false }`;
  return { result, plan, streams, next };
}
